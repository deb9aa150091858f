import type { Kernels } from '../kernels/kernels.ts';
import type { AbortedTransaction } from '../model/aborted.ts';
import type { LogKey, Millis, Offset } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Files } from '../ports/files.ts';
import type {
  LogExtent,
  LogName,
  LogStore,
  LogWrite,
  ReadRange,
  ReplacedRange,
  Replacement,
  Segment,
} from '../ports/log-store.ts';
import { sizeOfAll } from '../ports/log-store.ts';
import { markClean, openDirectory } from './data-directory.ts';
import type { Identity, OpenedDirectory } from './data-directory.ts';
import { FileCache } from './file-cache.ts';
import { IndexCache } from './index-cache.ts';
import { logDirectory, LOG_STARTS, RECOVERY_POINTS } from './layout.ts';
import { eachLimited } from './limited.ts';
import { sizeOnDisk } from './log-size.ts';
import { type Check, NO_CHECK } from './log-loader.ts';
import { OffsetCheckpoint } from './offset-checkpoint.ts';
import type { StoreParts } from './parts.ts';
import { ReadGate } from './read-gate.ts';
import { RetiredFiles } from './retired-files.ts';
import { type Gather, Rounds } from './rounds.ts';
import { SegmentLog } from './segment-log.ts';
import { Tail } from './tail.ts';

export interface SegmentStoreOptions {
  files: Files;
  /** Made when it is not there. */
  directory: string;
  kernels: Kernels;
  /** `always`: a commit resolves once it is flushed. `never`: once the operating system has it (Kafka's own rule). */
  flush: 'always' | 'never';
  /** Used when the directory is new; else the one it has counts, and `nodeId` must be the same. */
  identity: Identity;
  /** Memory for the newest batches of all logs. */
  tailBytes?: number;
  /** Memory for what is on its way from files to readers. */
  readBytes?: number;
  /** Memory for index entries read from files. */
  indexBytes?: number;
  maxOpenFiles?: number;
  /** Kafka's index.interval.bytes. */
  indexIntervalBytes?: number;
  /** For what is to be done later: files of dropped segments go at once without it. */
  clock?: Clock;
  /** When a round of commits begins; at once when left out. */
  gather?: Gather;
  /** What an operator should know but need not answer: a torn tail was cut, an index built anew. */
  onWarning?: (message: string) => void;
}

/** A log of the store. Most of many are never touched in a life: `log` is made when it first is. */
interface Entry {
  name: LogName;
  log: SegmentLog | undefined;
  check: Check;
}

const MEBIBYTE = 1024 * 1024;
const LOGS_AT_ONCE = 64;
/** Many times what a disk does at once: a line, not a stop. */
const READS_AT_ONCE = 64;

/** `LogStore` over files, in Kafka's own directory layout. */
export class SegmentStore implements LogStore {
  /** Whose directory it is. */
  readonly identity: Identity;
  /** Whether all logs were closed cleanly before: none needs recovery. */
  readonly wasClean: boolean;
  readonly #parts: StoreParts;
  readonly #directory: OpenedDirectory;
  readonly #entries = new Map<LogKey, Entry>();
  /** By directory: taken, or until when it still is by a dropped log. */
  readonly #directories = new Map<string, 'held' | Promise<void>>();
  readonly #background = new Set<Promise<void>>();
  readonly #rounds: Rounds;
  #rootChanged = false;
  /** Whether gaps that compaction leaves are below the recovery points. */
  #knowsCleaned = true;
  #closing: Promise<void> | undefined;

  /** @throws with a message for people when the directory is locked, foreign, or written by a newer version. */
  static async open(options: SegmentStoreOptions): Promise<SegmentStore> {
    const warn = options.onWarning ?? (() => {});
    const opened = await openDirectory({ ...options, warn });
    try {
      const store = new SegmentStore(options, opened);
      const isKnown = await store.#parts.recoveryPoints.load(opened.logs);
      store.#knowsCleaned = isKnown && !opened.isKafkas;
      await store.#parts.logStarts.load(opened.logs);
      for (const name of opened.logs) store.#add(name, opened.isClean);
      return store;
    } catch (error) {
      await opened.release();
      throw error;
    }
  }

