import { RowReplacement } from '../../log/row-replacement.ts';
import type { AbortedTransaction } from '../../model/aborted.ts';
import type { LogKey, Millis, Offset } from '../../model/ids.ts';
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
import { Database, type DatabaseError, type Durability } from './database.ts';
import { type Round, Rounds } from './rounds.ts';
import { PAGE_SIZE, type PageSize } from './row-index.ts';
import { StoredLog, type StoreParts } from './stored-log.ts';

export interface IndexedDbStoreOptions {
  /** Of the database; made when it is not there. One owner at a time may write to it. */
  name: string;
  /** `strict`: a commit resolves once it is flushed to the disk. `relaxed`: once the operating system has it. */
  durability: Durability;
  /** Memory for the newest batches of all logs. */
  tailBytes?: number;
  /** Of the index of rows: a smaller one makes opening faster, and writing slower. */
  pageSize?: PageSize;
  /** What a person should know but need not answer: an index was built anew. */
  onWarning?: (message: string) => void;
}

interface Entry {
  log: StoredLog;
  /** False once a row was not what the index says. */
  trustIndex: boolean;
}

const TAIL_BYTES = 8 * 1024 * 1024;

/**
 * `LogStore` over IndexedDB: one row a batch group, added and never updated, at `[log, baseOffset]`. Two owners cannot
 * both add at one offset: the second hears it as a {@link DatabaseError} with reason `foreign`.
 */
export class IndexedDbLogStore implements LogStore {
  readonly #parts: StoreParts;
  readonly #entries = new Map<LogKey, Entry>();
  #closing: Promise<void> | undefined;

  /** @throws {DatabaseError} when it cannot be opened. */
  static async open(options: IndexedDbStoreOptions): Promise<IndexedDbLogStore> {
    const store = new IndexedDbLogStore(options);
    for (const { logStartOffset: _, segmentBases: __, ...name } of await store.#parts.database.logs())
      store.#add(name);
    return store;
  }

  private constructor(options: IndexedDbStoreOptions) {
    const { name, durability } = options;
    const database = new Database(name, (error) => this.#failAll(error));
    this.#parts = {
      database,
      rounds: new Rounds((writes) => database.write(writes, durability)),
      tail: new Tail(options.tailBytes ?? TAIL_BYTES),
      pageSize: options.pageSize ?? PAGE_SIZE,
      warn: options.onWarning ?? (() => {}),
    };
  }

  /** Group commits so far: each is one transaction. */
  get roundsCompleted(): number {
    return this.#parts.rounds.completed;
  }

  logs(): readonly LogName[] {
    return [...this.#entries.values()].map(({ log }) => log.name);
  }

  async open(log: LogKey): Promise<LogExtent> {
    const entry = this.#entry(log);
    if (entry.log.failure) await this.#parts.rounds.current();
    this.#revive(entry);
    return entry.log.load(entry);
  }

  commit(writes: readonly LogWrite[]): Promise<void> {
    if (this.#closing) return Promise.reject(new Error('the store is closed'));
    const round = this.#parts.rounds.next();
    const touched = new Set<StoredLog>();
    try {
      for (const write of writes) {
        const log = this.#submit(write, round);
        if (log) touched.add(log);
      }
    } catch (error) {
      // Half of it is in memory: none of these logs is what its caller believes.
      for (const log of touched) log.fail(error as Error);
      return Promise.reject(error);
    } finally {
      for (const log of touched) round.members.add(log);
    }
    return round.done;
  }

  read(log: LogKey, range: ReadRange): Uint8Array | Promise<Uint8Array> {
    return this.#entry(log).log.read(range);
  }

  replace(log: LogKey, range: ReplacedRange): Replacement {
    const held = this.#entry(log).log;
    return new RowReplacement(
      range,
      held.replacedRows(() => {
        const round = this.#parts.rounds.next();
        round.members.add(held);
        return round;
      }),
    );
  }

  segments(log: LogKey): readonly Segment[] {
    return this.#entry(log).log.segments();
  }

  async sizeBytes(log: LogKey): Promise<number> {
    await this.open(log);
    return sizeOfAll(this.segments(log));
  }

  async batchAt(log: LogKey, timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    return this.#entry(log).log.batchAt(timestamp, fromOffset);
  }

  aborted(log: LogKey, range: { fromOffset: Offset; endOffset: Offset }): readonly AbortedTransaction[] {
    return this.#entry(log).log.aborted(range);
  }

  async get(log: LogKey, name: string): Promise<Uint8Array | undefined> {
    return this.#entry(log).log.values.get(name);
  }

  async names(log: LogKey): Promise<readonly string[]> {
    return this.#entry(log).log.values.names();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#parts.rounds.idle().then(() => this.#parts.database.close()));
  }

  #submit(write: LogWrite, round: Round): StoredLog | undefined {
    if (write.type === 'create') {
      const { type: _, ...name } = write;
      if (this.#entries.has(name.log)) return undefined;
      const { log } = this.#add(name);
      log.create(round);
      return log;
    }
    if (write.type === 'drop') return this.#drop(write.log, round);
    const { log } = this.#entry(write.log);
    log.submit(write, round);
    return log;
  }

  #drop(key: LogKey, round: Round): StoredLog | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#revive(entry);
    this.#entries.delete(key);
    entry.log.drop(round);
    return entry.log;
  }

  #add(name: LogName): Entry {
    const entry = { log: new StoredLog(name, this.#parts), trustIndex: true };
    this.#entries.set(name.log, entry);
    return entry;
  }

  /** What a failed log has in the database is taken up again. */
  #revive(entry: Entry): void {
    if (entry.log.failure) Object.assign(entry, entry.log.successor());
  }

  /** What is in memory must not be continued in a database that was emptied. */
  #failAll(error: DatabaseError): void {
    for (const { log } of this.#entries.values()) log.fail(error);
  }

  #entry(log: LogKey): Entry {
    const entry = this.#entries.get(log);
    if (!entry) throw new Error(`no such log: ${log}`);
    return entry;
  }
}
