import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';

interface Deadline {
  atMs: Millis;
  callback: () => void;
}

/** Nearer than this, a deadline has its own timer: it is likely to be met. */
const FAR_MS = 1_000;

/**
 * Deadlines that are seldom met share one timer: each request has one, and for workerd setting a timer and taking it
 * back is as much work as answering.
 */
export class OneTimer implements Clock {
  readonly #clock: Clock;
  readonly #far = new Set<Deadline>();
  #armedMs: Millis = Infinity;
  #disarm: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): Millis {
    return this.#clock.now();
  }

  at(atMs: Millis, callback: () => void): () => void {
    if (atMs - this.now() < FAR_MS) return this.#clock.at(atMs, callback);
    const deadline = { atMs, callback };
    this.#far.add(deadline);
    this.#arm(atMs);
    return () => this.#far.delete(deadline);
  }

  /** Nothing is called any more. */
  close(): void {
    this.#far.clear();
    this.#disarm();
  }

  #arm(atMs: Millis): void {
    if (atMs >= this.#armedMs) return;
    this.#disarm();
    this.#armedMs = atMs;
    this.#disarm = this.#clock.at(atMs, () => this.#met());
  }

  #met(): void {
    this.#armedMs = Infinity;
    const nowMs = this.now();
    for (const deadline of this.#far)
      if (deadline.atMs <= nowMs && this.#far.delete(deadline)) deadline.callback();
    for (const { atMs } of this.#far) this.#arm(atMs);
  }
}
