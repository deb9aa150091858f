import { RowReplacement } from '../../log/row-replacement.ts';
import type { AbortedTransaction } from '../../model/aborted.ts';
import type { LogKey, Millis, Offset, Uuid } from '../../model/ids.ts';
import type {
  LogExtent,
  LogName,
  LogStore,
  LogWrite,
  ReadRange,
  ReplacedRange,
  Replacement,
  Segment,
} from '../../ports/log-store.ts';
import { sizeOfAll } from '../../ports/log-store.ts';
import { Tail } from '../../segments/tail.ts';
import { Blobs } from './blobs.ts';
import { prepareDatabase } from './schema.ts';
import type { SqlDatabase } from './sql.ts';
import { SqliteLog } from './sqlite-log.ts';
import type { StoreParts } from './sqlite-log.ts';

export interface SqliteLogStoreOptions {
  /** Memory for the newest batches of all logs. */
  tailBytes?: number;
}

interface Entry {
  name: LogName;
  number: number;
  /** Undefined until it is opened, and again once a commit to it has failed. */
  log: SqliteLog | undefined;
}

type LogRow = { number: number; log: LogKey; topic: string; topicId: Uuid; partition: number };

const TAIL_BYTES = 1024 * 1024;

/**
 * `LogStore` in a Durable Object's database. A commit has done all its SQL, in one transaction, when it returns:
 * nothing comes between a check and its insert. Its promise resolves before the platform has confirmed the writes, for
 * the output gate holds back whatever the object says until they are, and breaks the object when they fail.
 */
export class SqliteLogStore implements LogStore {
  readonly #parts: StoreParts;
  readonly #entries = new Map<LogKey, Entry>();
  #nextNumber = 1;
  #round: Promise<void> | undefined;
  #isClosed = false;

  /** @throws with a message for people when the database was written by a newer version. */
  constructor(database: SqlDatabase, { tailBytes = TAIL_BYTES }: SqliteLogStoreOptions = {}) {
    prepareDatabase(database);
    this.#parts = { database, blobs: new Blobs(database), tail: new Tail(tailBytes) };
    const names = database.sql.exec<LogRow>(
      'SELECT number, log, topic, topicId, partition FROM logs ORDER BY number',
    );
    for (const { number, ...name } of names) {
      this.#entries.set(name.log, { name, number, log: undefined });
      this.#nextNumber = number + 1;
    }
  }

  logs(): readonly LogName[] {
    return [...this.#entries.values()].map(({ name }) => name);
  }

  async open(log: LogKey): Promise<LogExtent> {
    const entry = this.#entry(log);
    entry.log ??= new SqliteLog(this.#parts, entry.number);
    return entry.log.extent;
  }

  commit(writes: readonly LogWrite[]): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error('the store is closed'));
    /** Entries as they were, of the logs that came or went. */
    const before = new Map<LogKey, Entry | undefined>();
    try {
      this.#parts.database.transactionSync(() => this.#apply(writes, before));
    } catch (error) {
      this.#giveUp(
        writes.map(({ log }) => log),
        before,
      );
      return Promise.reject(error);
    }
    this.#round ??= Promise.resolve().then(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  read(log: LogKey, range: ReadRange): Uint8Array {
    return this.#opened(log).read(range);
  }

  replace(log: LogKey, range: ReplacedRange): Replacement {
    const commit = (work: () => void) => {
      try {
        this.#parts.database.transactionSync(work);
      } catch (error) {
        this.#giveUp([log], new Map());
        throw error;
      }
    };
    return new RowReplacement(range, this.#opened(log).replacedRows(commit));
  }

  segments(log: LogKey): readonly Segment[] {
    return this.#opened(log).segments();
  }

  async sizeBytes(log: LogKey): Promise<number> {
    await this.open(log);
    return sizeOfAll(this.segments(log));
  }

  async batchAt(log: LogKey, timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    return this.#opened(log).batchAt(timestamp, fromOffset);
  }

  aborted(log: LogKey, range: { fromOffset: Offset; endOffset: Offset }): readonly AbortedTransaction[] {
    return this.#opened(log).aborted.overlapping(range.fromOffset, range.endOffset);
  }

  async get(log: LogKey, name: string): Promise<Uint8Array | undefined> {
    return this.#opened(log).values.get(name);
  }

  async names(log: LogKey): Promise<readonly string[]> {
    return this.#opened(log).values.names();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#round;
  }

  #apply(writes: readonly LogWrite[], before: Map<LogKey, Entry | undefined>): void {
    const touched = new Set<SqliteLog>();
    for (const write of writes) {
      if (write.type === 'create' || write.type === 'drop') {
        const entry = this.#entries.get(write.log);
        if (!before.has(write.log)) before.set(write.log, entry);
        if (write.type === 'create') this.#create(nameOf(write));
        else if (entry) touched.delete(this.#drop(entry));
      } else {
        const log = this.#opened(write.log);
        log.apply(write);
        touched.add(log);
      }
    }
    for (const log of touched) log.finishRow();
  }

  #create(name: LogName): void {
    if (this.#entries.has(name.log)) return;
    const number = this.#nextNumber++;
    this.#entries.set(name.log, { name, number, log: SqliteLog.create(this.#parts, number, name) });
  }

  #drop(entry: Entry): SqliteLog {
    const log = entry.log ?? new SqliteLog(this.#parts, entry.number);
    log.drop();
    this.#entries.delete(entry.name.log);
    return log;
  }

  /** The transaction is undone, what is in memory of it is not: its logs are to be opened again. */
  #giveUp(logs: readonly LogKey[], before: ReadonlyMap<LogKey, Entry | undefined>): void {
    for (const log of logs) {
      const entry = before.has(log) ? before.get(log) : this.#entries.get(log);
      this.#entries.get(log)?.log?.forget();
      entry?.log?.forget();
      if (entry) this.#entries.set(log, { ...entry, log: undefined });
      else this.#entries.delete(log);
    }
  }

  #entry(log: LogKey): Entry {
    const entry = this.#entries.get(log);
    if (!entry) throw new Error(`no such log: ${log}`);
    return entry;
  }

  #opened(log: LogKey): SqliteLog {
    const entry = this.#entry(log);
    if (!entry.log) throw new Error(`log ${entry.name.topic}-${entry.name.partition} is not open`);
    return entry.log;
  }
}

function nameOf({ log, topic, topicId, partition }: LogName): LogName {
  return { log, topic, topicId, partition };
}
