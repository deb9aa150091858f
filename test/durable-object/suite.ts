import { describe, expect, test } from 'vitest';
import type { SqlBinding, SqlDatabase, SqlValue } from '../../src/hosts/durable-object/sql.ts';
import { SqliteLogStore } from '../../src/hosts/durable-object/sqlite-log-store.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { append, appends, logName, offsetsOf } from '../storage/batches.ts';

/** Hands `body` an empty database, to be used while it runs. */
export type InDatabase = (body: (database: SqlDatabase) => Promise<void>) => Promise<void>;

const { log } = logName(1);
const other = logName(2);
const create: LogWrite = { type: 'create', ...logName(1) };
const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };
const PLATFORM_ROW_BYTES = 2_000_000;
/** Kafka's max.message.bytes, and the largest batch a client sends unless told otherwise. */
const KAFKA_BATCH_BYTES = 1_048_588;

/** An append of exactly `sizeBytes`. */
function sized(baseOffset: number, sizeBytes: number) {
  let made = append({ log, baseOffset, valueBytes: sizeBytes });
  // Lengths are varints: the first guess may shorten them.
  for (let valueBytes = sizeBytes; made.bytes.length !== sizeBytes;) {
    valueBytes -= made.bytes.length - sizeBytes;
    made = append({ log, baseOffset, valueBytes });
  }
  return made;
}

/** As `toEqual`, which takes seconds for megabytes. */
function expectBytes(found: Uint8Array | undefined, expected: Uint8Array): void {
  expect(found?.length).toBe(expected.length);
  expect(found?.findIndex((byte, at) => byte !== expected[at])).toBe(-1);
}

function rows<Row extends Record<string, SqlValue>>(
  { sql }: SqlDatabase,
  query: string,
  ...bindings: SqlBinding[]
): Row[] {
  return sql.exec<Row>(query, ...bindings).toArray();
}

const batchRows = (database: SqlDatabase) =>
  rows<{ base: number; last: number; length: number }>(
    database,
    'SELECT base, last, length(bytes) AS length FROM batches_1 ORDER BY base',
  );

const pieces = (database: SqlDatabase) => rows(database, 'SELECT id FROM pieces').length;

/** The database, and what is asked of it. */
function listening(database: SqlDatabase): { database: SqlDatabase; queries: string[] } {
  const queries: string[] = [];
  const heard: SqlDatabase = {
    sql: {
      exec(query, ...bindings) {
        queries.push(query);
        return database.sql.exec(query, ...bindings);
      },
    },
    transactionSync: (work) => database.transactionSync(work),
  };
  return { database: heard, queries };
}

/** What is this store's own, wherever its database is. */
export function sqliteSuite(name: string, inDatabase: InDatabase): void {
  const inStore = (body: (store: SqliteLogStore, database: SqlDatabase) => Promise<void>) => () =>
    inDatabase(async (database) => {
      const store = new SqliteLogStore(database);
      await store.commit([create]);
      await body(store, database);
    });
  describe(`${name}: rows`, () => {
    rowCases(inStore);
    contentCases(inStore);
  });
  describe(`${name}: values larger than a row`, () => {
    largeCases(inStore);
  });
  describe(`${name}: the database`, () => {
    databaseCases(inStore, inDatabase);
    failureCases(inStore);
  });
}

type InStore = (body: (store: SqliteLogStore, database: SqlDatabase) => Promise<void>) => () => Promise<void>;

function rowCases(inStore: InStore): void {
  test(
    'the batches of one commit share one, those of another do not',
    inStore(async (store, database) => {
      await store.commit(appends(log, 0, 20));
      await store.commit(appends(log, 20, 23));
      expect(batchRows(database)).toMatchObject([
        { base: 0, last: 19 },
        { base: 20, last: 22 },
      ]);
    }),
  );

  test(
    'are one MiB at most, unless one batch is larger',
    inStore(async (store, database) => {
      const batches = Array.from({ length: 10 }, (_, number) => sized(number, 300_000));
      await store.commit([...batches, sized(10, KAFKA_BATCH_BYTES), sized(11, 100)]);
      const lengths = batchRows(database).map(({ length }) => length);
      expect(lengths).toEqual([900_000, 900_000, 900_000, 300_000, KAFKA_BATCH_BYTES, 100]);
      expect(offsetsOf(await store.read(log, ALL))).toHaveLength(12);
    }),
  );

  test(
    'keep to their segment, and are cut where the log is',
    inStore(async (store, database) => {
      await store.commit([...appends(log, 0, 3), { type: 'roll', log }, ...appends(log, 3, 9)]);
      expect(batchRows(database).map(({ base }) => base)).toEqual([0, 3]);
      await store.commit([{ type: 'truncate', log, toOffset: 6 }]);
      expect(batchRows(database)).toMatchObject([{ last: 2 }, { base: 3, last: 5 }]);
      await store.commit([{ type: 'trim', log, beforeOffset: 4 }]);
      expect(batchRows(database)).toMatchObject([{ base: 3 }]);
      await store.commit([{ type: 'drop', log }]);
      const left = rows(database, "SELECT name FROM sqlite_master WHERE name LIKE '%_1'");
      expect(left).toEqual([]);
    }),
  );
}