  private constructor(options: SegmentStoreOptions, opened: OpenedDirectory) {
    const { files: disk, directory: root, kernels } = options;
    const warn = options.onWarning ?? (() => {});
    const background = (work: Promise<void>) => this.#inBackground(work);
    const checkpoint = (name: string) => new OffsetCheckpoint({ files: disk, directory: root, name, warn });
    this.identity = opened.identity;
    this.wasClean = opened.isClean;
    this.#directory = opened;
    this.#parts = {
      root,
      disk,
      files: new FileCache(disk, options.maxOpenFiles ?? 512),
      cache: new IndexCache(options.indexBytes ?? 32 * MEBIBYTE),
      tail: new Tail(options.tailBytes ?? 64 * MEBIBYTE),
      reads: new ReadGate({ countMax: READS_AT_ONCE, bytesMax: options.readBytes ?? 64 * MEBIBYTE }),
      kernels,
      flushes: options.flush === 'always',
      indexIntervalBytes: options.indexIntervalBytes ?? 4096,
      recoveryPoints: checkpoint(RECOVERY_POINTS),
      logStarts: checkpoint(LOG_STARTS),
      suspects: new Set(),
      retired: new RetiredFiles({ disk, clock: options.clock, background }),
      warn,
      background,
      rootChanged: () => (this.#rootChanged = true),
    };
    this.#rounds = new Rounds({
      finish: () => this.#finishRound(),
      gather: options.gather ?? ((begin) => begin()),
    });
  }

  /** Group commits so far. */
  get roundsCompleted(): number {
    return this.#rounds.completed;
  }

  logs(): readonly LogName[] {
    return [...this.#entries.values()].map(({ name }) => name);
  }

  async open(log: LogKey): Promise<LogExtent> {
    const entry = this.#entry(log);
    if (entry.log && entry.log.damagedFrom < Infinity) entry.log.fail(new Error('it is damaged'));
    if (entry.log?.isFailed) await this.#rounds.over(entry.log);
    if (entry.log?.isFailed) this.#revive(entry, entry.log);
    const extent = await this.#touch(entry).load(entry.check);
    entry.check = NO_CHECK;
    return extent;
  }

  commit(writes: readonly LogWrite[]): Promise<void> {
    if (this.#closing) return Promise.reject(new Error('the store is closed'));
    const touched: SegmentLog[] = [];
    let bytes = 0;
    try {
      for (const write of writes) {
        if (write.type === 'append') bytes += write.bytes.length;
        const log = this.#submit(write);
        if (log && log !== touched.at(-1)) touched.push(log);
      }
    } catch (error) {
      // Half of it is in memory: none of these logs is what its caller believes.
      for (const log of touched) log.fail(error as Error);
      return Promise.reject(error);
    }
    return this.#rounds.join(touched, bytes);
  }

  read(log: LogKey, range: ReadRange): Uint8Array | Promise<Uint8Array> {
    return this.#log(log).read(range);
  }

  replace(key: LogKey, range: ReplacedRange): Replacement {
    const log = this.#log(key);
    return log.replace(range, (ask) => this.#rounds.apart(log, ask));
  }

  segments(log: LogKey): readonly Segment[] {
    return this.#log(log).segments();
  }

  async sizeBytes(log: LogKey): Promise<number> {
    const entry = this.#entry(log);
    return entry.log?.isOpen ? sizeOfAll(entry.log.segments()) : sizeOnDisk(this.#parts, entry.name);
  }

  async batchAt(log: LogKey, timestamp: Millis, fromOffset: Offset): Promise<Offset | undefined> {
    return this.#log(log).batchAt(timestamp, fromOffset);
  }

  aborted(log: LogKey, range: { fromOffset: Offset; endOffset: Offset }): readonly AbortedTransaction[] {
    return this.#log(log).aborted(range);
  }

  async get(log: LogKey, name: string): Promise<Uint8Array | undefined> {
    return this.#log(log).values.get(name);
  }

  async names(log: LogKey): Promise<readonly string[]> {
    return this.#log(log).values.names();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  #submit(write: LogWrite): SegmentLog | undefined {
    if (write.type === 'create') {
      const { type: _, ...name } = write;
      return this.#create(name);
    }
    if (write.type === 'drop') return this.#drop(write.log);
    const log = this.#log(write.log);
    log.submit(write);
    return log;
  }

  #create(name: LogName): SegmentLog | undefined {
    const directory = logDirectory(name);
    const known = this.#entries.get(name.log)?.log;
    if (known?.isFailed && known.isUnmade) this.#directories.delete(directory);
    else if (this.#entries.has(name.log)) return undefined;
    if (this.#directory.nameless.delete(directory)) return this.#adopt(name);
    const held = this.#directories.get(directory);
    const before = held === 'held' ? this.#yieldName(directory) : held;
    const log = this.#touch(this.#add(name, true));
    log.create(before);
    return log;
  }

  /** A log of that name was there, with a topic id that could not be read: as Kafka does, the one it is asked for. */
  #adopt(name: LogName): SegmentLog {
    const log = this.#touch(this.#add(name, this.wasClean));
    this.#parts.warn(
      `${logDirectory(name)}: taken for the log of topic id ${name.topicId}, which is written down`,
    );
    log.adopt();
    return log;
  }

  /**
   * A topic of that name has a new id, so what is left of the old one (a crash between its deletion and its drop) is a
   * stray: it is forgotten here, and creating the new log moves its directory aside.
   * @returns what the new log waits for: no checkpoint says anything of the old one any more.
   */
  #yieldName(directory: string): Promise<void> | undefined {
    const { recoveryPoints, logStarts } = this.#parts;
    const saves: Promise<void>[] = [];
    for (const [key, { name, log }] of this.#entries) {
      if (logDirectory(name) !== directory) continue;
      if (log?.isOpen) throw new Error(`${directory} is in use by another topic id`);
      this.#entries.delete(key);
      for (const checkpoint of [recoveryPoints, logStarts])
        if (checkpoint.delete(name)) saves.push(checkpoint.save());
    }
    this.#directories.delete(directory);
    if (saves.length === 0) return undefined;
    const saved = Promise.all(saves).then(() => undefined);
    // Heard by the creation that waits for it.
    saved.catch(() => undefined);
    return saved;
  }

  #drop(key: LogKey): SegmentLog | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (entry.log?.isFailed) this.#revive(entry, entry.log);
    this.#entries.delete(key);
    const directory = logDirectory(entry.name);
    const log = this.#touch(entry);
    const gone = log.drop();
    this.#directories.set(directory, gone);
    const forget = () => {
      if (this.#directories.get(directory) === gone) this.#directories.delete(directory);
    };
    gone.then(forget, forget);
    return log;
  }

  #add(name: LogName, isClean: boolean): Entry {
    const from = this.#parts.recoveryPoints.get(name.log) ?? 0;
    const check = isClean
      ? NO_CHECK
      : {
          recoveryPoint: from,
          endOffset: Infinity,
          flushedBelow: from,
          cleanedBelow: this.#cleanedBelow(from),
        };
    const entry: Entry = { name, log: undefined, check };
    this.#entries.set(name.log, entry);
    this.#directories.set(logDirectory(name), 'held');
    return entry;
  }

  /** What a failed log has on disk is taken up again, of what was never acknowledged nothing. */
  #revive(entry: Entry, { durableEndOffset, damagedFrom }: SegmentLog): void {
    const from = this.#parts.recoveryPoints.get(entry.name.log) ?? 0;
    const ends = this.#parts.flushes
      ? { endOffset: durableEndOffset, flushedBelow: durableEndOffset }
      : { endOffset: Infinity, flushedBelow: from };
    const recoveryPoint = Math.min(from, damagedFrom);
    entry.check = { recoveryPoint, cleanedBelow: this.#cleanedBelow(from), ...ends };
    entry.log = undefined;
  }

  #cleanedBelow(recoveryPoint: Offset): Offset {
    return this.#knowsCleaned ? recoveryPoint : Infinity;
  }

  #touch(entry: Entry): SegmentLog {
    return (entry.log ??= new SegmentLog(entry.name, this.#parts));
  }

  #log(log: LogKey): SegmentLog {
    return this.#touch(this.#entry(log));
  }

  #entry(log: LogKey): Entry {
    const entry = this.#entries.get(log);
    if (!entry) throw new Error(`no such log: ${log}`);
    return entry;
  }

  async #finishRound(): Promise<void> {
    const changed = this.#rootChanged;
    this.#rootChanged = false;
    if (changed && this.#parts.flushes) await this.#parts.disk.flushDirectory(this.#parts.root);
  }

  #inBackground(work: Promise<void>): void {
    const quiet = work
      .catch((error: unknown) => this.#parts.warn(String(error)))
      .finally(() => this.#background.delete(quiet));
    this.#background.add(quiet);
  }

  async #close(): Promise<void> {
    const { disk, files, root, kernels, recoveryPoints, logStarts, retired } = this.#parts;
    try {
      await this.#rounds.idle();
      await retired.close();
      const entries = [...this.#entries.values()];
      const logs = entries.flatMap(({ log }) => log ?? []);
      await eachLimited(logs, LOGS_AT_ONCE, (log) => log.close());
      while (this.#background.size > 0) await Promise.all(this.#background);
      await recoveryPoints.save();
      await logStarts.save();
      const isClean = entries.every(
        ({ log, check }) => !log?.isFailed && !log?.isSuspect && check === NO_CHECK,
      );
      if (isClean) await markClean({ files: disk, directory: root, kernels }, this.logs());
    } finally {
      await files.close();
      await this.#directory.release();
    }
  }
}
