import type { IndexEntries, IndexEntry } from './index-entries.ts';

/** All entries of an index at one moment: those of the file, then those not written yet. */
export class IndexView {
  readonly #stored: IndexEntries;
  readonly #pending: IndexEntries;

  constructor(stored: IndexEntries, pending: IndexEntries) {
    this.#stored = stored;
    this.#pending = pending;
  }

  get count(): number {
    return this.#stored.count + this.#pending.count;
  }

  at(number: number): IndexEntry {
    const stored = this.#stored.count;
    return number < stored ? this.#stored.at(number) : this.#pending.at(number - stored);
  }

  /** Number of the last entry with a key <= `target`, -1 when there is none. */
  floor(target: number): number {
    const inPending = this.#pending.floor(target);
    return inPending >= 0 ? this.#stored.count + inPending : this.#stored.floor(target);
  }

  /** Number of the last entry with a value <= `limit`, -1 when there is none. */
  floorByValue(limit: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle).value <= limit) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Whether keys and values rise, as they do in an index that is whole. */
  get rises(): boolean {
    let before: IndexEntry = { key: -1, value: -1 };
    for (let number = 0; number < this.count; number++) {
      const entry = this.at(number);
      if (entry.key <= before.key || entry.value <= before.value) return false;
      before = entry;
    }
    return true;
  }
}
