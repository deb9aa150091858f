import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB, unwrap } from 'idb';
import type { LogKey, Offset } from '../../model/ids.ts';
import type { LogName } from '../../ports/log-store.ts';

/** What is kept of a log beside its batches; replaced whole. */
export interface LogRecord extends LogName {
  logStartOffset: Offset;
  /** Where its segments begin, ascending, never empty. */
  segmentBases: readonly Offset[];
}

interface Schema extends DBSchema {
  logs: { key: LogKey; value: LogRecord };
  /** Rows of batches: added, never updated. */
  batches: { key: [LogKey, Offset]; value: Uint8Array };
  /** What is known of rows, a page for many: a cache, made anew from the rows when it does not fit them. */
  index: { key: [LogKey, Offset]; value: Float64Array };
  /** Named values, and aborted transactions under names of their own, see `abortedOf`. */
  values: { key: [LogKey, string]; value: Uint8Array };
}

export type StoreName = 'logs' | 'batches' | 'index' | 'values';

/** One request of a write transaction. The value is asked for when the request is made. */
export type DatabaseWrite =
  | { type: 'add' | 'put'; store: StoreName; key: IDBValidKey; value: () => unknown }
  | { type: 'delete'; store: StoreName; key: IDBValidKey | IDBKeyRange };

/** What an ack means: `strict` flushed to the disk, `relaxed` handed to the operating system. */
export type Durability = 'strict' | 'relaxed';

/**
 * Why the database did not do what was asked. `full`: the quota of the origin is used up. `foreign`: another owner
 * writes to the same logs. `closed`: another tab upgrades or deletes the database. `cleared`: it was emptied, by the
 * browser or a person. `failed`: all else; see `cause`.
 */
export class DatabaseError extends Error {
  override name = 'DatabaseError';
  readonly reason: 'full' | 'foreign' | 'closed' | 'cleared' | 'failed';

  constructor(reason: DatabaseError['reason'], message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/** The schema is fixed: an upgrade would have to wait for every old tab. Versions live in what is stored. */
const VERSION = 1;
/** Rows smaller than this are read many at a time, larger ones each with a `get`, side by side (2.7 times faster). */
const LARGE_ROW_BYTES = 16 * 1024;

/**
 * One database and the connection to it. Transactions are single-shot: all requests at once, then `commit()`. One that
 * waits for an answer before it asks more can be frozen in between with its tab, and blocks all others.
 */
export class Database {
  readonly name: string;
  readonly #onCleared: (error: DatabaseError) => void;
  #connection: Promise<IDBPDatabase<Schema>> | undefined;
  #wasOpen = false;
  #closed: DatabaseError | undefined;

  /** @param onCleared the connection was lost and made again, and the database is a new, empty one. */
  constructor(name: string, onCleared: (error: DatabaseError) => void) {
    this.name = name;
    this.#onCleared = onCleared;
  }

  /**
   * Does all of `writes` in order, or none of them. Resolves when they are as durable as asked.
   * @throws {DatabaseError} see there; the connection is then given up, the next call makes a new one.
   */
  async write(writes: readonly DatabaseWrite[], durability: Durability): Promise<void> {
    await this.#use(async (connection) => {
      const stores = [...new Set(writes.map(({ store }) => store))];
      const transaction = unwrap(connection).transaction(stores, 'readwrite', { durability });
      const ended = endOf(transaction);
      const failures = makeRequests(transaction, writes);
      const error = await ended;
      // Firefox completes a transaction of which any request but the last failed, once `commit` was called.
      const foreign = failures.find((failure) => isNamed(failure.error, 'ConstraintError'));
      if (foreign) throw this.#foreign(foreign);
      const cause = error ?? failures[0]?.error;
      if (cause) throw cause;
    });
  }

  logs(): Promise<LogRecord[]> {
    return this.#read(['logs'], (transaction) => transaction.objectStore('logs').getAll());
  }

