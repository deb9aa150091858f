import type { Millis } from '../../model/ids.ts';

/** After a slow one others do the waiting for so many times as long as it took. */
const ELSEWHERE_FACTOR = 20;

export interface SpotLimits {
  /** In one turn of the event loop: as long as the kernel copies so much, nobody else is heard. */
  turnMaxBytes: number;
  /** Longer than the kernel takes to copy so much, shorter than anybody minds. */
  slowMs: Millis;
}

/** What tells the time, and when a turn of the event loop is over. */
interface Turns {
  now(): Millis;
  atEnd(done: () => void): void;
}

/**
 * Says which reads and writes are made on the spot, by the thread of the event loop. Where the page cache has room, or
 * what is wanted, each is a copy; handing it to another thread costs as much as the copy of a megabyte, many times that
 * of a small one, and leaves the bytes in another core's cache. But when the disk has to be waited for, threads do
 * that: the loop stands still for a twentieth of the time at most.
 */
export class OnTheSpot {
  readonly #limits: SpotLimits;
  readonly #turns: Turns;
  #turnBytes = 0;
  #elsewhereUntilMs: Millis = -Infinity;

  constructor(
    limits: SpotLimits,
    turns: Turns = { now: () => performance.now(), atEnd: (done) => setImmediate(done) },
  ) {
    this.#limits = limits;
    this.#turns = turns;
  }

  /** Makes the call and returns what it does; undefined when it failed, or is not to be made here. */
  tryNow<T>(sizeBytes: number, call: () => T): T | undefined {
    const startedAtMs = this.#turns.now();
    if (startedAtMs < this.#elsewhereUntilMs || !this.#fits(sizeBytes)) return undefined;
    let result: T | undefined;
    try {
      result = call();
    } catch {
      // A thread will make it again, and hear why it cannot be made.
    }
    const endedAtMs = this.#turns.now();
    const tookMs = endedAtMs - startedAtMs;
    if (tookMs >= this.#limits.slowMs) this.#elsewhereUntilMs = endedAtMs + ELSEWHERE_FACTOR * tookMs;
    return result;
  }

  #fits(sizeBytes: number): boolean {
    if (this.#turnBytes + sizeBytes > this.#limits.turnMaxBytes) return false;
    if (this.#turnBytes === 0) this.#turns.atEnd(() => (this.#turnBytes = 0));
    this.#turnBytes += sizeBytes;
    return true;
  }
}
