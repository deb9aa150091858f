import { afterEach, describe, expect, test as testAnywhere } from 'vitest';
import type { LogStore, LogWrite } from '../../src/ports/log-store.ts';
import { abortedCases } from './aborted-cases.ts';
import { append, appends, isTrue, logName, offsetsOf } from './batches.ts';
import { replacementCases } from './replacement-contract.ts';

/** A place for stores, one open at a time. */
export interface StoreHome {
  /** Opens the store, with what an earlier one of this home left. */
  open(): Promise<LogStore>;
  /** Whether anything is left when a store of this home is closed. */
  keeps: boolean;
}

/** Runs a test where its stores may be used: some platforms let storage be touched in one place alone. */
export type Within = <T>(body: () => Promise<T>) => Promise<T>;

export const anywhere: Within = (body) => body();

export const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };
const { log } = logName(1);
const create: LogWrite = { type: 'create', ...logName(1) };

/** What the cases of the contract work with. */
export interface Bench {
  name: string;
  /** A new store that holds `writes`, closed when its test ends. */
  fresh: (...writes: LogWrite[]) => Promise<LogStore>;
  test: (name: string, body: () => Promise<void>) => void;
}

/** First and last offsets of what a read of the log returns; all of it unless `range` says less. */
async function offsets(store: LogStore, range: Partial<typeof ALL> = {}) {
  const bytes = await store.read(log, { ...ALL, ...range });
  expect(isTrue(bytes)).toBe(true);
  return offsetsOf(bytes);
}

/** What every `LogStore` does: the definition of the port. */
export function storageContract(
  name: string,
  makeHome: () => Promise<StoreHome>,
  within: Within = anywhere,
): void {
  const opened: LogStore[] = [];
  const register: Bench['test'] = testAnywhere;
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });
  const bench: Bench = {
    name,
    async fresh(...writes) {
      const store = await (await makeHome()).open();
      opened.push(store);
      if (writes.length > 0) await store.commit(writes);
      return store;
    },
    test: (title, body) => register(title, () => within(body)),
  };
  logCases(bench);
  readCases(bench);
  segmentCases(bench);
  replacementCases(bench, offsets);
  truncationCases(bench);
  valueCases(bench);
  timeCases(bench);
  abortedCases(bench);
  commitCases(bench);
}

function logCases({ name, fresh, test }: Bench): void {
  describe(`${name}: logs`, () => {
    test('a new log is empty, open and known', async () => {
      const store = await fresh(create);
      expect(store.logs()).toEqual([logName(1)]);
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 0 });
      expect(await offsets(store)).toEqual([]);
      expect(store.segments(log)).toEqual([
        { baseOffset: 0, nextOffset: 0, sizeBytes: 0, maxTimestamp: -1, firstTimestamp: -1 },
      ]);
    });

    test('creating it again changes nothing', async () => {
      const store = await fresh(create, append({ log, baseOffset: 0 }), create);
      expect(await offsets(store)).toEqual([[0, 0]]);
      expect(store.logs()).toHaveLength(1);
    });

    test('opening one that is not there rejects', async () => {
      const store = await fresh();
      await expect(store.open('nowhere/0')).rejects.toThrow('nowhere/0');
    });

    test('a dropped one is gone, and its name is free at once', async () => {
      const store = await fresh(create, ...appends(log, 0, 3));
      const again = logName(2, 'topic1');
      const other = append({ log: again.log, baseOffset: 0, records: 5 });
      await store.commit([{ type: 'drop', log }, { type: 'create', ...again }, other]);
      expect(store.logs()).toEqual([again]);
      expect(offsetsOf(await store.read(again.log, ALL))).toEqual([[0, 4]]);
      await expect(store.open(log)).rejects.toThrow(log);
    });
  });
}

