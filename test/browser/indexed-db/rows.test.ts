import { describe, expect, test, vi } from 'vitest';
import { IndexedDbLogStore, type IndexedDbStoreOptions } from '../../../src/hosts/browser/store.ts';
import type { LogWrite } from '../../../src/ports/log-store.ts';
import { buildBatch } from '../../../src/records/builder.ts';
import { append, appends, isTrue, kernels, logName, offsetsOf } from '../../storage/batches.ts';
import { backEnd, newName, profileFiles } from './home.ts';
import { change, storedRows } from './raw.ts';
import { isRead, onCommit, onRequest, onTransaction } from './spy.ts';

const KIBIBYTE = 1024;
const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };
const { log } = logName(1);
const create: LogWrite = { type: 'create', ...logName(1) };
const roll: LogWrite = { type: 'roll', log };

async function open({
  warnings = [],
  ...given
}: Partial<IndexedDbStoreOptions> & { warnings?: string[] } = {}) {
  const onWarning = (message: string) => warnings.push(message);
  const options = { name: newName(), durability: 'relaxed' as const, tailBytes: 0, onWarning, ...given };
  return { name: options.name, store: await IndexedDbLogStore.open(options) };
}

/** A batch that does not get smaller when it is compressed, as Chromium does. */
function noise(baseOffset: number, valueBytes: number): LogWrite {
  const value = crypto.getRandomValues(new Uint8Array(Math.min(valueBytes, 65_536)));
  const records = [
    { timestamp: 1000, value },
    { timestamp: 1000, value: value.slice(0, valueBytes - value.length) },
  ];
  const bytes = buildBatch(kernels, { records, baseOffset: 2 * baseOffset });
  const lastOffset = 2 * baseOffset + 1;
  return { type: 'append', log, baseOffset: 2 * baseOffset, lastOffset, maxTimestamp: 1000, epoch: 0, bytes };
}

describe('rows', () => {
  test('one a batch group, at [log, baseOffset], of 60 KiB at most', async () => {
    const { name, store } = await open();
    await store.commit([create, ...appends(log, 0, 200, 1000)]);
    const rows = await storedRows(name);
    expect(rows.map(({ key }) => key)).toEqual(rows.map(({ bytes }) => [log, offsetsOf(bytes)[0]?.[0]]));
    expect(rows).toHaveLength(4);
    for (const { bytes } of rows) {
      expect(bytes.length).toBeLessThanOrEqual(60 * KIBIBYTE);
      expect(isTrue(bytes)).toBe(true);
    }
    expect(rows.flatMap(({ bytes }) => offsetsOf(bytes))).toHaveLength(200);
    await store.close();
  });

  test('a batch beyond 60 KiB is a row by itself', async () => {
    const { name, store } = await open();
    const large = append({ log, baseOffset: 1, valueBytes: 300 * KIBIBYTE });
    await store.commit([create, ...appends(log, 0, 1), large, ...appends(log, 2, 4)]);
    const rows = await storedRows(name);
    expect(rows.map(({ bytes }) => offsetsOf(bytes).map(([base]) => base))).toEqual([[0], [1], [2, 3]]);
    expect(await store.read(log, { ...ALL, fromOffset: 1, maxBytes: 1 })).toEqual(large.bytes);
    await store.close();
  });

  test('a row stores its own bytes, not the buffer they are a view of', async () => {
    const { name, store } = await open();
    const { bytes, ...rest } = append({ log, baseOffset: 0, valueBytes: 1000 });
    const message = new Uint8Array(KIBIBYTE * KIBIBYTE);
    message.set(bytes, 5000);
    const view = message.subarray(5000, 5000 + bytes.length);
    const value = message.subarray(0, 10);
    await store.commit([create, { ...rest, bytes: view }, { type: 'put', log, name: 'v', value }]);
    const [row] = await storedRows(name);
    expect(row?.bytes.buffer.byteLength).toBe(bytes.length);
    expect((await store.get(log, 'v'))?.buffer.byteLength).toBe(10);
    await store.close();
  });

  test('none becomes a file of its own where LevelDB makes one of a value beyond 64 KiB', async () => {
    const blobs = async () =>
      (await profileFiles()).filter((path) => path.includes('.indexeddb.blob/')).length;
    const { store } = await open();
    const before = await blobs();
    await store.commit([create, ...Array.from({ length: 300 }, (_, offset) => noise(offset, 1000))]);
    expect(await blobs()).toBe(before);
    await store.commit([noise(300, 65 * KIBIBYTE)]);
    expect(await blobs()).toBe(before + (backEnd === 'leveldb' ? 1 : 0));
    await store.close();
  });

  test('are added once: a truncation that cuts one writes another in its place', async () => {
    const { name, store } = await open();
    await store.commit([create, ...appends(log, 0, 10)]);
    const methods: string[] = [];
    onRequest(({ method }) => methods.push(method));
    await store.commit([{ type: 'truncate', log, toOffset: 4 }, ...appends(log, 4, 6)]);
    expect(methods.filter((method) => method === 'put')).toEqual([]);
    vi.restoreAllMocks();
    const rows = await storedRows(name);
    expect(rows.map(({ bytes }) => offsetsOf(bytes).map(([base]) => base))).toEqual([
      [0, 1, 2, 3],
      [4, 5],
    ]);
    await store.close();
  });
});

