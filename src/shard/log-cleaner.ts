import { type Cleanable, cleanableOf, dirtiest } from '../log/compaction/cleanable.ts';
import { type Cleaned, cleanLog } from '../log/compaction/clean-log.ts';
import { CLEANED_NAME, decodeCleanedOffset, encodeCleanedOffset } from '../log/compaction/cleaned-offset.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { InvariantError } from '../model/assert.ts';
import { KafkaError } from '../model/errors.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type { LogFields } from '../ports/log.ts';
import { LogDamaged } from '../ports/log-store.ts';
import type { Random } from '../ports/random.ts';
import type { Shard } from './shard.ts';
import type { ShardParts } from './shard-spec.ts';

/** Settings by Kafka's names without `log.cleaner.`. */
export interface CleanerConfig {
  dedupeBufferBytes: number;
  ioBufferLoadFactor: number;
  ioBufferBytes: number;
  ioMaxBytesPerSecond: number;
  backoffMs: Millis;
}

export interface LogCleanerParts extends Pick<ShardParts, 'store' | 'kernels' | 'codecs' | 'clock'> {
  /** Those that were asked for so far. */
  shards: { all(): Iterable<Shard> };
  random: Random;
  /** Asked at every use: settings change while a broker runs. */
  config: () => CleanerConfig;
  onWarning: (message: string, about?: LogFields) => void;
}

/** What the cleaner did so far. */
export interface CleanerCounts {
  passes: number;
  bytesRead: number;
  bytesWritten: number;
  recordsRead: number;
  recordsKept: number;
  /** Of the last pass. */
  last: { bytesRead: number; bytesWritten: number; tookMs: Millis; utilization: number } | undefined;
  /** When it looked for dirty logs last. */
  lastRunMs: Millis | undefined;
  /** As it was then: of all logs, the largest. */
  dirtyRatioMax: number;
  overdueMsMax: Millis;
}

interface Candidate {
  shard: Shard;
  log: PartitionLog;
  cleanable: Cleanable;
}

/** What is done with so much takes well under two milliseconds: others have their turn in between. */
const CHUNK_MAX_BYTES = 64 * 1024;
const TWO_TO_32 = 2 ** 32;

/** Compacts the logs of a host, one at a time, the dirtiest first, for ever. */
export class LogCleaner {
  readonly counts: CleanerCounts = {
    passes: 0,
    bytesRead: 0,
    bytesWritten: 0,
    recordsRead: 0,
    recordsKept: 0,
    last: undefined,
    lastRunMs: undefined,
    dirtyRatioMax: 0,
    overdueMsMax: 0,
  };
  /** Cannot be cleaned as they are: one of their batches cannot be read. */
  readonly #uncleanable = new WeakSet<PartitionLog>();
  readonly #cleanedOffsets = new WeakMap<PartitionLog, Offset>();
  readonly #parts: LogCleanerParts;
  #stopTimer: () => void = () => {};
  #isStopped = false;
  #pass: Promise<unknown> | undefined;
  /** By the rate of log.cleaner.io.max.bytes.per.second. */
  #mayGoOnAtMs = 0;

  constructor(parts: LogCleanerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#lookAfter(this.#parts.config().backoffMs);
  }

  /** Resolves once nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopTimer();
    await this.#pass;
  }

  /** Logs of which a batch cannot be read. */
  get uncleanable(): PartitionLog[] {
    return Array.from(this.#parts.shards.all()).flatMap(({ log }) =>
      log !== undefined && this.#uncleanable.has(log) ? [log] : [],
    );
  }

  /** Cleans the dirtiest log of those that are due. @returns whether one was cleaned: there may be more. */
  async cleanDirtiest(): Promise<boolean> {
    const candidates = await this.#candidates();
    const { counts } = this;
    counts.lastRunMs = this.#parts.clock.now();
    counts.dirtyRatioMax = Math.max(0, ...candidates.map(({ cleanable }) => cleanable.dirtyRatio));
    counts.overdueMsMax = Math.max(0, ...candidates.map(({ cleanable }) => cleanable.overdueMs));
    const candidate = dirtiest(candidates);
    return candidate !== undefined && this.#clean(candidate);
  }

