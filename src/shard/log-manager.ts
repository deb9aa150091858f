import { InvariantError } from '../model/assert.ts';
import { CLUSTER_METADATA_TOPIC, type Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogStore } from '../ports/log-store.ts';
import { partitionShard } from '../ports/shard-link.ts';
import type { LogCleaner } from './log-cleaner.ts';
import type { Shard } from './shard.ts';
import type { Shards } from './shards.ts';

export interface LogManagerParts {
  shards: Shards;
  store: Pick<LogStore, 'logs'>;
  clock: Clock;
  /** log.retention.check.interval.ms. */
  retentionCheckIntervalMs: Millis;
  /** Without one no log is compacted (log.cleaner.enable). */
  cleaner?: LogCleaner | undefined;
}

/** Kafka's log.initial.task.delay.ms: a start has other things to do. */
const FIRST_CHECK_AFTER_MS = 30_000;
/** Logs opened for one check: a broker that has just started may have very many that nobody wants. */
const OPENED_MAX = 100;

/**
 * Looks after the logs of a host: from time to time their old segments go (`retention.ms`, `retention.bytes`), and the
 * cleaner compacts those that are open.
 */
export class LogManager {
  readonly #parts: LogManagerParts;
  #stopTimer: () => void = () => {};
  #isStopped = false;

  constructor(parts: LogManagerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#checkAfter(Math.min(FIRST_CHECK_AFTER_MS, this.#parts.retentionCheckIntervalMs));
    this.#parts.cleaner?.start();
  }

  /** Resolves once nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopTimer();
    await this.#parts.cleaner?.stop();
  }

  /** Those of all logs that are open, and of some that are not: one after the other, for clients come first. */
  async check(): Promise<void> {
    let opened = 0;
    for (const shard of this.#changing()) {
      if (this.#isStopped) return;
      if (shard.state === 'closed' && opened++ < OPENED_MAX) await shard.open();
      deleteOldSegments(shard);
    }
  }

  #checkAfter(delayMs: Millis): void {
    const { clock, retentionCheckIntervalMs } = this.#parts;
    if (this.#isStopped) return;
    this.#stopTimer = clock.at(clock.now() + delayMs, () => {
      void this.check().then(() => this.#checkAfter(retentionCheckIntervalMs));
    });
  }

  /** Those that time changes. */
  *#changing(): Iterable<Shard> {
    for (const name of this.#parts.store.logs()) {
      // The controller's log is cut by its snapshots alone.
      if (name.topic === CLUSTER_METADATA_TOPIC) continue;
      const shard = this.#parts.shards.get(partitionShard(name));
      if (shard === undefined) continue;
      const { cleanupPolicy, retentionMs, retentionBytes } = shard.spec.config();
      const isDeleted = cleanupPolicy.includes('delete') && Math.min(retentionMs, retentionBytes) < Infinity;
      const isCompacted = cleanupPolicy.includes('compact') && this.#parts.cleaner !== undefined;
      if (isDeleted || isCompacted) yield shard;
    }
  }
}

function deleteOldSegments(shard: Shard): void {
  const { log, state, parts } = shard;
  if (log === undefined || state !== 'open') return;
  try {
    const writes = log.deleteOldSegments(parts.clock.now());
    if (writes.length > 0) shard.commit(writes);
  } catch (error) {
    // A round took several logs with it: this shard will hear of it.
    if (error instanceof InvariantError) throw error;
  }
}
