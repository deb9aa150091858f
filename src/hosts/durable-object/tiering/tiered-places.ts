import type { Millis, Offset } from '../../../model/ids.ts';
import type { TieredAnswer } from '../../../ports/remote-storage.ts';
import type { ShardId } from '../../../ports/shard-link.ts';

/** So long a gateway reads what a shard has told it of, and may not see that the log start has moved. */
const KNOWN_MS = 5 * 60_000;
/** Of so many partitions an isolate knows at most. */
const SHARDS_MAX = 256;

/** Where segments are that left their partitions, as shards have told the gateways of one isolate: data alone. */
export class TieredPlaces {
  readonly #byShard = new Map<ShardId, { told: TieredAnswer; atMs: Millis }>();

  add(shard: ShardId, told: TieredAnswer, nowMs: Millis): void {
    this.#byShard.delete(shard);
    this.#byShard.set(shard, { told, atMs: nowMs });
    for (const old of this.#byShard.keys()) {
      if (this.#byShard.size <= SHARDS_MAX) return;
      this.#byShard.delete(old);
    }
  }

  /** What was told of it, where a segment is known that has `offset`. */
  find(shard: ShardId, offset: Offset, nowMs: Millis): TieredAnswer | undefined {
    const known = this.#byShard.get(shard);
    if (known === undefined) return undefined;
    if (nowMs - known.atMs > KNOWN_MS) return void this.#byShard.delete(shard);
    const place = known.told.places.find(
      ({ baseOffset, nextOffset }) => baseOffset <= offset && offset < nextOffset,
    );
    return place && { ...known.told, place };
  }

  /** A shard has said how far it is by now: readers of what is old are told that, too. */
  heard(shard: ShardId, ends: Pick<TieredAnswer, 'highWatermark' | 'lastStableOffset'>): void {
    const told = this.#byShard.get(shard)?.told;
    if (told === undefined || ends.highWatermark < told.highWatermark) return;
    told.highWatermark = ends.highWatermark;
    told.lastStableOffset = Math.max(told.lastStableOffset, ends.lastStableOffset);
  }

  forget(shard: ShardId): void {
    this.#byShard.delete(shard);
  }
}
