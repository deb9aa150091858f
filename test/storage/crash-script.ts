import fc from 'fast-check';
import { at } from '../../src/model/assert.ts';
import type { LogKey } from '../../src/model/ids.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { append, appends, logName } from './batches.ts';
import { type ModelLog, modelAfter } from './model-log.ts';
import { type Replace, replaceOf } from './replacing.ts';
import { type Step, step, writesOf } from './steps.ts';

type Logs = ReadonlyMap<LogKey, ModelLog>;

export interface ScriptCommit {
  /** Writes of one commit, or one replacement. */
  writes: readonly LogWrite[] | readonly [Replace];
  /** Whether the writer waits until it is acknowledged. */
  waits: boolean;
}

/** All a log was, and was on the way, undefined while it is not there. */
export interface History {
  states: (ModelLog | undefined)[];
  /** For each commit that touched the log, by number: the state it leads to. */
  reached: Map<number, number>;
}

/** How a store may look after a kill. */
export interface Wear {
  /** A commit may be half done, in the order of its writes; else each log has all of it or nothing. */
  tears: boolean;
  /** A commit that was acknowledged may be lost all the same, and what lies beside the batches may outlive them. */
  forgets?: boolean;
}

/** What one life of a store is asked for, and what may be found when it is killed. */
export class Script {
  readonly commits: readonly ScriptCommit[];
  readonly histories: ReadonlyMap<LogKey, History>;

  readonly #forgets: boolean;
  readonly #tears: boolean;

  constructor(before: Logs, asked: readonly ScriptCommit[], { tears, forgets = false }: Wear) {
    const commits = forgets ? asked.map(batchesOnly) : asked;
    this.commits = commits;
    this.#forgets = forgets;
    this.#tears = tears;
    const histories = new Map<LogKey, History>();
    for (const [log, model] of before) histories.set(log, { states: [model], reached: new Map() });
    let logs = before;
    for (const [number, { writes }] of commits.entries()) {
      for (const write of writes) {
        const { log } = write;
        const held = logs.get(log);
        logs = modelAfter(logs, write);
        const history: History = histories.get(log) ?? { states: [undefined], reached: new Map() };
        histories.set(log, history);
        const onTheWay = held && write.type !== 'create' && write.type !== 'drop' ? held.during(write) : [];
        // A replacement is many changes wherever it is made.
        if (tears || write.type === 'replace') history.states.push(...onTheWay, logs.get(log));
        if (write.type === 'replace' && forgets) history.states.push(...endsOf(logs.get(log), write));
      }
      for (const log of new Set(writes.map((write) => write.log))) {
        const history = histories.get(log);
        if (!tears) history?.states.push(logs.get(log));
        history?.reached.set(number, history.states.length - 1);
      }
    }
    this.histories = histories;
  }

  /** What may be found of `log` once the commits of these numbers were acknowledged. */
  possible(log: LogKey, acknowledged: readonly number[]): (ModelLog | undefined)[] {
    const history = this.histories.get(log);
    if (!history) return [undefined];
    const reached = acknowledged.map((number) => history.reached.get(number) ?? 0);
    const states = this.#forgets ? history.states : history.states.slice(Math.max(0, ...reached));
    return this.#tears ? states.flatMap((state, number) => knowingLess(state, states, number)) : states;
  }
}

/**
 * Files are not written in one go: aborted transactions may be found as they were sooner, down to when the values were
 * last changed, which waits for them; or as they were later.
 */
function knowingLess(
  state: ModelLog | undefined,
  states: readonly (ModelLog | undefined)[],
  number: number,
): (ModelLog | undefined)[] {
  if (state === undefined) return [state];
  const changedAt = states.findLastIndex((other, at) => at <= number && other?.values !== state.values);
  return states
    .slice(changedAt + 1)
    .flatMap((other) => (other && other.name.log === state.name.log ? state.knowing(other) : []));
}

/** What a replacement made durable, and of what lies behind it any part. */
function endsOf(model: ModelLog | undefined, { toOffset: least }: Replace): ModelLog[] {
  const ends = model?.batches.filter(({ lastOffset }) => lastOffset >= least) ?? [];
  const { log } = model?.name ?? { log: '' };
  return ends.flatMap(({ baseOffset: toOffset }) => model?.after({ type: 'truncate', log, toOffset }) ?? []);
}

function batchesOnly({ writes, waits }: ScriptCommit): ScriptCommit {
  const beside = ['put', 'delete', 'trim', 'aborted'];
  return isReplace(writes)
    ? { writes, waits }
    : { writes: writes.filter(({ type }) => !beside.includes(type)), waits };
}

export function isReplace(writes: ScriptCommit['writes']): writes is readonly [Replace] {
  return writes[0]?.type === 'replace';
}

/** Commits as they are asked for; what they write depends on what the logs hold when they are. */
export interface AskedCommit {
  steps: readonly Step[];
  waits: boolean;
}

/** Commits of one to four changes. */
export function askedCommits(commitsMax: number): fc.Arbitrary<AskedCommit[]> {
  const commit = fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 4, size: 'max' }),
    waits: fc.boolean(),
  });
  return fc.array(commit, { minLength: 1, maxLength: commitsMax, size: 'max' });
}

export function scriptOf(before: Logs, asked: readonly AskedCommit[], wear: Wear): Script {
  let logs = before;
  const commits = asked.map(({ steps, waits }) => {
    const writes = steps.flatMap((one) => {
      const made = writesOf(logs, one);
      logs = made.logs;
      return made.writes;
    });
    return { writes, waits };
  });
  return new Script(before, commits, wear);
}

const { log } = logName(1);
const other = logName(2);
const create: LogWrite = { type: 'create', ...logName(1) };
const roll: LogWrite = { type: 'roll', log };
const put = (value: number): LogWrite => ({ type: 'put', log, name: 'v', value: Uint8Array.of(value) });

