import type { Millis } from '../../model/ids.ts';

/** Twice what a round begins with under load: the kernel copies it in half a millisecond. */
const MOST_BYTES = 2 * 1024 * 1024;
/** Longer than the kernel takes to copy so much, shorter than anybody minds. */
const SLOW_MS = 5;
/** After a slow write others do the waiting for so many times as long as it took. */
const ELSEWHERE_FACTOR = 20;

/**
 * Says which writes are made on the spot, by the thread of the event loop. A write is a copy into the page cache, and
 * handing it to another thread costs as much as the copy of a megabyte, and many times that of a small one. But when
 * the disk is behind, the kernel makes writers wait: then threads do, so that the loop stands still for a twentieth of
 * the time at most.
 */
export class SpotWrites {
  readonly #now: () => Millis;
  #elsewhereUntilMs: Millis = -Infinity;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Makes the write and returns what it does; undefined when it failed, or is not to be made here. */
  tryNow<T>(sizeBytes: number, write: () => T): T | undefined {
    if (sizeBytes > MOST_BYTES) return undefined;
    const startedAtMs = this.#now();
    if (startedAtMs < this.#elsewhereUntilMs) return undefined;
    let result: T | undefined;
    try {
      result = write();
    } catch {
      // A thread will make it again, and hear why it cannot be made.
    }
    const endedAtMs = this.#now();
    const tookMs = endedAtMs - startedAtMs;
    if (tookMs >= SLOW_MS) this.#elsewhereUntilMs = endedAtMs + ELSEWHERE_FACTOR * tookMs;
    return result;
  }
}