  /**
   * All that `StoredLog.load` needs at once: the record, the pages of the index, the offset of the first row, aborted
   * transactions.
   */
  log(log: LogKey): Promise<[LogRecord | undefined, Float64Array[], [LogKey, Offset][], Uint8Array[]]> {
    const all = rowsOf(log, 0);
    return this.#read(['logs', 'index', 'batches', 'values'], (transaction) =>
      Promise.all([
        transaction.objectStore('logs').get(log),
        transaction.objectStore('index').getAll(all),
        transaction.objectStore('batches').getAllKeys(all, 1),
        transaction.objectStore('values').getAll(abortedOf(log, 0)),
      ]),
    );
  }

  /** Up to `count` rows that begin at or after `fromOffset`, in order. */
  scan(log: LogKey, fromOffset: Offset, count: number): Promise<Uint8Array[]> {
    return this.#read(['batches'], (transaction) =>
      transaction.objectStore('batches').getAll(rowsOf(log, fromOffset), count),
    );
  }

  /** The content of these rows; undefined where there is none. */
  async rows(
    log: LogKey,
    rows: readonly { baseOffset: Offset; sizeBytes: number }[],
  ): Promise<(Uint8Array | undefined)[]> {
    const sizeBytes = rows.reduce((sum, row) => sum + row.sizeBytes, 0);
    if (rows.length < 2 || sizeBytes >= rows.length * LARGE_ROW_BYTES)
      return this.#read(['batches'], (transaction) => {
        const batches = transaction.objectStore('batches');
        return Promise.all(rows.map(({ baseOffset }) => batches.get([log, baseOffset])));
      });
    const range = IDBKeyRange.bound([log, rows[0]?.baseOffset], [log, rows.at(-1)?.baseOffset]);
    const [keys, found] = await this.#read(['batches'], (transaction) => {
      const batches = transaction.objectStore('batches');
      return Promise.all([batches.getAllKeys(range), batches.getAll(range)]);
    });
    const byOffset = new Map(keys.map(([, offset], number) => [offset, found[number]]));
    return rows.map(({ baseOffset }) => byOffset.get(baseOffset));
  }

  value(log: LogKey, name: string): Promise<Uint8Array | undefined> {
    return this.#read(['values'], (transaction) => transaction.objectStore('values').get([log, name]));
  }

  async valueNames(log: LogKey): Promise<string[]> {
    const keys = await this.#read(['values'], (transaction) =>
      transaction.objectStore('values').getAllKeys(namedOf(log)),
    );
    return keys.map(([, name]) => name);
  }

  /** Waits for the transactions under way. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#closed ??= new DatabaseError('closed', `database ${this.name} is closed`);
    this.#connection = undefined;
    (await connection?.catch(() => undefined))?.close();
  }

  /** One read transaction with all requests at once. */
  #read<Name extends StoreName, Result>(
    stores: Name[],
    ask: (transaction: IDBPTransaction<Schema, Name[]>) => Promise<Result>,
  ): Promise<Result> {
    return this.#use(async (connection) => {
      const transaction = connection.transaction(stores);
      // Heard below, unless asking throws.
      transaction.done.catch(() => {});
      const answer = ask(transaction);
      transaction.commit();
      const [result] = await Promise.all([answer, transaction.done]);
      return result;
    });
  }

  async #use<Result>(work: (connection: IDBPDatabase<Schema>) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw this.#closed;
    const connection = (this.#connection ??= this.#connect());
    try {
      return await work(await connection);
    } catch (error) {
      // It may be dead without saying so: every retry on it would fail.
      if (this.#connection === connection) this.#drop();
      throw this.#closed ?? this.#explained(error);
    }
  }

  async #connect(): Promise<IDBPDatabase<Schema>> {
    let isNew = false;
    const connection = await openDB<Schema>(this.name, VERSION, {
      upgrade: (database) => {
        isNew = true;
        for (const store of ['logs', 'batches', 'index', 'values'] as const)
          database.createObjectStore(store);
      },
      blocking: () => {
        this.#closed = new DatabaseError(
          'closed',
          `database ${this.name} was closed: another tab upgrades or deletes it`,
        );
        this.#drop();
      },
      terminated: () => this.#drop(),
    });
    const wasCleared = isNew && this.#wasOpen;
    this.#wasOpen = true;
    if (!wasCleared) return connection;
    connection.close();
    const error = new DatabaseError('cleared', `database ${this.name} was emptied: its logs are gone`);
    this.#onCleared(error);
    throw error;
  }

  /** Gives the connection up; what is under way on it may still end. */
  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.then(
      (open) => open.close(),
      () => {},
    );
  }

  #foreign({ write, error }: FailedWrite): DatabaseError {
    const key = JSON.stringify(write.key);
    const message = `another owner wrote to database ${this.name}: there is a row at ${key} already`;
    return new DatabaseError('foreign', message, error);
  }

  #explained(error: unknown): DatabaseError {
    if (error instanceof DatabaseError) return error;
    if (isNamed(error, 'QuotaExceededError'))
      return new DatabaseError(
        'full',
        `database ${this.name} is full: the quota of this origin is used up`,
        error,
      );
    if (isNamed(error, 'VersionError'))
      return new DatabaseError(
        'failed',
        `database ${this.name} was written by a newer version of Milena`,
        error,
      );
    return new DatabaseError('failed', `database ${this.name} failed: ${String(error)}`, error);
  }
}

