/** An offset index: int32 offset, int32 position. A time index: int64 timestamp, int32 offset. Offsets relative. */
export type EntrySize = 8 | 12;

export interface IndexEntry {
  /** Relative offset, or timestamp. */
  key: number;
  /** Position in the log file, or relative offset. */
  value: number;
}

const TWO_TO_32 = 0x1_0000_0000;
const INT32_MAX = 0x7fff_ffff;
/** Brings a difference of two int64 into an int32 without changing whether it is negative, once rounded down. */
const TO_INT32 = 2 ** -33;
/** Entries for each one that the top names: eight cache lines of offsets. Its memory is a 64th of theirs. */
const BLOCK_ENTRIES = 64;

/**
 * Index entries, searched where they lie: as Kafka writes them, big-endian, keys rising from 0 on. A top, the key of
 * each 64th entry, says in which 64 a key is, as the upper levels of a B-tree would.
 *
 * A search goes on without a branch: at random keys the CPU guesses every other one wrong, which costs more than the
 * compare. The sign of a difference, spread over an int32, is what the step is masked with.
 */
export class IndexEntries {
  readonly #bytes: DataView;
  readonly #entrySize: EntrySize;
  readonly #top: Int32Array | Float64Array;
  readonly count: number;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array, entrySize: EntrySize) {
    this.#bytes = new DataView(buffer, byteOffset, byteLength);
    this.#entrySize = entrySize;
    this.count = Math.floor(byteLength / entrySize);
    const blocks = Math.ceil(this.count / BLOCK_ENTRIES);
    this.#top = entrySize === 8 ? new Int32Array(blocks) : new Float64Array(blocks);
    for (let block = 0; block < blocks; block++) this.#top[block] = this.#key(block * BLOCK_ENTRIES);
  }

  /** Of the entries and their top. */
  get sizeBytes(): number {
    return this.#bytes.byteLength + this.#top.byteLength;
  }

  at(number: number): IndexEntry {
    const value = this.#bytes.getInt32((number + 1) * this.#entrySize - 4);
    return { key: this.#key(number), value };
  }

  /** Number of the last entry with a key <= `target` (an integer), -1 when there is none. */
  floor(target: number): number {
    const top = this.#top;
    if (top.length === 0 || !(top[0]! <= target)) return -1;
    return this.#entrySize === 8
      ? offsetFloor(top as Int32Array, this.#bytes, Math.min(target, INT32_MAX))
      : timestampFloor(top as Float64Array, this.#bytes, target);
  }

  #key(number: number): number {
    const at = number * this.#entrySize;
    return this.#entrySize === 8 ? this.#bytes.getInt32(at) : timestampAt(this.#bytes, at);
  }
}

/**
 * `top[0] <= target <= INT32_MAX`: what lies between it and a key, none being negative, fits an int32. Three keys at a
 * step: a CPU loads them side by side, and takes half the steps.
 */
function offsetFloor(top: Int32Array, bytes: DataView, target: number): number {
  const above = (target + 1) | 0;
  let block = 0;
  let left = top.length;
  for (let part = left >>> 2; part > 0; part = left >>> 2) {
    const first = (top[block + part]! - above) >> 31;
    const second = (top[block + 2 * part]! - above) >> 31;
    const third = (top[block + 3 * part]! - above) >> 31;
    block += (part & first) + (part & second) + (part & third);
    left -= 3 * part;
  }
  for (; left > 1; left--) block -= (top[block + 1]! - above) >> 31;

  let entry = block * BLOCK_ENTRIES;
  left = Math.min(BLOCK_ENTRIES, (bytes.byteLength >>> 3) - entry);
  for (let part = left >>> 2; part > 0; part = left >>> 2) {
    const first = (bytes.getInt32((entry + part) << 3) - above) >> 31;
    const second = (bytes.getInt32((entry + 2 * part) << 3) - above) >> 31;
    const third = (bytes.getInt32((entry + 3 * part) << 3) - above) >> 31;
    entry += (part & first) + (part & second) + (part & third);
    left -= 3 * part;
  }
  for (; left > 1; left--) entry -= (bytes.getInt32((entry + 1) << 3) - above) >> 31;
  return entry;
}

/** `top[0] <= target`. */
function timestampFloor(top: Float64Array, bytes: DataView, target: number): number {
  let block = 0;
  for (let left = top.length, half = left >>> 1; left > 1; half = left >>> 1) {
    block += half & ~(Math.floor((target - top[block + half]!) * TO_INT32) >> 31);
    left -= half;
  }
  let entry = block * BLOCK_ENTRIES;
  const count = Math.min(BLOCK_ENTRIES, Math.floor(bytes.byteLength / 12) - entry);
  for (let left = count, half = left >>> 1; left > 1; half = left >>> 1) {
    entry += half & ~(Math.floor((target - timestampAt(bytes, (entry + half) * 12)) * TO_INT32) >> 31);
    left -= half;
  }
  return entry;
}

function timestampAt(bytes: DataView, at: number): number {
  return bytes.getInt32(at) * TWO_TO_32 + bytes.getUint32(at + 4);
}

/** `bytes` hold at least `number` + 1 entries. */
export function writeEntry(bytes: Uint8Array, entrySize: EntrySize, number: number, entry: IndexEntry): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = number * entrySize;
  if (entrySize === 12) view.setBigInt64(at, BigInt(entry.key));
  else view.setInt32(at, entry.key);
  view.setInt32(at + entrySize - 4, entry.value);
}