const transaction = (firstOffset: number, lastOffset: number) => ({
  producerId: 7,
  firstOffset,
  lastOffset,
  lastStableOffset: lastOffset + 1,
});
const aborted = (firstOffset: number, lastOffset: number): LogWrite[] => [
  append({ log, baseOffset: lastOffset }),
  { type: 'aborted', log, fromOffset: lastOffset, transactions: [transaction(firstOffset, lastOffset)] },
];

/** Small stories of a log, each commit waited for. */
export const STORIES: Readonly<Record<string, readonly LogWrite[][]>> = {
  'appends and rolls': [
    [create],
    appends(log, 0, 6, 60),
    [roll, ...appends(log, 6, 9)],
    [...appends(log, 9, 12), roll],
    appends(log, 12, 13),
  ],
  'trims and values': [
    [create, ...appends(log, 0, 5)],
    [roll, ...appends(log, 5, 10)],
    [put(1)],
    [{ type: 'trim', log, beforeOffset: 7 }],
    [put(2), ...appends(log, 10, 11), put(3)],
    [{ type: 'trim', log, beforeOffset: 11 }, ...appends(log, 11, 13)],
    [{ type: 'delete', log, name: 'v' }],
  ],
  'a divergence over two segments': [
    [create, ...appends(log, 0, 10, 60), roll, ...appends(log, 10, 20, 60)],
    [
      { type: 'truncate', log, toOffset: 5 },
      append({ log, baseOffset: 5, records: 2, timestamp: 7 }),
      put(5),
    ],
  ],
  'a truncation to a start that lies in a batch': [
    [create, ...appends(log, 0, 2), roll, append({ log, baseOffset: 2, records: 4 })],
    [{ type: 'trim', log, beforeOffset: 4 }, roll, ...appends(log, 6, 8)],
    [{ type: 'truncate', log, toOffset: 4 }],
    [append({ log, baseOffset: 4, timestamp: 7 })],
  ],
  'a trim beyond the end': [
    [create, ...appends(log, 0, 3), roll, ...appends(log, 3, 6)],
    [{ type: 'trim', log, beforeOffset: 2 }],
    [{ type: 'trim', log, beforeOffset: 9 }],
    appends(log, 9, 11),
  ],
  'aborted transactions': [
    [create, ...appends(log, 0, 2), ...aborted(0, 2)],
    [...appends(log, 3, 5), roll, ...aborted(3, 5), ...appends(log, 6, 7), ...aborted(1, 7)],
    [put(1), ...appends(log, 8, 9)],
    [{ type: 'truncate', log, toOffset: 7 }, ...aborted(6, 7), roll, ...appends(log, 8, 10)],
    [{ type: 'aborted', log, fromOffset: 3, transactions: [transaction(4, 5), transaction(6, 7)] }],
    [{ type: 'trim', log, beforeOffset: 7 }, ...aborted(8, 10)],
  ],
  'several logs in one commit': [
    [create, { type: 'create', ...other }],
    [...appends(log, 0, 3, 60), ...appends(other.log, 0, 3, 60), put(1)],
    [...appends(log, 3, 5), { type: 'drop', log: other.log }],
    [{ type: 'create', ...other }, ...appends(other.log, 0, 1), ...appends(log, 5, 6)],
  ],
  'a name that goes from one log to another': [
    [create, ...appends(log, 0, 5), { type: 'trim', log, beforeOffset: 4 }],
    [
      { type: 'drop', log },
      { type: 'create', ...other, topic: logName(1).topic },
      append({ log: other.log, baseOffset: 0 }),
    ],
  ],
};

/** So many writes of all kinds, always the same. */
export function longScript(wear: Wear, writes: number): Script {
  const steps = fc.sample(step, { numRuns: writes, seed: 3 });
  const asked: AskedCommit[] = [];
  for (let next = 0; next < steps.length;) {
    const size = 1 + (next % 9);
    asked.push({ steps: steps.slice(next, next + size), waits: at(steps, next).log === 0 });
    next += size;
  }
  return scriptOf(new Map(), asked, wear);
}

/** Segments of batches, some of them replaced; then the log goes on. */
export const replacing: fc.Arbitrary<ScriptCommit[]> = fc
  .record({
    segments: fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), {
      minLength: 2,
      maxLength: 4,
    }),
    first: fc.nat(3),
    count: fc.integer({ min: 1, max: 3 }),
    fates: fc.array(fc.constantFrom('goes' as const, 'shrinks' as const), { minLength: 1, maxLength: 5 }),
    active: fc.nat(2),
  })
  .map(({ segments, first, count, fates, active }) => {
    let end = 0;
    const bases = [0];
    const commits: ScriptCommit[] = [{ writes: [create], waits: true }];
    for (const batches of segments) {
      const writes = batches.map((records): LogWrite => {
        end += records;
        return append({ log, baseOffset: end - records, records, timestamp: end, valueBytes: 60 });
      });
      commits.push({ writes: [...writes, roll], waits: true });
      bases.push(end);
    }
    commits.push({ writes: appends(log, end, end + active), waits: true });
    const from = first % segments.length;
    const to = Math.min(segments.length, from + count);
    const held = commits.flatMap(({ writes }): readonly (LogWrite | Replace)[] => writes);
    const model = held.reduce<Logs>(modelAfter, new Map()).get(log);
    const range = { log, fromOffset: at(bases, from), toOffset: at(bases, to) };
    const replace = replaceOf(range, model?.batches ?? [], fates);
    const behind = appends(log, end + active, end + active + 2, 60);
    return [...commits, { writes: [replace], waits: true }, { writes: [...behind, roll], waits: true }];
  });
