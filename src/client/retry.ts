import type { Millis } from '../model/ids.ts';
import type { Clock, Wakes } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { mayRetry } from './errors.ts';

const FIRST_MS = 100;
/** Whoever tries again does so within this. */
export const BACKOFF_MAX_MS = 2_000;

/** How long to wait after the failure of that number, from 0: up to a bound that doubles (full jitter). */
export function backoffMs(failures: number, random: Random): Millis {
  return Math.ceil(random.next() * Math.min(BACKOFF_MAX_MS, FIRST_MS * 2 ** Math.min(failures, 30)));
}

/** Resolves then. @throws what the signal says, at once. */
export function pause(clock: Clock, delayMs: Millis, signal?: AbortSignal): Promise<void> {
  return wait(clock, delayMs, { signal });
}

/** As `pause`; and it is over as soon as the home wakes, since what failed may work now. */
export function backOff(clock: Clock, delayMs: Millis, signal?: AbortSignal): Promise<void> {
  return wait(clock, delayMs, { signal, wakes: clock.wakes });
}

function wait(
  clock: Clock,
  delayMs: Millis,
  { signal, wakes }: { signal: AbortSignal | undefined; wakes?: Wakes | undefined },
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = () => {
      cancel();
      stopListening?.();
      signal?.removeEventListener('abort', aborted);
    };
    const aborted = () => {
      end();
      reject(signal?.reason as Error);
    };
    const over = () => {
      end();
      resolve();
    };
    const cancel = clock.at(clock.now() + delayMs, over);
    const stopListening = wakes?.on(over);
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

/** From when on to count what is tried since then: what a home slept is no time in which it was. */
export function awakeSince({ wakes }: Clock, sinceMs: Millis): Millis {
  return Math.max(sinceMs, wakes?.lastAtMs ?? sinceMs);
}

/** Waits no longer than the signal lets it; what is waited for goes on. @throws what the signal says. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason as Error);
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

/** Whether the work is over in that time; it goes on all the same. @throws what it throws, or the signal says. */
export async function within(
  work: Promise<unknown>,
  { clock, timeoutMs, signal }: { clock: Clock; timeoutMs: Millis; signal?: AbortSignal | undefined },
): Promise<boolean> {
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  try {
    const late = pause(clock, timeoutMs, either).then(() => false);
    return await Promise.race([work.then(() => true), late]);
  } finally {
    over.abort();
  }
}

export interface RetryOptions {
  clock: Clock;
  random: Random;
  /** What is left after it comes out as it is. */
  retryForMs: Millis;
  signal?: AbortSignal | undefined;
}

/**
 * How long failures in a row are put up with: they may have lasted `retryForMs`, with pauses that grow between them.
 */
export class Patience {
  readonly #options: RetryOptions;
  #sinceMs: Millis | undefined;
  #failures = 0;

  /** @param sinceMs from when on to count, instead of the first failure. */
  constructor(options: RetryOptions, sinceMs?: Millis) {
    this.#options = options;
    this.#sinceMs = sinceMs;
  }

  /**
   * Resolves when it is to be tried again. @throws the error when it is for good, or its time is up.
   * @param isRetried whether it can be tried again at all.
   */
  async wait(error: unknown, isRetried = mayRetry(error)): Promise<void> {
    const { clock, random, retryForMs, signal } = this.#options;
    const nowMs = clock.now();
    this.#sinceMs ??= nowMs;
    const leftMs = awakeSince(clock, this.#sinceMs) + retryForMs - nowMs;
    if (!isRetried || leftMs <= 0) throw error;
    // The last attempt is made when the time is up, not before.
    await backOff(clock, Math.min(backoffMs(this.#failures++, random), leftMs), signal);
  }
}

/** Tries until it succeeds, fails for good, or the time is up. @throws the last error. */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const patience = new Patience(options, options.clock.now());
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await patience.wait(error);
    }
  }
}
