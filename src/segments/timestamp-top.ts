const ENTRY_SIZE = 12;
const BLOCK_ENTRIES = 16;
const TWO_TO_32 = 0x1_0000_0000;
/** Brings a difference of two int64 into an int32 without changing whether it is negative, once rounded down. */
const TO_INT32 = 2 ** -33;

/**
 * Finds timestamps in a time index (an entry: int64 timestamp, int32 offset) where its entries lie. The key of each
 * 16th entry says in which block of 16 a timestamp is, as the upper level of a B-tree would. The sign of a difference
 * says which half to go on with: a branch would be guessed wrong every other time.
 */
export class TimestampTop {
  readonly #entries: DataView;
  readonly #count: number;
  readonly #keys: Float64Array;

  /** Looks at the first `count` entries. */
  constructor(entries: DataView, count: number) {
    this.#entries = entries;
    this.#count = count;
    this.#keys = new Float64Array(Math.ceil(count / BLOCK_ENTRIES));
    for (let block = 0; block < this.#keys.length; block++) {
      this.#keys[block] = timestampAt(entries, block * BLOCK_ENTRIES * ENTRY_SIZE);
    }
  }

  get sizeBytes(): number {
    return this.#keys.byteLength;
  }

  /** Number of the last entry with a timestamp <= `target`, given that there is one. */
  floor(target: number): number {
    const keys = this.#keys;
    let block = 0;
    for (let left = keys.length, half = left >>> 1; left > 1; half = left >>> 1) {
      block += half & ~(Math.floor((target - keys[block + half]!) * TO_INT32) >> 31);
      left -= half;
    }
    let entry = block * BLOCK_ENTRIES;
    const count = Math.min(BLOCK_ENTRIES, this.#count - entry);
    for (let left = count, half = left >>> 1; left > 1; half = left >>> 1) {
      const timestamp = timestampAt(this.#entries, (entry + half) * ENTRY_SIZE);
      entry += half & ~(Math.floor((target - timestamp) * TO_INT32) >> 31);
      left -= half;
    }
    return entry;
  }
}

export function timestampAt(entries: DataView, at: number): number {
  return entries.getInt32(at) * TWO_TO_32 + entries.getUint32(at + 4);
}
