import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import type { SqlDatabase } from '../../src/hosts/durable-object/sql.ts';
import { SqliteLogStore } from '../../src/hosts/durable-object/sqlite-log-store.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { sqliteSuite } from '../durable-object/suite.ts';
import { append, appends, logName } from '../storage/batches.ts';
import { STOPPED } from './sqlite-home.ts';

const { log } = logName(1);

/** Runs work in one object, in whatever instance of it there is. */
function newObject() {
  const id = env.SHARDS.newUniqueId();
  // A stub does not outlive its instance.
  return <T>(work: (state: DurableObjectState) => T | Promise<T>): Promise<T> =>
    runInDurableObject(env.SHARDS.get(id), (_, state) => work(state));
}

sqliteSuite('SQLite in an object', (body) => newObject()(({ storage }) => body(storage)));

/** What the platform bills for the statements of `work`. */
function billed(storage: DurableObjectStorage) {
  let cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  const database: SqlDatabase = {
    sql: {
      exec<Row extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]) {
        const cursor = storage.sql.exec<Row>(query, ...bindings);
        cursors.push(cursor);
        return cursor;
      },
    },
    transactionSync: (work) => storage.transactionSync(work),
  };
  const rows = async (work: () => unknown) => {
    cursors = [];
    await work();
    const sum = (count: 'rowsRead' | 'rowsWritten') =>
      cursors.reduce((total, cursor) => total + cursor[count], 0);
    return { read: sum('rowsRead'), written: sum('rowsWritten') };
  };
  return { database, rows };
}

test('a commit is billed one row written, however many batches it has and however large they are', () =>
  newObject()(async ({ storage }) => {
    const { database, rows } = billed(storage);
    const store = new SqliteLogStore(database);
    await store.commit([{ type: 'create', ...logName(1) }]);
    const put = (value: number): LogWrite => ({ type: 'put', log, name: 'v', value: Uint8Array.of(value) });
    const written = async (...writes: LogWrite[]) => (await rows(() => store.commit(writes))).written;

    expect(await written(append({ log, baseOffset: 0 }))).toBe(1);
    expect(await written(...appends(log, 1, 100))).toBe(1);
    expect(await written(append({ log, baseOffset: 100, valueBytes: 1_048_000 }))).toBe(1);
    expect(await written(put(1))).toBe(1);
    expect(await written(put(2))).toBe(1);
    expect(await written({ type: 'trim', log, beforeOffset: 50 })).toBe(1);
    expect(await written({ type: 'roll', log })).toBe(2);
    // The start, the segment, and the three rows it had.
    expect(await written({ type: 'trim', log, beforeOffset: 101 })).toBe(5);
  }));

test('a read is billed by the rows it brings, wherever in the log they are', () =>
  newObject()(async ({ storage }) => {
    const { database, rows } = billed(storage);
    const store = new SqliteLogStore(database, { tailBytes: 0 });
    await store.commit([{ type: 'create', ...logName(1) }]);
    for (let offset = 0; offset < 500; offset++) await store.commit([append({ log, baseOffset: offset })]);
    const ends = { endOffset: Infinity, maxBytes: 1 };
    const first = await rows(() => store.read(log, { ...ends, fromOffset: 0 }));
    const late = await rows(() => store.read(log, { ...ends, fromOffset: 480 }));
    expect(first.written + late.written).toBe(0);
    expect(Math.max(first.read, late.read)).toBeLessThan(10);
  }));

describe('what is atomic in an object', () => {
  const insert = ({ storage }: DurableObjectState, id: number) =>
    storage.sql.exec('INSERT INTO facts (id) VALUES (?)', id);

  const ids = ({ storage }: DurableObjectState) =>
    storage.sql
      .exec<{ id: number }>('SELECT id FROM facts')
      .toArray()
      .map((row) => row.id);

  /** What is left in a new instance once `body` has ended as it did. */
  async function leftBy(body: (state: DurableObjectState) => Promise<void>): Promise<number[]> {
    const inObject = newObject();
    await inObject(async ({ storage }) => {
      storage.sql.exec('CREATE TABLE facts (id INTEGER PRIMARY KEY)');
      await storage.sync();
    });
    await expect(inObject(body)).rejects.toThrow(STOPPED);
    return inObject(ids);
  }

  test('what is written in one turn of the event loop, microtasks included', async () => {
    const left = await leftBy(async (state) => {
      insert(state, 1);
      await Promise.resolve();
      insert(state, 2);
      state.abort(STOPPED);
    });
    expect(left).toEqual([]);
  });

  test('not what another turn has confirmed', async () => {
    const left = await leftBy(async (state) => {
      insert(state, 1);
      await state.storage.sync();
      insert(state, 2);
      state.abort(STOPPED);
    });
    expect(left).toEqual([1]);
  });

  test('an answer waits for what was written before it', async () => {
    const inObject = newObject();
    await inObject((state) => {
      state.storage.sql.exec('CREATE TABLE facts (id INTEGER PRIMARY KEY)');
      insert(state, 1);
    });
    await expect(inObject((state) => state.abort(STOPPED))).rejects.toThrow(STOPPED);
    expect(await inObject(ids)).toEqual([1]);
  });

  test('an error that an event ends with undoes nothing', async () => {
    const left = await leftBy(async (state) => {
      insert(state, 1);
      throw new Error(STOPPED);
    });
    expect(left).toEqual([1]);
  });

  test('an error in transactionSync undoes what it wrote', async () => {
    const left = await leftBy(async (state) => {
      insert(state, 1);
      state.storage.transactionSync(() => {
        insert(state, 2);
        throw new Error(STOPPED);
      });
    });
    expect(left).toEqual([1]);
  });
});