  #lookAfter(delayMs: Millis): void {
    const { clock, config } = this.#parts;
    if (this.#isStopped) return;
    this.#stopTimer = clock.at(clock.now() + delayMs, () => {
      this.#pass = this.cleanDirtiest().then((isCleaned) => {
        this.#pass = undefined;
        this.#lookAfter(isCleaned ? 0 : config().backoffMs);
      });
    });
  }

  async #candidates(): Promise<Candidate[]> {
    const found: Candidate[] = [];
    for (const shard of this.#parts.shards.all()) {
      const { log, state } = shard;
      const config = shard.spec.config();
      if (log === undefined || state !== 'open' || !config.cleanupPolicy.includes('compact')) continue;
      if (this.#uncleanable.has(log)) continue;
      try {
        const cleanedOffset = await this.#cleanedOffsetOf(log);
        const cleanable = shard.log === log ? this.#cleanableOf(shard, log, cleanedOffset) : undefined;
        if (cleanable !== undefined) found.push({ shard, log, cleanable });
      } catch (error) {
        this.#failed(shard, log, error);
      }
    }
    return found;
  }

  #cleanableOf(shard: Shard, log: PartitionLog, cleanedOffset: Offset | undefined): Cleanable | undefined {
    const { store, clock } = this.#parts;
    return cleanableOf(store.segments(log.name.log), {
      config: shard.spec.config(),
      nowMs: clock.now(),
      logStartOffset: log.logStartOffset,
      stableEndOffset: log.lastStableOffset,
      cleanedOffset,
    });
  }

  /** -1 where no pass has said so, or what it said cannot be read. */
  async #cleanedOffsetOf(log: PartitionLog): Promise<Offset | undefined> {
    const known = this.#cleanedOffsets.get(log);
    if (known !== undefined) return known < 0 ? undefined : known;
    const { store, kernels } = this.#parts;
    const bytes = await store.get(log.name.log, CLEANED_NAME);
    const offset = bytes && decodeCleanedOffset(bytes, kernels);
    this.#cleanedOffsets.set(log, offset ?? -1);
    return offset;
  }

  async #clean({ shard, log, cleanable }: Candidate): Promise<boolean> {
    const { store, kernels, codecs, clock, random, config } = this.#parts;
    const { dedupeBufferBytes: budgetBytes, ioBufferLoadFactor: loadFactor, ioBufferBytes } = config();
    const nowMs = clock.now();
    try {
      const cleaned = await cleanLog(log, cleanable, {
        store,
        kernels,
        codecs,
        nowMs,
        config: shard.spec.config(),
        budgetBytes,
        loadFactor,
        seed: Array.from({ length: 4 }, () => Math.floor(random.next() * TWO_TO_32)),
        chunkBytes: Math.min(ioBufferBytes, CHUNK_MAX_BYTES),
        commit: (writes) => {
          shard.commit(writes);
          return shard.settled();
        },
        pace: async (bytes) => {
          await this.#turn(bytes);
          return !this.#isStopped && shard.log === log;
        },
      });
      if (cleaned === undefined || shard.log !== log) return false;
      this.#finished(shard, log, cleaned, nowMs);
      return true;
    } catch (error) {
      this.#failed(shard, log, error);
      return false;
    }
  }

  #finished(shard: Shard, log: PartitionLog, cleaned: Cleaned, startedAtMs: Millis): void {
    const { kernels, clock } = this.#parts;
    const { cleanedOffset, bytesRead, bytesWritten, recordsRead, recordsKept, utilization } = cleaned;
    const value = encodeCleanedOffset(cleanedOffset, kernels);
    shard.commit([{ type: 'put', log: log.name.log, name: CLEANED_NAME, value }]);
    this.#cleanedOffsets.set(log, cleanedOffset);
    const { counts } = this;
    counts.passes++;
    counts.bytesRead += bytesRead;
    counts.bytesWritten += bytesWritten;
    counts.recordsRead += recordsRead;
    counts.recordsKept += recordsKept;
    counts.last = { bytesRead, bytesWritten, utilization, tookMs: clock.now() - startedAtMs };
  }

  /** A batch that cannot be read would stop every pass; the log is left alone until it is loaded again. */
  #failed(shard: Shard, log: PartitionLog, error: unknown): void {
    if (error instanceof InvariantError) throw error;
    if (shard.log !== log) return;
    if (error instanceof LogDamaged || this.#isGivenUp(log)) return shard.storageFailed(error);
    if (error instanceof KafkaError) this.#uncleanable.add(log);
    const { topic, partition } = log.name;
    const why = error instanceof Error ? error.message : String(error);
    const about = { component: 'cleaner', topic, partition, err: error };
    this.#parts.onWarning(`${topic}-${partition}: cannot be compacted (${why})`, about);
  }

  /** A full disk may keep a pass from ending and leave the log as it was; then it is open still. */
  #isGivenUp({ name }: PartitionLog): boolean {
    try {
      this.#parts.store.segments(name.log);
      return false;
    } catch {
      return true;
    }
  }

  /** Lets others do what they have to; then waits as long as the rate wants. */
  async #turn(bytes: number): Promise<void> {
    const { clock, config } = this.#parts;
    const nowMs = clock.now();
    this.#mayGoOnAtMs = Math.max(this.#mayGoOnAtMs, nowMs) + (bytes / config().ioMaxBytesPerSecond) * 1_000;
    await new Promise<void>((resolve) => {
      const cancel = clock.at(Math.floor(this.#mayGoOnAtMs), resolve);
      this.#stopTimer = () => {
        cancel();
        resolve();
      };
    });
  }
}