/** Keys of the rows and of the pages of the index that begin at or after `fromOffset` and before `endOffset`. */
export function rowsOf(log: LogKey, fromOffset: Offset, endOffset: Offset = Infinity): IDBKeyRange {
  return IDBKeyRange.bound([log, fromOffset], [log, endOffset], false, true);
}

/** Keys of all values beside a log: an array sorts behind every string. */
export function valuesOf(log: LogKey): IDBKeyRange {
  return IDBKeyRange.bound([log, ''], [log, []], false, true);
}

/** Before every name that a value has: what begins with it is an aborted transaction. */
const ABORTED = '\u0000';

/** Of those that have a name. */
function namedOf(log: LogKey): IDBKeyRange {
  return IDBKeyRange.bound([log, '\u0001'], [log, []], false, true);
}

/** Of the aborted transaction whose marker is at `offset`: keys in the order of markers. */
export function abortedKey(log: LogKey, offset: Offset): [LogKey, string] {
  return [log, ABORTED + String(offset).padStart(16, '0')];
}

/** Keys of the aborted transactions with a marker at or above `fromOffset` and below `endOffset`. */
export function abortedOf(log: LogKey, fromOffset: Offset, endOffset?: Offset): IDBKeyRange {
  const end = endOffset === undefined ? [log, '\u0001'] : abortedKey(log, endOffset);
  return IDBKeyRange.bound(abortedKey(log, fromOffset), end, false, true);
}

interface FailedWrite {
  write: DatabaseWrite;
  error: DOMException | null;
}

/** Asks for all of `writes` at once and commits. @returns those that fail, as they are heard of. */
function makeRequests(transaction: IDBTransaction, writes: readonly DatabaseWrite[]): FailedWrite[] {
  const failures: FailedWrite[] = [];
  try {
    for (const write of writes) {
      const request = makeRequest(transaction.objectStore(write.store), write);
      request.onerror = () => failures.push({ write, error: request.error });
    }
    transaction.commit();
  } catch (error) {
    abort(transaction);
    throw error;
  }
  return failures;
}

function makeRequest(store: IDBObjectStore, write: DatabaseWrite): IDBRequest {
  switch (write.type) {
    case 'add':
      return store.add(write.value(), write.key);
    case 'put':
      return store.put(write.value(), write.key);
    case 'delete':
      return store.delete(write.key);
  }
}

/**
 * Resolves with the reason of an abort, undefined for a transaction that is complete. A full disk is seen here alone;
 * WebKit says why a request failed only there.
 */
function endOf(transaction: IDBTransaction): Promise<DOMException | undefined> {
  return new Promise((resolve) => {
    transaction.oncomplete = () => resolve(undefined);
    transaction.onabort = () =>
      resolve(transaction.error ?? new DOMException('the transaction was aborted', 'AbortError'));
  });
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has ended, or its connection has.
  }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof DOMException && error.name === name;
}
