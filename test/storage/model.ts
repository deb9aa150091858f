import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogStore, LogWrite } from '../../src/ports/log-store.ts';
import { append, logName, offsetsOf } from './batches.ts';
import type { StoreHome } from './contract.ts';

/** What a caller asks for; offsets are made from the model's state so that every sequence is a legal one. */
type Step =
  | { type: 'append'; log: number; records: number; gap: number; timestamp: number; valueBytes: number }
  | { type: 'roll'; log: number }
  | { type: 'truncate'; log: number; part: number }
  | { type: 'trim'; log: number; part: number }
  | { type: 'put'; log: number; value: number }
  | { type: 'delete'; log: number }
  | { type: 'drop'; log: number }
  | { type: 'settle' }
  | { type: 'reopen' };

const logNumber = fc.integer({ min: 0, max: 1 });
const part = fc.double({ min: 0, max: 1, noNaN: true });
const appending = fc.record({
  type: fc.constant('append' as const),
  log: logNumber,
  records: fc.integer({ min: 1, max: 4 }),
  gap: fc.constantFrom(0, 0, 0, 3),
  timestamp: fc.integer({ min: 0, max: 50 }),
  valueBytes: fc.constantFrom(1, 100, 3000),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: appending },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('roll' as const), log: logNumber }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('truncate' as const), log: logNumber, part }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('trim' as const), log: logNumber, part }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('put' as const), log: logNumber, value: fc.nat(255) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), log: logNumber }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('drop' as const), log: logNumber }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen' as const) }) },
);

interface Batch {
  baseOffset: number;
  lastOffset: number;
  timestamp: number;
}

/** A log as simply as it can be said. */
class ModelLog {
  batches: Batch[] = [];
  start = 0;
  end = 0;
  value: number | undefined;

  /** The writes for `step`, which are done here at once. */
  do(asked: Exclude<Step, { type: 'settle' | 'reopen' | 'drop' }>, log: string): LogWrite[] {
    switch (asked.type) {
      case 'append': {
        const { records, timestamp, valueBytes } = asked;
        const baseOffset = this.end + asked.gap;
        this.end = baseOffset + records;
        this.batches.push({ baseOffset, lastOffset: this.end - 1, timestamp });
        return [append({ log, baseOffset, records, timestamp, valueBytes })];
      }
      case 'roll':
        return [{ type: 'roll', log }];
      case 'truncate': {
        const toOffset = this.start + Math.round(asked.part * (this.end - this.start));
        this.batches = this.batches.filter(({ lastOffset }) => lastOffset < toOffset);
        this.end = Math.max(this.start, (this.batches.at(-1)?.lastOffset ?? -1) + 1);
        return [{ type: 'truncate', log, toOffset }];
      }
      case 'trim': {
        this.start += Math.round(asked.part * (this.end - this.start));
        return [{ type: 'trim', log, beforeOffset: this.start }];
      }
      case 'put':
        this.value = asked.value;
        return [{ type: 'put', log, name: 'quorum-state', value: Uint8Array.of(asked.value) }];
      case 'delete':
        this.value = undefined;
        return [{ type: 'delete', log, name: 'quorum-state' }];
    }
  }
}

/** Scripts that once found a fault. */
const FOUND: Step[][] = [
  // The first drop forgot the log start of the second log of that key.
  [
    { type: 'drop', log: 1 },
    { type: 'append', log: 1, records: 1, gap: 0, timestamp: 0, valueBytes: 1 },
    { type: 'trim', log: 1, part: 0.5 },
    { type: 'reopen' },
  ],
];

/** Random writes, settled and reopened in between: the store says what the model says. */
export function storageModel(name: string, makeHome: () => Promise<StoreHome>, numRuns = 100): void {
  describe(`${name}: model`, () => {
    test('does what a simple model does', async () => {
      expect.hasAssertions();
      const steps = fc.array(step, { minLength: 1, maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(steps, async (asked) => play(asked, await makeHome())),
        { numRuns, examples: FOUND.map((steps) => [steps]) },
      );
    });
  });
}

async function play(steps: readonly Step[], home: StoreHome): Promise<void> {
  const logs = new Map<string, ModelLog>();
  const names = [logName(0), logName(1)];
  let waiting: Promise<void>[] = [];
  let store = await home.open();
  try {
    for (const asked of steps) {
      if (asked.type === 'settle' || asked.type === 'reopen') {
        await Promise.all(waiting);
        waiting = [];
        if (asked.type === 'reopen' && home.keeps) {
          await store.close();
          store = await home.open();
        }
        await check(store, logs);
        continue;
      }
      const name = names[asked.log] ?? logName(0);
      const writes: LogWrite[] = [];
      const model = logs.get(name.log) ?? new ModelLog();
      if (!logs.has(name.log)) writes.push({ type: 'create', ...name });
      logs.set(name.log, model);
      if (asked.type === 'drop') {
        writes.push({ type: 'drop', log: name.log });
        logs.delete(name.log);
      } else {
        writes.push(...model.do(asked, name.log));
      }
      waiting.push(store.commit(writes));
    }
    // Before all is settled, and after.
    for (const log of logs.keys()) await checkReads(store, log, logs.get(log) ?? new ModelLog());
    await Promise.all(waiting);
    await check(store, logs);
  } finally {
    await store.close();
  }
}

async function check(store: LogStore, logs: ReadonlyMap<string, ModelLog>): Promise<void> {
  expect(new Set(store.logs().map(({ log }) => log))).toEqual(new Set(logs.keys()));
  for (const [log, model] of logs) {
    expect(await store.open(log)).toEqual({ logStartOffset: model.start, logEndOffset: model.end });
    await checkReads(store, log, model);
    const value = await store.get(log, 'quorum-state');
    expect(value && [...value]).toEqual(model.value === undefined ? undefined : [model.value]);
    const segments = store.segments(log);
    expect(segments.at(-1)?.nextOffset).toBe(model.end);
    for (const [number, { baseOffset, nextOffset, maxTimestamp }] of segments.entries()) {
      if (number > 0) expect(baseOffset).toBe(segments[number - 1]?.nextOffset);
      const held = model.batches.filter(
        (batch) => batch.baseOffset >= baseOffset && batch.lastOffset < nextOffset,
      );
      expect(maxTimestamp).toBe(Math.max(-1, ...held.map(({ timestamp }) => timestamp)));
    }
  }
}

async function checkReads(store: LogStore, log: string, model: ModelLog): Promise<void> {
  const visible = model.batches.filter(({ lastOffset }) => lastOffset >= model.start);
  const expected = visible.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset]);
  for (const maxBytes of [1, 1000, 1e6]) {
    const found: [number, number][] = [];
    for (let fromOffset = model.start; ;) {
      const offsets = offsetsOf(await store.read(log, { fromOffset, endOffset: Infinity, maxBytes }));
      const last = offsets.at(-1);
      if (!last) break;
      found.push(...offsets);
      fromOffset = last[1] + 1;
    }
    expect(found).toEqual(expected);
  }
  for (const timestamp of [0, 25, 50]) {
    const first = visible.find((batch) => batch.timestamp >= timestamp)?.baseOffset;
    expect(await store.batchAt(log, timestamp, model.start)).toBe(first);
  }
}
