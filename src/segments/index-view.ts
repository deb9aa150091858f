import type { Kernels } from '../kernels/kernels.ts';

/** An offset index: int32 offset, int32 position. A time index: int64 timestamp, int32 offset. Offsets relative. */
export type EntrySize = 8 | 12;

export interface IndexEntry {
  /** Relative offset, or timestamp. */
  key: number;
  /** Position in the log file, or relative offset. */
  value: number;
}

/** A kernel call copies what it searches: of a large index only the part that decides. */
const SEARCHED_ENTRIES = 256;

export function dataView({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

export function readEntry(view: DataView, entrySize: EntrySize, number: number): IndexEntry {
  const at = number * entrySize;
  const key = entrySize === 12 ? Number(view.getBigInt64(at)) : view.getInt32(at);
  return { key, value: view.getInt32(at + entrySize - 4) };
}

export function writeEntry(view: DataView, entrySize: EntrySize, number: number, entry: IndexEntry): void {
  const at = number * entrySize;
  if (entrySize === 12) view.setBigInt64(at, BigInt(entry.key));
  else view.setInt32(at, entry.key);
  view.setInt32(at + entrySize - 4, entry.value);
}

/** All entries of an index at one moment: those of the file, then those not written yet. */
export class IndexView {
  readonly #stored: DataView;
  readonly #pending: DataView;
  readonly #entrySize: EntrySize;
  readonly #kernels: Kernels;

  constructor(entries: { stored: Uint8Array; pending: Uint8Array; entrySize: EntrySize }, kernels: Kernels) {
    this.#stored = dataView(entries.stored);
    this.#pending = dataView(entries.pending);
    this.#entrySize = entries.entrySize;
    this.#kernels = kernels;
  }

  get count(): number {
    return (this.#stored.byteLength + this.#pending.byteLength) / this.#entrySize;
  }

  at(number: number): IndexEntry {
    const stored = this.#stored.byteLength / this.#entrySize;
    if (number < stored) return readEntry(this.#stored, this.#entrySize, number);
    return readEntry(this.#pending, this.#entrySize, number - stored);
  }

  /** Number of the last entry with a key <= `target`, -1 when there is none. */
  floor(target: number): number {
    const inPending = this.#search(this.#pending, target);
    return inPending >= 0
      ? this.#stored.byteLength / this.#entrySize + inPending
      : this.#search(this.#stored, target);
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

  #search(entries: DataView, target: number): number {
    let low = 0;
    let high = entries.byteLength / this.#entrySize;
    while (high - low > SEARCHED_ENTRIES) {
      const middle = (low + high) >>> 1;
      if (readEntry(entries, this.#entrySize, middle).key <= target) low = middle;
      else high = middle;
    }
    const start = entries.byteOffset + low * this.#entrySize;
    const part = new Uint8Array(entries.buffer, start, (high - low) * this.#entrySize);
    return low + this.#kernels.indexFloor(part, this.#entrySize, target);
  }
}
