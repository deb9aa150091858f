import { RowReplacement } from '../../log/row-replacement.ts';
import type { AbortedTransaction } from '../../model/aborted.ts';
import type { LogKey, Millis, Offset, Uuid } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RemotePlace } from '../../ports/remote-storage.ts';
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
import { LogTiering } from './tiering/log-tiering.ts';
import type { Remote } from './tiering/tiered-rows.ts';

export interface SqliteLogStoreOptions {
  /** Memory for the newest batches of all logs. */
  tailBytes?: number;
  /** Part of each transaction that writes: what throws there keeps all of it from being written. */
  onWrite?: () => void;
  /** Appends that come close together share a row, see {@link Linger}; left out, each commit is written at once. */
  linger?: Linger;
  /** Where old segments go; left out, nowhere. */
  remote?: Remote | undefined;
  now?: () => Millis;
  /** A segment was closed: there may be something to copy. */
  onClosed?: () => void;
}

/**
 * Each row is billed, and a flush takes its time however much it brings. So an append that finds others under way waits
 * for those that follow it, for so long or so many bytes; one that comes alone is written at once.
 */
export interface Linger {
  clock: Clock;
  /** Twice as long where many keep coming; less once they stop. */
  ms: Millis;
  maxBytes: number;
}

interface Entry {
  name: LogName;
  number: number;
  /** Undefined until it is opened, and again once a commit to it has failed. */
  log: SqliteLog | undefined;
}

type LogRow = { number: number; log: LogKey; topic: string; topicId: Uuid; partition: number };

const TAIL_BYTES = 1024 * 1024;
/** So many in one write: they come one behind the other, and when they stop for so long, all are there. */
const DENSE_COMMITS = 8;
const QUIET_MS = 2;
/** Writes by one who waits for each answer, between two looks whether he is still alone: each costs him the wait. */
const ALONE_MAX = 128;

/**
 * `LogStore` in a Durable Object's database. A commit has done all its SQL, in one transaction, when it returns:
 * nothing comes between a check and its insert. Its promise resolves before the platform has confirmed the writes, for
 * the output gate holds back whatever the object says until they are, and breaks the object when they fail.
 */
export class SqliteLogStore implements LogStore {
  /** An object opens its log whenever it wakes: what lies beside it is written again that often. */
  readonly replayMaxBytes = 4 * 1024 * 1024;
  readonly #parts: StoreParts;
  readonly #entries = new Map<LogKey, Entry>();
  #nextNumber = 1;
  /** Not written yet. */
  #round: Round | undefined;
  readonly #linger: Linger | undefined;
  #last = { atMs: -Infinity, commits: 0 };
  /** How many are written at once before one waits again, after it waited in vain; and how many of these are left. */
  #alone = { writes: 0, left: 0 };
  #isClosed = false;
  readonly #onWrite: () => void;

