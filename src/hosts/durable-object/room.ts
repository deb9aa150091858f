import { type Room, type RoomBounds, roomOf } from '../../log/tiering/decide.ts';
import type { ShardReply } from '../../ports/shard-link.ts';
import type { ProduceResponse } from '../../wire/apis/00-produce.ts';

const GIGABYTE = 1024 * 1024 * 1024;
/** An object holds 10 GB; what waits for remote storage while that is down has room. */
export const OBJECT_ROOM: RoomBounds = { throttleBytes: 2 * GIGABYTE, refuseBytes: 8 * GIGABYTE };
/** How long producers are asked to wait, from the first byte over the bound to the last. */
const THROTTLE_MIN_MS = 100;
const THROTTLE_MAX_MS = 5_000;
/** How much room an object has, and what producers are told of it. */
export class ObjectRoom {
  readonly #bounds: RoomBounds;
  readonly #sizeBytes: () => number;
  #size = 0;

  constructor(bounds: RoomBounds, sizeBytes: () => number) {
    this.#bounds = bounds;
    this.#sizeBytes = sizeBytes;
  }

  look(): Room {
    this.#size = this.#sizeBytes();
    return roomOf(this.#size, this.#bounds);
  }

  /** The answer to a Produce as its client is to see it. */
  throttled(reply: ShardReply): ShardReply {
    const { throttleBytes, refuseBytes } = this.#bounds;
    if (this.#size < throttleBytes || reply.body === undefined) return reply;
    const share = Math.min(1, (this.#size - throttleBytes) / (refuseBytes - throttleBytes));
    const throttleTimeMs = Math.round(THROTTLE_MIN_MS + share * (THROTTLE_MAX_MS - THROTTLE_MIN_MS));
    return { ...reply, body: { ...(reply.body as ProduceResponse), throttleTimeMs } };
  }
}
