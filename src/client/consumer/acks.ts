import type { LeaderEpoch, Offset } from '../../model/ids.ts';

/** So many that are acked may lie before the first that is not, and more if even more follow. */
const SLACK = 1_024;

/**
 * Which records of a partition are done with. They are handed out in order and acked in any; what may be committed is
 * all before the first that is not acked. Begins anew with each seek.
 */
export class Acks {
  /** What was handed out, from `#head` on: the first of them is not acked. */
  readonly #open: Offset[] = [];
  #head = 0;
  /** Those behind the first that are acked. */
  readonly #done = new Set<Offset>();
  /** What is handed out next; -1 before the first. */
  #next: Offset = -1;
  /** Of the batch that was handed out last. */
  leaderEpoch: LeaderEpoch = -1;

  /** The next offset to be committed; undefined when nothing was handed out. */
  get position(): Offset | undefined {
    return this.#open[this.#head] ?? this.next;
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
    this.#open.push(offset);
  }

  /** Idempotent. */
  ack(offset: Offset): void {
    const first = this.#open[this.#head];
    if (first === undefined || offset < first) return;
    if (offset > first) return void this.#done.add(offset);
    this.#head++;
    while (this.#done.size > 0 && this.#done.delete(this.#open[this.#head] ?? -1)) this.#head++;
    if (this.#head === this.#open.length) this.#open.length = 0;
    else if (this.#head >= SLACK && this.#head * 2 >= this.#open.length) this.#open.splice(0, this.#head);
    else return;
    this.#head = 0;
  }
}
