import type { Millis } from '../model/ids.ts';

/** Who is woken so much too late was not merely busy: the clock was set, or the home slept. */
const LATE_MS = 5_000;

/**
 * Time that timeouts are measured in: the wall clock's without its jumps, so that a clock that is set does not abort
 * every transaction there is. A jump is known by a deadline that was missed by far, or by time that runs back.
 */
export class SteadyTime {
  /** How far the wall clock is ahead of what has passed. */
  #aheadMs = 0;
  #lastMs: Millis = -Infinity;

  /** To be told first of all. @param dueAtMs when we wanted to be told at the latest, by the wall clock. */
  observe(nowMs: Millis, dueAtMs: Millis): void {
    if (nowMs < this.#lastMs) this.#aheadMs -= this.#lastMs - nowMs;
    else if (nowMs > dueAtMs + LATE_MS) this.#aheadMs += nowMs - dueAtMs;
    this.#lastMs = nowMs;
  }

  steady(wallMs: Millis): Millis {
    return wallMs - this.#aheadMs;
  }

  wall(steadyMs: Millis): Millis {
    return steadyMs + this.#aheadMs;
  }
}