function contentCases(inStore: InStore): void {
  test(
    'hold a view without the buffer it is of',
    inStore(async (store, database) => {
      const { bytes, ...rest } = append({ log, baseOffset: 0 });
      const received = new Uint8Array(1024 * 1024);
      received.set(bytes, 5000);
      const view = received.subarray(5000, 5000 + bytes.length);
      await store.commit([{ ...rest, bytes: view }]);
      expect(batchRows(database)).toMatchObject([{ length: bytes.length }]);
      const kept = await store.read(log, ALL);
      expect(kept).toEqual(bytes);
      expect(kept.buffer.byteLength).toBeLessThan(2 * bytes.length);
    }),
  );

  test(
    'have offsets and times up to 2^53, as integers',
    inStore(async (store, database) => {
      const last = Number.MAX_SAFE_INTEGER - 1;
      const timestamp = Number.MAX_SAFE_INTEGER;
      await store.commit([{ type: 'trim', log, beforeOffset: last - 1 }]);
      await store.commit([append({ log, baseOffset: last - 1, timestamp })]);
      await store.commit([append({ log, baseOffset: last, timestamp })]);
      const types = 'SELECT typeof(base) AS base, typeof(maxTimestamp) AS time FROM batches_1';
      expect(rows(database, types)).toEqual(Array(2).fill({ base: 'integer', time: 'integer' }));
      const again = new SqliteLogStore(database);
      expect(await again.open(log)).toEqual({ logStartOffset: last - 1, logEndOffset: last + 1 });
      expect(offsetsOf(await again.read(log, { ...ALL, fromOffset: last }))).toEqual([[last, last]]);
      expect(await again.batchAt(log, timestamp, last)).toBe(last);
    }),
  );
}

function largeCases(inStore: InStore): void {
  const large = () => sized(3, 5_000_000);

  test(
    'a batch is split, and is one batch again when it is read',
    inStore(async (store, database) => {
      await store.commit([...appends(log, 0, 3), large(), ...appends(log, 4, 6)]);
      const held = [
        ...batchRows(database).map(({ length }) => length),
        ...rows<{ length: number }>(database, 'SELECT length(bytes) AS length FROM pieces').map(
          ({ length }) => length,
        ),
      ];
      expect(Math.max(...held)).toBeLessThan(PLATFORM_ROW_BYTES);
      const again = new SqliteLogStore(database);
      await again.open(log);
      expectBytes(await again.read(log, { ...ALL, fromOffset: 3, maxBytes: 1 }), large().bytes);
      expect(offsetsOf(await again.read(log, ALL))).toHaveLength(6);
      expect(await again.batchAt(log, 1000, 3)).toBe(3);
    }),
  );

  test.each([
    ['a truncation', [{ type: 'truncate', log, toOffset: 3 }]],
    [
      'a trim',
      [
        { type: 'roll', log },
        { type: 'trim', log, beforeOffset: 4 },
      ],
    ],
    ['a drop', [{ type: 'drop', log }]],
  ] as const)('%s takes all of it away', (_, writes) =>
    inStore(async (store, database) => {
      await store.commit([...appends(log, 0, 3), large()]);
      expect(pieces(database)).toBe(2);
      await store.commit(writes);
      expect(pieces(database)).toBe(0);
    })(),
  );

  test(
    'a value is put, replaced and deleted',
    inStore(async (store, database) => {
      const value = Uint8Array.from({ length: 4_000_000 }, (_, at) => at % 251);
      const put = (bytes: Uint8Array): LogWrite => ({ type: 'put', log, name: 'snapshot', value: bytes });
      await store.commit([put(value)]);
      expect(pieces(database)).toBe(2);
      const again = new SqliteLogStore(database);
      await again.open(log);
      expectBytes(await again.get(log, 'snapshot'), value);
      await again.commit([put(value.subarray(0, 2_000_000))]);
      expect(pieces(database)).toBe(1);
      expectBytes(await again.get(log, 'snapshot'), value.subarray(0, 2_000_000));
      await again.commit([{ type: 'delete', log, name: 'snapshot' }]);
      expect(pieces(database)).toBe(0);
      expect(rows(database, 'SELECT id FROM named')).toEqual([]);
    }),
  );
}

