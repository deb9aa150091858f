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

export function readEntry(bytes: Uint8Array, entrySize: EntrySize, number: number): IndexEntry {
  const view = new DataView(bytes.buffer, bytes.byteOffset + number * entrySize, entrySize);
  const key = entrySize === 12 ? Number(view.getBigInt64(0)) : view.getInt32(0);
  return { key, value: view.getInt32(entrySize - 4) };
}

export function writeEntry(
  bytes: Uint8Array,
  entrySize: EntrySize,
  number: number,
  { key, value }: IndexEntry,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + number * entrySize, entrySize);
  if (entrySize === 12) view.setBigInt64(0, BigInt(key));
  else view.setInt32(0, key);
  view.setInt32(entrySize - 4, value);
}

/** All entries of an index at one moment: those of the file, then those not written yet. */
export class IndexView {
  readonly #stored: Uint8Array;
  readonly #pending: Uint8Array;
  readonly #entrySize: EntrySize;
  readonly #kernels: Kernels;

  constructor(entries: { stored: Uint8Array; pending: Uint8Array; entrySize: EntrySize }, kernels: Kernels) {
    this.#stored = entries.stored;
    this.#pending = entries.pending;
    this.#entrySize = entries.entrySize;
    this.#kernels = kernels;
  }

  get count(): number {
    return (this.#stored.length + this.#pending.length) / this.#entrySize;
  }

  at(number: number): IndexEntry {
    const stored = this.#stored.length / this.#entrySize;
    if (number < stored) return readEntry(this.#stored, this.#entrySize, number);
    return readEntry(this.#pending, this.#entrySize, number - stored);
  }

  /** Number of the last entry with a key <= `target`, -1 when there is none. */
  floor(target: number): number {
    const inPending = this.#search(this.#pending, target);
    return inPending >= 0
      ? this.#stored.length / this.#entrySize + inPending
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

  #search(bytes: Uint8Array, target: number): number {
    let low = 0;
    let high = bytes.length / this.#entrySize;
    while (high - low > SEARCHED_ENTRIES) {
      const middle = (low + high) >>> 1;
      if (readEntry(bytes, this.#entrySize, middle).key <= target) low = middle;
      else high = middle;
    }
    const part = bytes.subarray(low * this.#entrySize, high * this.#entrySize);
    return low + this.#kernels.indexFloor(part, this.#entrySize, target);
  }
}
