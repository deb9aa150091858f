import type { Millis } from '../model/ids.ts';

/** quota.window.num and quota.window.size.seconds. */
export interface Windows {
  readonly count: number;
  readonly sizeMs: Millis;
}

interface Sample {
  readonly startMs: Millis;
  sum: number;
}

/**
 * How much of something there was a second, over the last windows, as Kafka counts it (SampledStat, Rate): windows
 * begin when something comes, and there are always as many as if all but the last had been whole, so that what has
 * just begun does not look fast.
 */
export class SampledRate {
  readonly #windows: Windows;
  #samples: Sample[] = [];

  constructor(windows: Windows) {
    this.#windows = windows;
  }

  record(amount: number, nowMs: Millis): void {
    this.#purge(nowMs);
    const last = this.#samples.at(-1);
    if (last !== undefined && nowMs - last.startMs < this.#windows.sizeMs) last.sum += amount;
    else this.#samples.push({ startMs: nowMs, sum: amount });
  }

  /** A second. */
  rate(nowMs: Millis): number {
    this.#purge(nowMs);
    const sum = this.#samples.reduce((total, sample) => total + sample.sum, 0);
    return (sum * 1_000) / this.#spanMs(nowMs);
  }

  /** How long nothing may come for the rate to be `limit` again: 0 when it is not above. */
  throttleMs(limit: number, nowMs: Millis): Millis {
    const rate = this.rate(nowMs);
    return rate <= limit ? 0 : Math.round(((rate - limit) / limit) * this.#spanMs(nowMs));
  }

  /** Nothing of it counts any more. */
  isOver(nowMs: Millis): boolean {
    this.#purge(nowMs);
    return this.#samples.length === 0;
  }

  #spanMs(nowMs: Millis): Millis {
    const { count, sizeMs } = this.#windows;
    const elapsedMs = nowMs - (this.#samples[0]?.startMs ?? nowMs);
    const missing = count - 1 - Math.floor(elapsedMs / sizeMs);
    return Math.max(1, elapsedMs + Math.max(0, missing) * sizeMs);
  }

  /** A clock that was set back leaves nothing to count with. */
  #purge(nowMs: Millis): void {
    const { count, sizeMs } = this.#windows;
    const oldestMs = nowMs - count * sizeMs;
    const isSetBack = (this.#samples.at(-1)?.startMs ?? nowMs) > nowMs;
    if (isSetBack) this.#samples = [];
    while ((this.#samples[0]?.startMs ?? nowMs) <= oldestMs && this.#samples.length > 0)
      this.#samples.shift();
  }
}
