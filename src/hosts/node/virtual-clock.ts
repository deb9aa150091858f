import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';

interface Deadline {
  atMs: Millis;
  callback: () => void;
}

/** Turns of the event loop in which nothing new was put off, after which nothing more is expected. */
const QUIET_TURNS = 3;

/** Time that stands still until it is told to pass. What is due now is called back in a turn of its own, as ever. */
export class VirtualClock implements Clock {
  #nowMs: Millis;
  /** By time; those of one time in the order they were made. */
  readonly #deadlines: Deadline[] = [];
  /** How many callbacks were called, or were put off to the next turn. */
  #moves = 0;
  #advancing: Promise<void> = Promise.resolve();

  /** @param startMs milliseconds since 1970. */
  constructor(startMs: Millis) {
    this.#nowMs = startMs;
  }

  now(): Millis {
    return this.#nowMs;
  }

  at(atMs: Millis, callback: () => void): () => void {
    if (atMs <= this.#nowMs) {
      this.#moves++;
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const deadline = { atMs, callback };
    const later = this.#deadlines.findLastIndex((one) => one.atMs <= atMs) + 1;
    this.#deadlines.splice(later, 0, deadline);
    return () => {
      const index = this.#deadlines.indexOf(deadline);
      if (index >= 0) this.#deadlines.splice(index, 1);
    };
  }

  /**
   * So much time passes: deadlines are met in their order, each with all that follows from it within this process
   * before the next. What goes over sockets arrives when it arrives.
   */
  advance(byMs: Millis): Promise<void> {
    this.#advancing = this.#advancing.then(() => this.#advance(this.#nowMs + byMs));
    return this.#advancing;
  }

  async #advance(toMs: Millis): Promise<void> {
    await this.#quiet();
    for (;;) {
      const [next] = this.#deadlines;
      if (next === undefined || next.atMs > toMs) break;
      this.#deadlines.shift();
      this.#nowMs = next.atMs;
      this.#moves++;
      next.callback();
      await this.#quiet();
    }
    this.#nowMs = toMs;
  }

  async #quiet(): Promise<void> {
    let moves = -1;
    for (let turns = 0; turns < QUIET_TURNS; turns++) {
      if (moves !== this.#moves) turns = 0;
      moves = this.#moves;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
