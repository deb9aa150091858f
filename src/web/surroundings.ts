import type { Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Transport } from '../ports/transport.ts';

/** What happened to the page: its `network` went or came, or it is `shown` again, in its tab or out of a cache. */
export type Wake = 'network' | 'shown';

/** What a connection needs of its surroundings: the platform's, or a test's. */
export interface Surroundings {
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  transport: (url: string) => Transport;
  /** @returns takes it back. */
  onWake: (listener: (why: Wake) => void) => () => void;
  /** What a handler threw: said as loudly as the platform can. */
  report: (error: unknown) => void;
}

const FIRST_MS: Millis = 200;
const MOST_MS: Millis = 10_000;

/** Waits between tries: up to a bound that doubles (full jitter), and no longer when the page wakes. */
export class Patience {
  readonly #surroundings: Surroundings;
  #failures = 0;
  #wakeUp = () => {};

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Something worked. */
  reset(): void {
    this.#failures = 0;
  }

  /** Resolves when it is time to try again, or the signal is aborted. */
  wait(signal: AbortSignal): Promise<void> {
    const { clock, random, onWake } = this.#surroundings;
    const mostMs = Math.min(MOST_MS, FIRST_MS * 2 ** this.#failures++);
    return new Promise((resolve) => {
      const over = () => {
        cancel();
        stopListening();
        signal.removeEventListener('abort', over);
        resolve();
      };
      this.#wakeUp = () => {
        this.#failures = 0;
        over();
      };
      const cancel = clock.at(clock.now() + Math.ceil(random() * mostMs), over);
      const stopListening = onWake(() => this.#wakeUp());
      signal.addEventListener('abort', over);
      if (signal.aborted) over();
    });
  }

  /** It is time. */
  wake(): void {
    this.#wakeUp();
  }
}
