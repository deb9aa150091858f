import { invariant } from '../../../model/assert.ts';
import { placesKey, remotePrefix } from '../../../log/tiering/remote-segment.ts';
import type { Random } from '../../../ports/random.ts';
import type { RemoteStorage } from '../../../ports/remote-storage.ts';
import { partitionOfShard, type ShardId } from '../../../ports/shard-link.ts';
import { DEFAULT_LOG_CONFIG } from '../../../log/config.ts';
import type { Shards } from '../../../shard/shards.ts';
import type { ObjectClock } from '../object-clock.ts';
import { Tiering, type TieringParts } from './tiering.ts';

export interface ObjectTieringParts {
  remote: RemoteStorage;
  cluster: string;
  shard: ShardId;
  shards: Shards;
  store: TieringParts['store'];
  clock: ObjectClock;
  random: Random;
  onWarning: (message: string) => void;
}

/** Several segments may close at once. */
const SOON_MS = 100;

/** When an object's segments are moved: soon after one was closed, and with each alarm. */
export class ObjectTiering {
  readonly #parts: ObjectTieringParts;
  readonly #tiering: Tiering;
  #isSoon = false;
  #looking: Promise<void> | undefined;

  constructor(parts: ObjectTieringParts) {
    const { remote, cluster, shard, shards, store, clock, random, onWarning } = parts;
    const of = partitionOfShard(shard);
    invariant(of, 'segments are moved of partitions alone');
    this.#parts = parts;
    this.#tiering = new Tiering({
      storage: remote,
      prefix: remotePrefix(cluster, of.topicId, of.partition),
      placesKey: placesKey(cluster, of.topicId, of.partition),
      store,
      log: () => (shards.get(shard)?.state === 'open' ? shards.get(shard)?.log : undefined),
      config: () => shards.get(shard)?.spec.config() ?? DEFAULT_LOG_CONFIG,
      clock,
      random,
      onWarning: (message) => onWarning(`${shard}: ${message}`),
    });
  }

  /** A segment was closed. */
  soon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    const { clock } = this.#parts;
    clock.at(clock.now() + SOON_MS, () => {
      this.#isSoon = false;
      void this.look();
    });
  }

  look(): Promise<void> {
    this.#looking ??= this.#tiering
      .look()
      .then(({ againAtMs }) => {
        if (againAtMs !== undefined) this.#parts.clock.wakeAt(againAtMs);
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** The topic is deleted. @throws when remote storage cannot be reached. */
  async deleteEverything(): Promise<void> {
    await this.#looking;
    await this.#tiering.deleteEverything();
  }
}
