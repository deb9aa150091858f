import type { Millis } from './ids.ts';

/** Lets one of a kind through now and then, and counts what it keeps back: a flood must not fill a disk. */
export class Seldom {
  readonly #everyMs: Millis;
  readonly #kinds = new Map<string, { admittedAtMs: Millis; keptBack: number }>();

  constructor(everyMs: Millis) {
    this.#everyMs = everyMs;
  }

  /** @returns undefined to keep quiet, else how many of this kind were kept back since the last. */
  admit(kind: string, nowMs: Millis): number | undefined {
    const known = this.#kinds.get(kind);
    if (known !== undefined && nowMs - known.admittedAtMs < this.#everyMs) {
      known.keptBack++;
      return undefined;
    }
    this.#kinds.set(kind, { admittedAtMs: nowMs, keptBack: 0 });
    return known?.keptBack ?? 0;
  }
}
