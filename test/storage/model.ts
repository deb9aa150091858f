import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogKey } from '../../src/model/ids.ts';
import type { LogStore } from '../../src/ports/log-store.ts';
import { anywhere } from './contract.ts';
import type { StoreHome } from './contract.ts';
import { logName } from './batches.ts';
import { type ModelLog, modelAfter } from './model-log.ts';
import { replaceIn, replaceOf } from './replacing.ts';
import { checkSegments, offsetsFrom, readLog } from './reading.ts';
import { type Step as Change, step as change, writesOf } from './steps.ts';

type Step =
  | Change
  | { type: 'settle' }
  | { type: 'reopen' }
  | { type: 'replace'; log: number; first: number; count: number; fates: ('goes' | 'shrinks')[] };
type Logs = ReadonlyMap<LogKey, ModelLog>;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 22, arbitrary: change },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('replace' as const),
      log: fc.integer({ min: 0, max: 1 }),
      first: fc.nat(3),
      count: fc.integer({ min: 1, max: 3 }),
      fates: fc.array(fc.constantFrom('goes' as const, 'shrinks' as const), { minLength: 1, maxLength: 4 }),
    }),
  },
);

/** Scripts that once found a fault. */
const FOUND: Step[][] = [
  // The first drop forgot the log start of the second log of that key.
  [
    { type: 'drop', log: 1 },
    { type: 'append', log: 1, records: 1, gap: 0, timestamp: 0, valueBytes: 1 },
    { type: 'trim', log: 1, part: 0.5 },
    { type: 'reopen' },
  ],
  // A log cut to its start, which lay in a batch, began at 0 again.
  [
    { type: 'append', log: 0, records: 4, gap: 0, timestamp: 0, valueBytes: 1 },
    { type: 'trim', log: 0, part: 0.5 },
    { type: 'truncate', log: 0, part: 0 },
    { type: 'reopen' },
    { type: 'append', log: 0, records: 1, gap: 0, timestamp: 0, valueBytes: 1 },
    { type: 'reopen' },
  ],
  // A start beyond the end was not believed by the next life.
  [
    { type: 'append', log: 0, records: 4, gap: 0, timestamp: 0, valueBytes: 1 },
    { type: 'trim', log: 0, part: 2 },
    { type: 'reopen' },
    { type: 'append', log: 0, records: 1, gap: 0, timestamp: 0, valueBytes: 1 },
    { type: 'reopen' },
  ],
];

/** Random writes, settled and reopened in between: the store says what the model says. */
export function storageModel(
  name: string,
  makeHome: () => Promise<StoreHome>,
  numRuns = 100,
  within = anywhere,
): void {
  describe(`${name}: model`, () => {
    test('does what a simple model does', async () => {
      expect.hasAssertions();
      const steps = fc.array(step, { minLength: 1, maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(steps, (asked) => within(async () => play(asked, await makeHome()))),
        { numRuns, examples: FOUND.map((steps) => [steps]) },
      );
    });
  });
}

async function play(steps: readonly Step[], home: StoreHome): Promise<void> {
  let logs: Logs = new Map();
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
      if (asked.type === 'replace') {
        await Promise.all(waiting);
        waiting = [];
        logs = await replaced(store, logs, asked);
        continue;
      }
      const { writes, logs: next } = writesOf(logs, asked);
      logs = next;
      waiting.push(store.commit(writes));
    }
    // Before all is settled, and after.
    for (const model of logs.values()) await checkReads(store, model);
    await Promise.all(waiting);
    await check(store, logs);
  } finally {
    await store.close();
  }
}

/** Some closed segments of a log are written anew. */
async function replaced(
  store: LogStore,
  logs: Logs,
  asked: Extract<Step, { type: 'replace' }>,
): Promise<Logs> {
  const { log } = logName(asked.log);
  const model = logs.get(log);
  if (!model) return logs;
  await store.open(log);
  const closed = store.segments(log).slice(0, -1).slice(asked.first);
  const last = closed[Math.min(asked.count, closed.length) - 1];
  if (!closed[0] || !last) return logs;
  const range = { log, fromOffset: closed[0].baseOffset, toOffset: last.nextOffset };
  const replace = replaceOf(range, model.batches, asked.fates);
  expect(await replaceIn(store, replace)).toBe(true);
  return modelAfter(logs, replace);
}

async function check(store: LogStore, logs: Logs): Promise<void> {
  expect(new Set(store.logs().map(({ log }) => log))).toEqual(new Set(logs.keys()));
  for (const [log, model] of logs) {
    expect((await readLog(store, log)).image).toBe(model.image);
    await checkReads(store, model);
    checkSegments(store, model);
  }
}

async function checkReads(store: LogStore, model: ModelLog): Promise<void> {
  const { visible } = model;
  const { log } = model.name;
  const expected = visible.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset]);
  for (const maxBytes of [1, 1000, 1e6]) {
    expect(await offsetsFrom(store, log, model.start, maxBytes)).toEqual(expected);
  }
  for (const timestamp of [0, 25, 50]) {
    const first = visible.find((batch) => batch.timestamp >= timestamp)?.baseOffset;
    expect(await store.batchAt(log, timestamp, model.start)).toBe(first);
  }
}