describe('transactions', () => {
  test('those that write never read, and commit in the turn they begin in', async () => {
    const open = new Set<IDBTransaction>();
    const faults: string[] = [];
    let written = 0;
    onRequest(({ method, transaction }) => {
      if (transaction.mode !== 'readwrite') return;
      if (isRead(method)) faults.push(`${method} in a transaction that writes`);
      if (open.has(transaction)) return;
      open.add(transaction);
      queueMicrotask(() => open.has(transaction) && faults.push('not committed at once'));
    });
    onCommit({ before: (transaction) => (written += open.delete(transaction) ? 1 : 0) });
    const store = await IndexedDbLogStore.open({ name: newName(), durability: 'relaxed', tailBytes: 0 });
    await store.commit([create, ...appends(log, 0, 20, 1000)]);
    await store.commit([{ type: 'truncate', log, toOffset: 7 }, ...appends(log, 7, 30)]);
    await store.commit([
      { type: 'roll', log },
      { type: 'put', log, name: 'v', value: Uint8Array.of(1) },
    ]);
    await store.commit([
      { type: 'trim', log, beforeOffset: 30 },
      { type: 'delete', log, name: 'v' },
    ]);
    await store.commit([{ type: 'drop', log }]);
    expect(faults).toEqual([]);
    expect(written).toBe(5);
    await store.close();
  });

  test('what waits goes in one, and its callers share a promise', async () => {
    const { store } = await open();
    await store.commit([create]);
    let begun = 0;
    onTransaction((mode) => (begun += mode === 'readwrite' ? 1 : 0));
    const commits = Array.from({ length: 100 }, (_, offset) =>
      store.commit(appends(log, offset, offset + 1)),
    );
    expect(new Set(commits).size).toBe(1);
    await Promise.all(commits);
    expect(begun).toBe(1);
    await store.close();
  });

  test('one takes no more than half a megabyte, or one commit', async () => {
    const { store } = await open();
    await store.commit([create]);
    let begun = 0;
    onTransaction((mode) => (begun += mode === 'readwrite' ? 1 : 0));
    const commits = Array.from({ length: 16 }, (_, offset) =>
      store.commit([append({ log, baseOffset: offset, valueBytes: 100_000 })]),
    );
    await Promise.all(commits);
    expect(begun).toBe(3);
    await store.commit(appends(log, 16, 30, 100_000));
    expect(begun).toBe(4);
    await store.close();
  });
});

