import { setTimeout } from 'node:timers/promises';

/** Shorter waits are not worth a timer. */
const WAIT_MIN_MS = 2;

/** Lets records through at a steady rate. */
export class Pace {
  readonly #intervalMs: number;
  #dueMs = performance.now();

  constructor(perSecond: number) {
    this.#intervalMs = 1_000 / perSecond;
  }

  /**
   * Before each record: when it is early, a promise of its time. What was late is not made up for beyond a second.
   * @throws what the signal says.
   */
  next(signal: AbortSignal): Promise<void> | undefined {
    const nowMs = performance.now();
    this.#dueMs = Math.max(this.#dueMs + this.#intervalMs, nowMs - 1_000);
    const earlyMs = this.#dueMs - nowMs;
    return earlyMs < WAIT_MIN_MS ? undefined : wait(earlyMs, signal);
  }
}

async function wait(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(delayMs, undefined, { signal });
  } catch (error) {
    // Node has an error of its own for that.
    signal.throwIfAborted();
    throw error;
  }
}
