import type { Millis } from '../model/ids.ts';
import type { Clock, Wakes } from '../ports/clock.ts';

/** Calls back whenever its home says that it woke, until the returned function is called. */
export type WakeSource = (woke: () => void) => () => void;

/** How late a deadline may be met by a home that is awake: browsers let hidden pages run once a minute. */
const AWAKE_MS = 90_000;

/** A clock that knows when its home has slept: a deadline is met far too late, or the home says so. */
export class WakefulClock implements Clock, Wakes {
  readonly #clock: Clock;
  readonly #source: WakeSource | undefined;
  readonly #callbacks = new Set<() => void>();
  #stopListening: (() => void) | undefined;
  lastAtMs: Millis | undefined;

  constructor(clock: Clock, source?: WakeSource) {
    this.#clock = clock;
    this.#source = source;
  }

  get wakes(): Wakes {
    return this;
  }

  now(): Millis {
    return this.#clock.now();
  }

  at(atMs: Millis, callback: () => void): () => void {
    return this.#clock.at(atMs, () => {
      if (this.now() - atMs > AWAKE_MS) this.#woke();
      callback();
    });
  }

  on(callback: () => void): () => void {
    this.#callbacks.add(callback);
    this.#stopListening ??= this.#source?.(() => this.#woke());
    return () => {
      this.#callbacks.delete(callback);
      if (this.#callbacks.size > 0) return;
      this.#stopListening?.();
      this.#stopListening = undefined;
    };
  }

  #woke(): void {
    this.lastAtMs = this.now();
    for (const callback of this.#callbacks) callback();
  }
}