function readCases({ name, fresh, test }: Bench): void {
  describe(`${name}: reading`, () => {
    test('whole batches from the one that holds the offset', async () => {
      const store = await fresh(
        create,
        append({ log, baseOffset: 0, records: 5 }),
        append({ log, baseOffset: 5, records: 5 }),
        append({ log, baseOffset: 10, records: 5 }),
      );
      expect(await offsets(store, { fromOffset: 7 })).toEqual([
        [5, 9],
        [10, 14],
      ]);
      expect(await offsets(store, { fromOffset: 15 })).toEqual([]);
    });

    test('the next batch when the offset is in a gap', async () => {
      const store = await fresh(create, append({ log, baseOffset: 0 }), append({ log, baseOffset: 10 }));
      expect(await offsets(store, { fromOffset: 4 })).toEqual([[10, 10]]);
    });

    test('no batch that reaches endOffset', async () => {
      const store = await fresh(create, append({ log, baseOffset: 0, records: 5 }), ...appends(log, 5, 8));
      expect(await offsets(store, { endOffset: 4 })).toEqual([]);
      expect(await offsets(store, { endOffset: 5 })).toEqual([[0, 4]]);
      expect(await offsets(store, { endOffset: 7 })).toEqual([
        [0, 4],
        [5, 5],
        [6, 6],
      ]);
    });

    test('as many as fit maxBytes, and one in any case', async () => {
      const store = await fresh(create, ...appends(log, 0, 5, 500));
      const one = append({ log, baseOffset: 0, valueBytes: 500 }).bytes.length;
      expect(await offsets(store, { maxBytes: 0 })).toEqual([[0, 0]]);
      expect(await offsets(store, { fromOffset: 1, maxBytes: 3 * one - 1 })).toEqual([
        [1, 1],
        [2, 2],
      ]);
      expect(await offsets(store, { fromOffset: 1, maxBytes: 3 * one })).toHaveLength(3);
    });

    test('what commit has taken is there before it resolves', async () => {
      const store = await fresh(create);
      const done = store.commit(appends(log, 0, 3));
      expect(await offsets(store)).toHaveLength(3);
      const more = store.commit(appends(log, 3, 5));
      expect(await offsets(store)).toHaveLength(5);
      await Promise.all([done, more]);
      expect(await offsets(store)).toHaveLength(5);
    });

    test('the bytes are those that were appended', async () => {
      const written = append({ log, baseOffset: 0, records: 3 });
      const store = await fresh(create, written);
      expect(await store.read(log, ALL)).toEqual(written.bytes);
    });
  });
}

function segmentCases({ name, fresh, test }: Bench): void {
  describe(`${name}: segments`, () => {
    test('a roll starts one, an empty one is not rolled', async () => {
      const roll: LogWrite = { type: 'roll', log };
      const store = await fresh(
        create,
        roll,
        append({ log, baseOffset: 0, records: 3, timestamp: 7 }),
        append({ log, baseOffset: 3, timestamp: 5 }),
        roll,
        roll,
        append({ log, baseOffset: 4, timestamp: 9 }),
      );
      expect(store.segments(log)).toMatchObject([
        { baseOffset: 0, nextOffset: 4, maxTimestamp: 7, firstTimestamp: 7 },
        { baseOffset: 4, nextOffset: 5, maxTimestamp: 9, firstTimestamp: 9 },
      ]);
      const [first, second] = store.segments(log);
      const all = [...(await offsets(store, { endOffset: 4 })), ...(await offsets(store, { fromOffset: 4 }))];
      expect(all).toHaveLength(3);
      expect(second?.sizeBytes).toBe(append({ log, baseOffset: 4 }).bytes.length);
      expect(first?.sizeBytes).toBeGreaterThan(second?.sizeBytes ?? Infinity);
      expect(await store.sizeBytes(log)).toBe((first?.sizeBytes ?? 0) + (second?.sizeBytes ?? 0));
    });

    test('a trim moves the start and takes whole segments', async () => {
      const roll: LogWrite = { type: 'roll', log };
      const store = await fresh(
        create,
        ...appends(log, 0, 3),
        roll,
        ...appends(log, 3, 6),
        roll,
        ...appends(log, 6, 9),
      );
      await store.commit([{ type: 'trim', log, beforeOffset: 4 }]);
      expect(await store.open(log)).toEqual({ logStartOffset: 4, logEndOffset: 9 });
      expect(store.segments(log).map(({ baseOffset }) => baseOffset)).toEqual([3, 6]);
      expect((await offsets(store, { fromOffset: 4 }))[0]).toEqual([4, 4]);
      await store.commit([{ type: 'trim', log, beforeOffset: 2 }]);
      expect(await store.open(log)).toEqual({ logStartOffset: 4, logEndOffset: 9 });
      await store.commit([{ type: 'trim', log, beforeOffset: 9 }]);
      expect(await store.open(log)).toEqual({ logStartOffset: 9, logEndOffset: 9 });
      await store.commit(appends(log, 9, 11));
      expect(await offsets(store, { fromOffset: 9 })).toHaveLength(2);
    });
  });
}