describe('opening', () => {
  /** A log of more than one page of the index, in small rows. */
  async function filled() {
    const { name, store } = await open();
    await store.commit([create]);
    for (let offset = 0; offset < 600; offset++) {
      const timestamp = 1000 + ((offset * 7) % 600);
      await store.commit([append({ log, baseOffset: offset, timestamp, valueBytes: 20 })]);
    }
    const segments = store.segments(log);
    await store.close();
    return { name, segments };
  }

  /** Rows whose bytes were read while `work` ran. */
  async function rowsRead(work: () => Promise<unknown>): Promise<number> {
    const reads = vi.spyOn(IDBObjectStore.prototype, 'getAll');
    await work();
    const results = reads.mock.results.map(({ value }) => (value as IDBRequest<unknown[]>).result);
    vi.restoreAllMocks();
    return results.flat().filter((value) => value instanceof Uint8Array).length;
  }

  test('reads the bytes of few rows, however many there are', async () => {
    const { name, segments } = await filled();
    const { store } = await open({ name });
    const read = await rowsRead(async () =>
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 600 }),
    );
    expect(read).toBeLessThanOrEqual(257);
    expect(store.segments(log)).toEqual(segments);
    expect(await store.batchAt(log, 1599, 0)).toBe((await findFirst(store, 1599))?.[0]);
    await store.close();
  });

  async function findFirst(store: IndexedDbLogStore, timestamp: number) {
    for (let offset = 0; offset < 600; offset++)
      if (1000 + ((offset * 7) % 600) >= timestamp)
        return offsetsOf(await store.read(log, { ...ALL, fromOffset: offset, maxBytes: 1 }))[0];
    return undefined;
  }

  test.each<[string, (index: IDBObjectStore) => void]>([
    ['lost', (index) => index.clear()],
    ['without its first page', (index) => index.delete([log, 0])],
    ['cut', (index) => index.put(new Float64Array(7), [log, 0])],
    ['of other rows', (index) => index.put(Float64Array.of(-1, 0, 5, 90, 1, 1), [log, 0])],
  ])('an index that is %s is made anew', async (_, damage) => {
    const { name, segments } = await filled();
    await change(name, 'index', damage);
    const warnings: string[] = [];
    let { store } = await open({ name, warnings });
    expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 600 });
    expect(store.segments(log)).toEqual(segments);
    expect(offsetsOf(await store.read(log, ALL))).toHaveLength(600);
    await store.commit(appends(log, 600, 601));
    await store.commit(appends(log, 601, 602));
    await store.close();
    ({ store } = await open({ name, warnings }));
    warnings.length = 0;
    const read = await rowsRead(() => store.open(log));
    expect(warnings).toEqual([]);
    expect(read).toBeLessThanOrEqual(257);
    await store.close();
  });

  test('an index that speaks of a row that is gone: the read says so, and opening again heals it', async () => {
    const { name } = await filled();
    await change(name, 'batches', (batches) => batches.delete([log, 100]));
    const { store } = await open({ name });
    await store.open(log);
    await expect(async () => store.read(log, { ...ALL, fromOffset: 100, maxBytes: 1 })).rejects.toThrow(
      'topic1-0 is not what its index says, at offset 100',
    );
    await expect(store.commit(appends(log, 600, 601))).rejects.toThrow('index');
    expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 600 });
    const next = await store.read(log, { ...ALL, fromOffset: 100, maxBytes: 1 });
    expect(offsetsOf(next)).toEqual([[101, 101]]);
    await store.close();
  });

  test('what is appended where a gap was cut is in a page, too', async () => {
    const pageSize = { rows: 2, bytes: 1_000_000 };
    const { name, store } = await open({ pageSize });
    await store.commit([create]);
    for (const offset of [3, 4, 5]) await store.commit(appends(log, offset, offset + 1));
    await store.commit([{ type: 'truncate', log, toOffset: 0 }]);
    for (let offset = 0; offset < 6; offset++) await store.commit(appends(log, offset, offset + 1));
    await store.close();
    const warnings: string[] = [];
    const again = await open({ name, pageSize, warnings });
    expect(await again.store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 6 });
    expect(offsetsOf(await again.store.read(log, ALL))).toHaveLength(6);
    expect(warnings).toEqual([]);
    await again.store.close();
  });

  test('a page is not written before the cut of an earlier moment is', async () => {
    const pageSize = { rows: 2, bytes: 1000 };
    const { name, store } = await open({ pageSize });
    const rows = [0, 1, 2, 3].flatMap((offset) => [...appends(log, offset, offset + 1), roll]);
    await store.commit([create, ...rows]);
    await store.commit(appends(log, 4, 5));
    const large = store.commit([append({ log, baseOffset: 5, valueBytes: 600_000 })]);
    await Promise.all([large, store.commit([{ type: 'truncate', log, toOffset: 3 }])]);
    for (let offset = 3; offset < 10; offset++) await store.commit(appends(log, offset, offset + 1));
    await store.close();
    const warnings: string[] = [];
    const again = await open({ name, pageSize, warnings });
    expect(await again.store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 10 });
    expect(warnings).toEqual([]);
    await again.store.close();
  });

  test('segments are where they were, rolled, trimmed and cut', async () => {
    const changes: LogWrite[][] = [
      [create, ...[0, 10, 20, 30].flatMap((offset) => [...appends(log, offset, offset + 10), roll])],
      [{ type: 'trim', log, beforeOffset: 12 }],
      [{ type: 'truncate', log, toOffset: 25 }],
    ];
    const name = newName();
    for (const writes of changes) {
      let { store } = await open({ name });
      for (const held of store.logs()) await store.open(held.log);
      await store.commit(writes);
      const expected = store.segments(log);
      await store.close();
      ({ store } = await open({ name }));
      await store.open(log);
      expect(store.segments(log)).toEqual(expected);
      await store.close();
    }
  });

  test('a row that is damaged is named', async () => {
    const { name, store } = await open();
    await store.commit([create, ...appends(log, 0, 3)]);
    await store.close();
    await change(name, 'batches', (batches) => batches.put(new Uint8Array(70), [log, 0]));
    const again = await open({ name });
    await expect(again.store.open(log)).rejects.toThrow(`log ${log} is damaged: its row at offset 0`);
    await again.store.close();
  });
});