  /** @throws with a message for people when the database was written by a newer version. */
  constructor(database: SqlDatabase, options: SqliteLogStoreOptions = {}) {
    const { tailBytes = TAIL_BYTES, onWrite = () => {}, linger, remote } = options;
    const { now = Date.now, onClosed = () => {} } = options;
    this.#onWrite = onWrite;
    this.#linger = linger;
    prepareDatabase(database);
    const shared = { database, blobs: new Blobs(database), tail: new Tail(tailBytes) };
    this.#parts = { ...shared, remote, now, onClosed };
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
    const round = (this.#round ??= new Round());
    round.commits++;
    for (const write of writes) if (write.type === 'append') round.bytes += write.bytes.length;
    if (this.#mayWait(round, writes)) this.#gather(round, writes);
    else this.#write(round, writes);
    return round.promise;
  }

  /** Whether there are others to share a row with. */
  #mayWait(round: Round, writes: readonly LogWrite[]): boolean {
    const linger = this.#linger;
    if (linger === undefined || round.bytes >= linger.maxBytes) return false;
    if (!writes.every(({ type }) => type === 'append')) return false;
    if (round.commits > 1) return true;
    if (linger.clock.now() - this.#last.atMs >= linger.ms) return false;
    return this.#last.commits > 1 || --this.#alone.left < 0;
  }

  /** In memory alone for now: readers see it, and nobody is told that it is there. */
  #gather(round: Round, writes: readonly LogWrite[]): void {
    for (const write of writes) {
      if (write.type !== 'append') continue;
      const log = this.#opened(write.log);
      log.apply(write);
      round.waiting.add(log);
      round.logs.add(write.log);
    }
    if (round.cancelTimer !== undefined) return;
    const { clock, ms } = this.#linger as Linger;
    const isDense = this.#last.commits >= DENSE_COMMITS;
    const untilMs = clock.now() + (isDense ? 2 * ms : ms);
    this.#wait(round, { quietMs: isDense ? Math.min(QUIET_MS, ms) : ms, untilMs });
  }

  /** Until nobody came for a while, or until then. */
  #wait(round: Round, limits: { quietMs: Millis; untilMs: Millis }): void {
    const { clock } = this.#linger as Linger;
    const { commits } = round;
    round.cancelTimer = clock.at(clock.now() + limits.quietMs, () => {
      if (this.#round !== round) return;
      if (round.commits > commits && clock.now() < limits.untilMs) return this.#wait(round, limits);
      const writes = round.commits > 1 ? 0 : Math.min(2 * this.#alone.writes + 1, ALONE_MAX);
      this.#alone = { writes, left: writes };
      this.#write(round, []);
    });
  }

  /** Rows say it all then. */
  #writeWaiting(): void {
    if (this.#round !== undefined) this.#write(this.#round, []);
  }

  /** Writes, and with it what waits: in one transaction. */
  #write(round: Round, writes: readonly LogWrite[]): void {
    round.cancelTimer?.();
    this.#round = undefined;
    this.#last = { atMs: this.#linger?.clock.now() ?? 0, commits: round.commits };
    /** Entries as they were, of the logs that came or went. */
    const before = new Map<LogKey, Entry | undefined>();
    try {
      this.#parts.database.transactionSync(() => {
        this.#onWrite();
        this.#apply(writes, { before, waiting: round.waiting });
      });
      round.resolve();
    } catch (error) {
      this.#giveUp([...round.logs, ...writes.map(({ log }) => log)], before);
      round.reject(error);
    }
  }

  read(log: LogKey, range: ReadRange): Uint8Array | Promise<Uint8Array> {
    const opened = this.#opened(log);
    // Rows end before what waits.
    if (this.#round?.waiting.has(opened) && !opened.hasInMemory(range.fromOffset)) this.#writeWaiting();
    return opened.read(range);
  }

  replace(log: LogKey, range: ReplacedRange): Replacement {
    return new RowReplacement(range, this.#opened(log).replacedRows(this.#committing(log)));
  }

  /** What moves segments of an open log to remote storage and out of it. */
  tiering(log: LogKey): LogTiering {
    return new LogTiering(this.#opened(log), this.#committing(log));
  }

  remoteAt(log: LogKey, offset: Offset): RemotePlace | undefined {
    return this.#opened(log).remoteAt(offset);
  }

  remoteSegments(log: LogKey): readonly RemotePlace[] {
    return this.#opened(log).remote.onlyRemote;
  }

  /** Does work in a transaction of its own, behind all that waits. */
  #committing(log: LogKey): (work: () => void) => void {
    this.#writeWaiting();
    return (work) => {
      try {
        this.#parts.database.transactionSync(() => {
          this.#onWrite();
          work();
        });
      } catch (error) {
        this.#giveUp([log], new Map());
        throw error;
      }
    };
  }

  segments(log: LogKey): readonly Segment[] {
    return this.#opened(log).segments();
  }

  async sizeBytes(log: LogKey): Promise<number> {
    await this.open(log);
    return sizeOfAll(this.segments(log));
  }

  async batchAt(log: LogKey, timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    this.#writeWaiting();
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
    const round = this.#round;
    this.#writeWaiting();
    await round?.promise;
  }

  #apply(
    writes: readonly LogWrite[],
    { before, waiting }: { before: Map<LogKey, Entry | undefined>; waiting: ReadonlySet<SqliteLog> },
  ): void {
    const touched = new Set(waiting);
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

/** Commits that are written together. */
class Round {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** What has batches in memory alone, and its keys. */
  readonly waiting = new Set<SqliteLog>();
  readonly logs = new Set<LogKey>();
  commits = 0;
  bytes = 0;
  cancelTimer: (() => void) | undefined;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.promise = promise;
    this.resolve = resolve;
    this.reject = reject;
  }
}

function nameOf({ log, topic, topicId, partition }: LogName): LogName {
  return { log, topic, topicId, partition };
}
