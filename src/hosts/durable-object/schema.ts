import type { SqlDatabase } from './sql.ts';

/**
 * Of the tables below, and of a log's own. Version 1 had no tables of aborted transactions, 2 none of remote segments.
 */
const FORMAT_VERSION = 3;

/** Segments in remote storage: few, each written some four times in its life. */
const REMOTE_TABLE = `CREATE TABLE remote (
  id INTEGER PRIMARY KEY, log INTEGER, base INTEGER, next INTEGER, size INTEGER, footer INTEGER,
  maxTimestamp INTEGER, firstTimestamp INTEGER, digest INTEGER, state INTEGER, since INTEGER, local INTEGER, key TEXT
)`;

/**
 * Written rows are billed one by one, an index entry as one more: keys are integers, and no table has an index beside.
 * `size` is of the whole value, `piece` where the rest of it lies (see `Blobs`).
 */
const TABLES = [
  'CREATE TABLE format (version INTEGER PRIMARY KEY)',
  `CREATE TABLE logs (
    number INTEGER PRIMARY KEY, log TEXT, topic TEXT, topicId TEXT, partition INTEGER, start INTEGER
  )`,
  `CREATE TABLE named (
    id INTEGER PRIMARY KEY, log INTEGER, name TEXT, size INTEGER, piece INTEGER, bytes BLOB
  )`,
  'CREATE TABLE pieces (id INTEGER PRIMARY KEY, bytes BLOB)',
  REMOTE_TABLE,
];

/** The tables of one log, whose key is an integer because no other log is in them. */
export function tablesOf(log: number): { batches: string; segments: string; aborted: string } {
  return { batches: `batches_${log}`, segments: `segments_${log}`, aborted: `aborted_${log}` };
}

/** One row a group commit, batches one behind the other; and one a segment, its sums once it is closed. */
export function createLogTables({ sql }: SqlDatabase, log: number): void {
  const { batches, segments } = tablesOf(log);
  sql.exec(`CREATE TABLE ${batches} (
    base INTEGER PRIMARY KEY, last INTEGER, maxTimestamp INTEGER, firstTimestamp INTEGER,
    size INTEGER, piece INTEGER, bytes BLOB
  )`);
  sql.exec(`CREATE TABLE ${segments} (
    base INTEGER PRIMARY KEY, next INTEGER, size INTEGER, maxTimestamp INTEGER, firstTimestamp INTEGER
  )`);
  createAbortedTable(sql, log);
}

/** Keyed by the offset of the marker. */
function createAbortedTable(sql: SqlDatabase['sql'], log: number): void {
  sql.exec(`CREATE TABLE ${tablesOf(log).aborted} (
    last INTEGER PRIMARY KEY, producer INTEGER, first INTEGER, stable INTEGER
  )`);
}

/** Makes the tables of a new database. @throws when a newer version of Milena has written this one. */
export function prepareDatabase(database: SqlDatabase): void {
  const { sql } = database;
  const made = sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'format'").toArray();
  if (made.length === 0) {
    database.transactionSync(() => {
      for (const table of TABLES) sql.exec(table);
      sql.exec('INSERT INTO format (version) VALUES (?)', FORMAT_VERSION);
    });
    return;
  }
  const [row] = sql.exec<{ version: number }>('SELECT version FROM format').toArray();
  if (row?.version === FORMAT_VERSION) return;
  const from = row?.version;
  if (from === 1 || from === 2) return database.transactionSync(() => upgrade(sql, from));
  throw new Error(
    `this object's database has format ${row?.version}, and this version of Milena knows ${FORMAT_VERSION} alone`,
  );
}

function upgrade(sql: SqlDatabase['sql'], from: 1 | 2): void {
  sql.exec(REMOTE_TABLE);
  const logs = sql.exec<{ number: number }>('SELECT number FROM logs').toArray();
  if (from === 1) for (const { number } of logs) createAbortedTable(sql, number);
  sql.exec('UPDATE format SET version = ?', FORMAT_VERSION);
}
