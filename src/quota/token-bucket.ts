import type { Millis } from '../model/ids.ts';
import type { Windows } from './rate.ts';

/**
 * What may be taken at once is what comes in all windows together; whoever takes more than there is waits until it
 * has come (KIP-599). A bucket begins full.
 */
export class TokenBucket {
  readonly #burstSeconds: number;
  #tokens = Infinity;
  #filledAtMs: Millis | undefined;

  constructor({ count, sizeMs }: Windows) {
    this.#burstSeconds = (count * sizeMs) / 1_000;
  }

  /** @param limit tokens a second. Negative amounts give back. */
  take(amount: number, limit: number, nowMs: Millis): void {
    this.#fill(limit, nowMs);
    this.#tokens = Math.min(limit * this.#burstSeconds, this.#tokens - amount);
  }

  /** How long until nothing is missing: 0 when nothing is. */
  throttleMs(limit: number, nowMs: Millis): Millis {
    this.#fill(limit, nowMs);
    return this.#tokens >= 0 ? 0 : Math.round((-this.#tokens / limit) * 1_000);
  }

  isFull(limit: number, nowMs: Millis): boolean {
    this.#fill(limit, nowMs);
    return this.#tokens >= limit * this.#burstSeconds;
  }

  #fill(limit: number, nowMs: Millis): void {
    const elapsedMs = Math.max(0, nowMs - (this.#filledAtMs ?? nowMs));
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(limit * this.#burstSeconds, this.#tokens + (limit * elapsedMs) / 1_000);
  }
}
