import fc from 'fast-check';
import type { LogKey } from '../../src/model/ids.ts';
import type { LogName, LogWrite } from '../../src/ports/log-store.ts';
import { append, logName } from './batches.ts';
import { ModelLog, modelAfter } from './model-log.ts';

/** What a caller asks for; offsets are made from the model's state so that every sequence is a legal one. */
export type Step =
  | { type: 'append'; log: number; records: number; gap: number; timestamp: number; valueBytes: number }
  | { type: 'roll'; log: number }
  | { type: 'truncate'; log: number; part: number }
  | { type: 'trim'; log: number; part: number }
  | { type: 'put'; log: number; value: number }
  | { type: 'delete'; log: number }
  | { type: 'abort'; log: number; part: number }
  | { type: 'mark'; log: number; part: number; producerId: number }
  | { type: 'drop'; log: number };

const log = fc.integer({ min: 0, max: 1 });
const part = fc.double({ min: 0, max: 1, noNaN: true });
/** A start may be moved beyond the end. */
const partOrMore = fc.double({ min: 0, max: 1.25, noNaN: true });
const type = <const T extends string>(name: T) => fc.constant(name);

export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: type('append'),
      log,
      records: fc.integer({ min: 1, max: 4 }),
      gap: fc.constantFrom(0, 0, 0, 3),
      timestamp: fc.integer({ min: 0, max: 50 }),
      valueBytes: fc.constantFrom(1, 100, 3000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: type('roll'), log }) },
  { weight: 2, arbitrary: fc.record({ type: type('truncate'), log, part }) },
  { weight: 2, arbitrary: fc.record({ type: type('trim'), log, part: partOrMore }) },
  { weight: 1, arbitrary: fc.record({ type: type('put'), log, value: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ type: type('delete'), log }) },
  { weight: 3, arbitrary: fc.record({ type: type('abort'), log, part }) },
  { weight: 1, arbitrary: fc.record({ type: type('mark'), log, part, producerId: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ type: type('drop'), log }) },
);

const NAMES = [logName(0), logName(1)];
const VALUE = 'quorum-state';

/** The writes that do `step` to `logs`, and the logs afterwards. */
export function writesOf(
  logs: ReadonlyMap<LogKey, ModelLog>,
  asked: Step,
): { writes: LogWrite[]; logs: ReadonlyMap<LogKey, ModelLog> } {
  const name = NAMES[asked.log] ?? logName(0);
  const held = logs.get(name.log);
  const writes: LogWrite[] = held ? [] : [{ type: 'create', ...name }];
  writes.push(...writesTo(held ?? new ModelLog(name), name, asked));
  return { writes, logs: writes.reduce(modelAfter, logs) };
}

function writesTo(model: ModelLog, { log }: LogName, asked: Step): LogWrite[] {
  if (asked.type === 'abort') return abort(model, log, asked.part);
  return [writeOf(model, log, asked)];
}

/** A marker, and what it ends: offset `first` and more of it. */
function abort({ start, end }: ModelLog, log: LogKey, part: number): LogWrite[] {
  const firstOffset = start + Math.floor(part * (end - start));
  // Nothing was written that it could end.
  if (firstOffset === end) return [append({ log, baseOffset: end })];
  const transaction = { producerId: 7, firstOffset, lastOffset: end, lastStableOffset: end + 1 };
  return [
    append({ log, baseOffset: end }),
    { type: 'aborted', log, fromOffset: end, transactions: [transaction] },
  ];
}

function writeOf(model: ModelLog, log: LogKey, asked: Exclude<Step, { type: 'abort' }>): LogWrite {
  const { start, end } = model;
  switch (asked.type) {
    case 'mark': {
      const fromOffset = start + Math.round(asked.part * (end - start));
      const known = model.aborted.filter(({ lastOffset }) => lastOffset >= fromOffset);
      const transactions = known.map((transaction) => ({ ...transaction, producerId: asked.producerId }));
      return { type: 'aborted', log, fromOffset, transactions };
    }
    case 'append': {
      const { records, timestamp, valueBytes } = asked;
      return append({ log, baseOffset: end + asked.gap, records, timestamp, valueBytes });
    }
    case 'truncate':
      return { type: 'truncate', log, toOffset: start + Math.round(asked.part * (end - start)) };
    case 'trim':
      return { type: 'trim', log, beforeOffset: start + Math.round(asked.part * (end - start)) };
    case 'put':
      return { type: 'put', log, name: VALUE, value: Uint8Array.of(asked.value) };
    case 'delete':
      return { type: 'delete', log, name: VALUE };
    case 'roll':
    case 'drop':
      return { type: asked.type, log };
  }
}
