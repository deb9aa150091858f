import { afterAll, describe, expect, test } from 'vitest';
import { SqliteLogStore } from '../../src/hosts/durable-object/sqlite-log-store.ts';
import { VirtualClock } from '../../src/hosts/node/virtual-clock.ts';
import { append, logName, offsetsOf } from '../storage/batches.ts';
import { Databases } from './node-home.ts';
import { NodeSqlite } from './node-sqlite.ts';

const { log } = logName(1);
const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };
const databases = new Databases();
afterAll(() => databases.remove());

async function lingering({ maxBytes = 1024 * 1024, onWrite = () => {} } = {}) {
  const clock = new VirtualClock(1_000_000);
  const database = new NodeSqlite(databases.path());
  const store = new SqliteLogStore(database, { linger: { clock, ms: 5, maxBytes }, onWrite });
  await store.commit([{ type: 'create', ...logName(1) }]);
  await store.open(log);
  await clock.advance(100);
  const done: number[] = [];
  const put = (baseOffset: number) => {
    const promise = store.commit([append({ log, baseOffset })]).then(() => done.push(baseOffset));
    promise.catch(() => {});
    return promise;
  };
  const rows = () => database.sql.exec<{ base: number }>('SELECT base FROM batches_1').toArray();
  return { clock, database, store, put, done, rows: () => rows().map(({ base }) => base) };
}

describe('appends that come close together share a row', () => {
  test('one alone is written at once', async () => {
    const { put, rows, clock } = await lingering();
    await put(0);
    expect(rows()).toEqual([0]);
    await clock.advance(6);
    await put(1);
    expect(rows()).toEqual([0, 1]);
  });

  test('of one who waits for each answer, ever fewer are kept waiting', async () => {
    const { put, clock, done } = await lingering();
    const waited: number[] = [];
    for (let offset = 0; offset < 600; offset++) {
      void put(offset);
      await clock.advance(2);
      if (done.at(-1) === offset) continue;
      waited.push(offset);
      await clock.advance(3);
    }
    expect(done).toHaveLength(600);
    expect(waited).toEqual([1, 3, 7, 15, 31, 63, 127, 255, 384, 513]);
  });

  test('those behind it wait for each other; none is acknowledged before it is written', async () => {
    const { put, rows, clock, done, store } = await lingering();
    const all = [0, 1, 2, 3].map(put);
    await all[0];
    expect([rows(), done]).toEqual([[0], [0]]);
    const read = offsetsOf(store.read(log, ALL) as Uint8Array);
    expect(read.map(([baseOffset]) => baseOffset)).toEqual([0, 1, 2, 3]);
    await clock.advance(5);
    await Promise.all(all);
    expect([rows(), done]).toEqual([
      [0, 1],
      [0, 1, 2, 3],
    ]);
  });

  test('while many come, each waits; once they come alone again, none does', async () => {
    const { put, rows, clock } = await lingering();
    const [first, ...more] = [0, 1, 2].map(put);
    await first;
    await clock.advance(5);
    await Promise.all(more);
    const next = put(3);
    expect(rows()).toEqual([0, 1]);
    await clock.advance(5);
    await next;
    expect(rows()).toEqual([0, 1, 3]);
    await clock.advance(2);
    await put(4);
    expect(rows()).toEqual([0, 1, 3, 4]);
  });

  test('of many, the next write has as many: it waits until they stop, at most twice as long', async () => {
    const { put, rows, clock } = await lingering();
    let offset = 0;
    const some = (count: number) => {
      for (let each = 0; each < count; each++) void put(offset++);
    };
    some(9);
    await clock.advance(5);
    expect(rows()).toEqual([0, 1]);
    some(5);
    await clock.advance(1);
    some(5);
    await clock.advance(2);
    expect(rows()).toEqual([0, 1]);
    await clock.advance(1);
    expect(rows()).toEqual([0, 1, 9]);
    for (let ms = 0; ms < 10; ms++) {
      some(1);
      await clock.advance(1);
    }
    expect(rows()).toEqual([0, 1, 9, 19]);
  });

  test('so many bytes wait for nobody', async () => {
    const { put, rows } = await lingering({ maxBytes: 1 });
    await Promise.all([0, 1].map(put));
    expect(rows()).toEqual([0, 1]);
  });

  test('what is no append takes those that wait with it', async () => {
    const { put, rows, store } = await lingering();
    const all = [0, 1, 2].map(put);
    await store.commit([{ type: 'put', log, name: 'x', value: new Uint8Array(1) }]);
    await Promise.all(all);
    expect(rows()).toEqual([0, 1]);
  });

  test('closing writes what waits', async () => {
    const { put, rows, store } = await lingering();
    const all = [0, 1, 2].map(put);
    await store.close();
    await Promise.all(all);
    expect(rows()).toEqual([0, 1]);
  });

  test('what cannot be written is told to all of them, and is gone', async () => {
    let isFenced = false;
    const { put, rows, clock, store, done } = await lingering({
      onWrite: () => {
        if (isFenced) throw new Error('fenced');
      },
    });
    const all = [0, 1, 2].map(put);
    await all[0];
    isFenced = true;
    await clock.advance(5);
    const results = await Promise.allSettled(all);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect([rows(), done]).toEqual([[0], [0]]);
    isFenced = false;
    expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 1 });
  });
});