function databaseCases(inStore: InStore, inDatabase: InDatabase): void {
  test(
    'has no index: each would cost a row a write',
    inStore(async (_, database) => {
      expect(rows(database, "SELECT name FROM sqlite_master WHERE type = 'index'")).toEqual([]);
    }),
  );

  test(
    'is asked by every read, which the tail answers without its batches',
    inStore(async (_, plain) => {
      const { database, queries } = listening(plain);
      const store = new SqliteLogStore(database);
      await store.open(log);
      for (let offset = 0; offset < 5; offset++) await store.commit([sized(offset, 400_000)]);
      const asked = (fromOffset: number) => {
        queries.length = 0;
        const read = store.read(log, { ...ALL, fromOffset, maxBytes: 1 });
        expect(read instanceof Uint8Array && offsetsOf(read)).toHaveLength(1);
        return queries.map((query) => query.includes('batches_'));
      };
      expect(asked(4)).toEqual([false]);
      expect(asked(3)).toEqual([false]);
      expect(asked(0)).toContain(true);
    }),
  );

  test('that a newer version has written is refused', () =>
    inDatabase(async (database) => {
      expect(new SqliteLogStore(database).logs()).toEqual([]);
      database.sql.exec('UPDATE format SET version = 4');
      expect(() => new SqliteLogStore(database)).toThrow('has format 4');
    }));

  test('of a version that knew no aborted transactions goes on, and knows some', () =>
    inDatabase(async (database) => {
      const before = new SqliteLogStore(database);
      await before.commit([create, ...appends(log, 0, 3)]);
      database.sql.exec('DROP TABLE aborted_1');
      database.sql.exec('DROP TABLE remote');
      database.sql.exec('UPDATE format SET version = 1');
      const store = new SqliteLogStore(database);
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 3 });
      const transaction = { producerId: 7, firstOffset: 0, lastOffset: 2, lastStableOffset: 3 };
      await store.commit([{ type: 'aborted', log, fromOffset: 2, transactions: [transaction] }]);
      const again = new SqliteLogStore(database);
      await again.open(log);
      expect(again.aborted(log, { fromOffset: 0, endOffset: 3 })).toEqual([transaction]);
    }));

  test(
    'that holds what are no batches says so',
    inStore(async (store, database) => {
      await store.commit(appends(log, 0, 2));
      database.sql.exec('UPDATE batches_1 SET bytes = ?', new Uint8Array(100));
      const again = new SqliteLogStore(database);
      await again.open(log);
      expect(() => again.read(log, ALL)).toThrow('batches_1 holds no batches where offset 0 must be');
    }),
  );
}

function failureCases(inStore: InStore): void {
  test(
    'takes nothing of a commit that fails, and its logs are to be opened again',
    inStore(async (store, database) => {
      await store.commit([{ type: 'create', ...other }, ...appends(log, 0, 3)]);
      const behind = append({ log, baseOffset: 1 });
      const failing = [
        ...appends(log, 3, 5),
        { type: 'put', log, name: 'v', value: Uint8Array.of(1) },
        { type: 'create', ...logName(3) },
        behind,
      ] satisfies LogWrite[];
      await expect(store.commit(failing)).rejects.toThrow('the end of a log');
      expect(store.logs()).toEqual([logName(1), other]);
      expect(() => store.read(log, ALL)).toThrow('not open');
      await expect(store.commit(appends(log, 5, 6))).rejects.toThrow('not open');
      await store.commit([append({ log: other.log, baseOffset: 0 })]);
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 3 });
      expect(await store.names(log)).toEqual([]);
      expect(batchRows(database)).toMatchObject([{ base: 0, last: 2 }]);
      await store.commit(appends(log, 3, 4));
      expect(offsetsOf(await store.read(log, ALL))).toHaveLength(4);
    }),
  );

  test(
    'takes nothing of a drop or a swap of logs that fails',
    inStore(async (store) => {
      await store.commit(appends(log, 0, 3));
      const swap: LogWrite[] = [{ type: 'drop', log }, create, append({ log, baseOffset: 7 })];
      await expect(store.commit([...swap, { type: 'roll', log: other.log }])).rejects.toThrow(other.log);
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 3 });
      expect(offsetsOf(await store.read(log, ALL))).toHaveLength(3);
    }),
  );
}