function truncationCases({ name, fresh, test }: Bench): void {
  describe(`${name}: truncation`, () => {
    const batches = [
      append({ log, baseOffset: 0, records: 5, timestamp: 30 }),
      append({ log, baseOffset: 5, records: 5, timestamp: 20 }),
      { type: 'roll', log } as const,
      append({ log, baseOffset: 10, records: 5, timestamp: 40 }),
    ];

    const cuts = [
      [15, 15],
      [14, 10],
      [10, 10],
      [9, 5],
      [5, 5],
      [4, 0],
      [0, 0],
    ] as const;
    for (const [toOffset, endOffset] of cuts) {
      test(`to ${toOffset} leaves ${endOffset}`, async () => {
        const store = await fresh(create, ...batches);
        await store.commit([{ type: 'truncate', log, toOffset }]);
        expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: endOffset });
        expect(store.segments(log).at(-1)?.nextOffset).toBe(endOffset);
        await store.commit([append({ log, baseOffset: endOffset, records: 2, timestamp: 1 })]);
        const last = (await offsets(store, { fromOffset: endOffset })).at(-1);
        expect(last).toEqual([endOffset, endOffset + 1]);
        const largest = Math.max(...store.segments(log).map(({ maxTimestamp }) => maxTimestamp));
        expect(largest).toBe(endOffset >= 15 ? 40 : endOffset > 0 ? 30 : 1);
      });
    }

    test('appends and reads of the same moment come after it', async () => {
      const store = await fresh(create, ...batches);
      const done = store.commit([
        { type: 'truncate', log, toOffset: 5 },
        append({ log, baseOffset: 5, records: 1 }),
        { type: 'put', log, name: 'leader-epoch-checkpoint', value: Uint8Array.of(1) },
      ]);
      expect(await offsets(store, { fromOffset: 5 })).toEqual([[5, 5]]);
      await done;
      expect(await store.get(log, 'leader-epoch-checkpoint')).toEqual(Uint8Array.of(1));
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 6 });
    });
  });
}

function valueCases({ name, fresh, test }: Bench): void {
  describe(`${name}: values`, () => {
    test('are put, replaced, named and deleted', async () => {
      const store = await fresh(create);
      const put = (value: number): LogWrite => ({
        type: 'put',
        log,
        name: 'quorum-state',
        value: Uint8Array.of(value),
      });
      const done = store.commit([put(1)]);
      expect(await store.get(log, 'quorum-state')).toEqual(Uint8Array.of(1));
      expect(await store.names(log)).toEqual(['quorum-state']);
      await done;
      await store.commit([put(2), put(3)]);
      expect(await store.get(log, 'quorum-state')).toEqual(Uint8Array.of(3));
      await store.commit([...appends(log, 0, 2), { type: 'roll', log }, ...appends(log, 2, 3)]);
      expect(await store.names(log)).toEqual(['quorum-state']);
      await store.commit([
        { type: 'delete', log, name: 'quorum-state' },
        { type: 'delete', log, name: 'absent' },
      ]);
      expect(await store.get(log, 'quorum-state')).toBeUndefined();
      expect(await store.names(log)).toEqual([]);
    });
  });
}

function timeCases({ name, fresh, test }: Bench): void {
  describe(`${name}: batches by time`, () => {
    test('the first at or after an offset that reaches the timestamp', async () => {
      const times = [10, 50, 20, 60, 60, 30];
      const writes = times.flatMap((timestamp, number): LogWrite[] => [
        append({ log, baseOffset: 2 * number, records: 2, timestamp, valueBytes: 2000 }),
        ...(number === 2 ? [{ type: 'roll', log } as const] : []),
      ]);
      const store = await fresh(create, ...writes);
      for (const fromOffset of [0, 1, 2, 3, 4, 6, 8, 10, 12]) {
        for (const timestamp of [0, 10, 11, 50, 51, 60, 61]) {
          const number = times.findIndex((time, index) => time >= timestamp && 2 * index + 1 >= fromOffset);
          expect(await store.batchAt(log, timestamp, fromOffset)).toBe(number < 0 ? undefined : 2 * number);
        }
      }
    });
  });
}

function commitCases({ name, fresh, test }: Bench): void {
  test(`${name}: many commits at once all resolve, in order`, async () => {
    const store = await fresh(create, { type: 'create', ...logName(2) });
    const commits: Promise<void>[] = [];
    for (let offset = 0; offset < 50; offset++) {
      commits.push(
        store.commit([
          append({ log, baseOffset: offset }),
          append({ log: logName(2).log, baseOffset: offset }),
        ]),
      );
    }
    await Promise.all(commits);
    expect(await offsets(store)).toEqual(Array.from({ length: 50 }, (_, offset) => [offset, offset]));
  });
}
