import type { LeaderEpoch, Offset } from '../../model/ids.ts';

/**
 * Which records of a partition are done with. They are handed out in order and acked in any; what may be committed is
 * all before the first that is not acked. Begins anew with each seek.
 */
export class Acks {
  /** The first that is handed out and not acked; -1 when there is none. */
  #lowest: Offset = -1;
  /** Those behind it, in order; mostly none, so that reading one by one costs two numbers. */
  #others: Set<Offset> | undefined;
  /** What is handed out next; -1 before the first. */
  #next: Offset = -1;
  /** Of the batch that was handed out last. */
  leaderEpoch: LeaderEpoch = -1;

  /** The next offset to be committed; undefined when nothing was handed out. */
  get position(): Offset | undefined {
    if (this.#next < 0) return undefined;
    return this.#lowest < 0 ? this.#next : this.#lowest;
  }

  /** The next to be handed out; undefined when nothing was. */
  get next(): Offset | undefined {
    return this.#next < 0 ? undefined : this.#next;
  }

  /** What lies before it has been dealt with, or is not there. */
  skipTo(offset: Offset): void {
    this.#next = offset;
  }

  handOut(offset: Offset): void {
    this.#next = offset + 1;
    if (this.#lowest < 0) this.#lowest = offset;
    else (this.#others ??= new Set()).add(offset);
  }

  /** Idempotent. */
  ack(offset: Offset): void {
    if (offset !== this.#lowest) return void this.#others?.delete(offset);
    const [next] = this.#others ?? [];
    this.#lowest = next ?? -1;
    if (next !== undefined) this.#others?.delete(next);
  }
}
