import { InvariantError } from '../model/assert.ts';
import { CLUSTER_METADATA_TOPIC, type Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogStore } from '../ports/log-store.ts';
import { partitionShard } from '../ports/shard-link.ts';
import type { Shard } from './shard.ts';
import type { Shards } from './shards.ts';

export interface LogManagerParts {
  shards: Shards;
  store: Pick<LogStore, 'logs'>;
  clock: Clock;
  /** log.retention.check.interval.ms. */
  retentionCheckIntervalMs: Millis;
}

/** Kafka's log.initial.task.delay.ms: a start has other things to do. */
const FIRST_CHECK_AFTER_MS = 30_000;
/** Logs opened for one check: a broker that has just started may have very many that nobody wants. */
const OPENED_MAX = 100;

/** Looks after the logs of a host: from time to time their old segments go (`retention.ms`, `retention.bytes`). */
export class LogManager {
  readonly #parts: LogManagerParts;
  #stopTimer: () => void = () => {};
  #isStopped = false;

  constructor(parts: LogManagerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#checkAfter(Math.min(FIRST_CHECK_AFTER_MS, this.#parts.retentionCheckIntervalMs));
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
  }

  /** Those of all logs that are open, and of some that are not: one after the other, for clients come first. */
  async deleteOldSegments(): Promise<void> {
    let opened = 0;
    for (const shard of this.#deletable()) {
      if (this.#isStopped) return;
      if (shard.state === 'closed' && opened++ < OPENED_MAX) await shard.open();
      deleteOldSegments(shard);
    }
  }

  #checkAfter(delayMs: Millis): void {
    const { clock, retentionCheckIntervalMs } = this.#parts;
    if (this.#isStopped) return;
    this.#stopTimer = clock.at(clock.now() + delayMs, () => {
      void this.deleteOldSegments().then(() => this.#checkAfter(retentionCheckIntervalMs));
    });
  }

  *#deletable(): Iterable<Shard> {
    for (const name of this.#parts.store.logs()) {
      // The controller's log is cut by its snapshots alone.
      if (name.topic === CLUSTER_METADATA_TOPIC) continue;
      const shard = this.#parts.shards.get(partitionShard(name));
      if (shard === undefined) continue;
      const { cleanupPolicy, retentionMs, retentionBytes } = shard.spec.config();
      if (cleanupPolicy.includes('delete') && Math.min(retentionMs, retentionBytes) < Infinity) yield shard;
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
