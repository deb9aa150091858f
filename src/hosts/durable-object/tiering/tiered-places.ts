import type { Millis, Offset } from '../../../model/ids.ts';
import type { TieredAnswer } from '../../../ports/remote-storage.ts';
import type { ShardId } from '../../../ports/shard-link.ts';
import type { Places } from './places-object.ts';

/** So long a gateway reads what it was told of a shard, and may not see that the log start has moved. */
const KNOWN_MS = 5 * 60_000;
/** Of so many partitions an isolate knows at most. */
const SHARDS_MAX = 256;
/** And of so many segments of each: memory, whatever there is. */
const PLACES_MAX = 500;

interface Known {
  told: Places;
  /** Where what is in remote storage alone ended; of what a shard has said itself no more than its segments tell. */
  endOffset: Offset;
  atMs: Millis;
}

/** Where segments are that left their partitions, as gateways of one isolate have heard or read it: data alone. */
export class TieredPlaces {
  readonly #byShard = new Map<ShardId, Known>();

  /** @param offset the reader's: of many segments those are kept that follow. */
  add(
    shard: ShardId,
    { places, ...ends }: Places,
    { offset, nowMs }: { offset: Offset; nowMs: Millis },
  ): void {
    const first = places.findIndex(({ nextOffset }) => nextOffset > offset);
    const following = first < 0 ? [] : places.slice(first, first + PLACES_MAX);
    const endOffset = places.at(-1)?.nextOffset ?? 0;
    this.#byShard.delete(shard);
    this.#byShard.set(shard, { told: { ...ends, places: following }, endOffset, atMs: nowMs });
    for (const old of this.#byShard.keys()) {
      if (this.#byShard.size <= SHARDS_MAX) return;
      this.#byShard.delete(old);
    }
  }

  /** What was told of it, where a segment is known that has `offset`. */
  find(shard: ShardId, offset: Offset, nowMs: Millis): TieredAnswer | undefined {
    const known = this.#byShard.get(shard);
    if (known === undefined || nowMs - known.atMs > KNOWN_MS) return undefined;
    const place = known.told.places.find(
      ({ baseOffset, nextOffset }) => baseOffset <= offset && offset < nextOffset,
    );
    return place && { ...known.told, place };
  }

  /** Whether it was heard that `offset` is behind all that is in remote storage: that stays so. */
  isBehind(shard: ShardId, offset: Offset): boolean {
    const known = this.#byShard.get(shard);
    return known !== undefined && offset >= known.endOffset;
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
