import { type FetchedPartition, NO_RECORDS } from '../../../wire/fetched.ts';
import type { Offset } from '../../../model/ids.ts';
import type { RecordsFrame } from './frames.ts';
import { joined, sizeOf, startingAt } from './records.ts';

/** What a client may leave lying here before it reads by itself: an isolate has 128 MB for a thousand of them. */
const HELD_MAX_BYTES = 64 * 1024;

/** What a relay has sent of a partition and the client has not been seen to have. */
export class Feed {
  readonly #frames: RecordsFrame[] = [];
  #heldBytes = 0;
  /** Of the partition, as it was told last. */
  #latest: FetchedPartition;
  /** What comes next begins there. */
  #next: Offset;

  /** @param latest what its leader has answered, who had nothing from `next` on. */
  constructor(next: Offset, latest: FetchedPartition) {
    this.#next = next;
    this.#latest = { ...latest, records: NO_RECORDS };
  }

  get isFull(): boolean {
    return this.#heldBytes >= HELD_MAX_BYTES;
  }

  /** @returns false where something is missing before it, or it cannot be cut. */
  add(frame: RecordsFrame): boolean {
    if (frame.to <= this.#next) return true;
    const following = frame.from > this.#next ? undefined : startingAt(frame, this.#next);
    if (following === undefined) return false;
    this.#frames.push(following);
    this.#heldBytes += sizeOf(following);
    this.#latest = { ...following.partition, records: NO_RECORDS };
    this.#next = following.to;
    return true;
  }

  /** What a fetch there brings, and no records where there are none yet; undefined where that is not here. */
  read(offset: Offset, maxBytes: number): FetchedPartition | undefined {
    while (this.#frames[0] !== undefined && this.#frames[0].to <= offset) this.#drop();
    const [first] = this.#frames;
    if (first === undefined) return offset === this.#next ? this.#latest : undefined;
    const following = first.from > offset ? undefined : startingAt(first, offset);
    if (following === undefined) return undefined;
    this.#heldBytes += sizeOf(following) - sizeOf(first);
    this.#frames[0] = following;
    return maxBytes > 0 ? joined(this.#frames, maxBytes) : this.#latest;
  }

  #drop(): void {
    const gone = this.#frames.shift();
    if (gone !== undefined) this.#heldBytes -= sizeOf(gone);
  }
}
