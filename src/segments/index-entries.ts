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
/** Entries for each one that the top names: two cache lines of offsets. Its memory is a 32nd of theirs, or a 24th. */
const BLOCK_ENTRIES = 16;
const OFFSETS_BLOCK_SIZE = 8 * BLOCK_ENTRIES;

/**
 * Index entries, searched where they lie: as Kafka writes them, big-endian, keys rising from 0 on. A top, the key of
 * each 16th entry, says in which 16 a key is, as the upper levels of a B-tree would.
 *
 * A search goes on without a branch: at random keys the CPU guesses every other one wrong, which costs more than the
 * compare. The sign of a difference says which half to go on with.
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
    this.#top = entrySize === 8 ? new Int32Array(powerOf2(blocks)).fill(INT32_MAX) : new Float64Array(blocks);
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
    if (this.#entrySize === 12) return timestampFloor(top as Float64Array, this.#bytes, target);
    const above = (Math.min(target, INT32_MAX) + 1) | 0;
    const { count } = this;
    if (count < BLOCK_ENTRIES) return fewFloor(this.#bytes, count, above);
    return offsetFloor(top as Int32Array, this.#bytes, (count - BLOCK_ENTRIES) << 3, above);
  }

  #key(number: number): number {
    const at = number * this.#entrySize;
    return this.#entrySize === 8 ? this.#bytes.getInt32(at) : timestampAt(this.#bytes, at);
  }
}

/** The next power of two, from 1 on. */
function powerOf2(count: number): number {
  return count === 0 ? 0 : 2 ** Math.ceil(Math.log2(count));
}

/**
 * `top[0] < above`; the last whole block of entries is at `lastAt`. Three keys at a step: a CPU loads them side by
 * side, and takes half the steps.
 */
function offsetFloor(top: Int32Array, bytes: DataView, lastAt: number, above: number): number {
  let shift = 31 - Math.clz32(top.length);
  let block = 0;
  if (shift & 1) {
    shift--;
    block = isBelow(top[1 << shift]!, above) << shift;
  }
  for (shift -= 2; shift >= 0; shift -= 2) {
    const part = 1 << shift;
    const first = isBelow(top[block + part]!, above);
    const second = isBelow(top[block + 2 * part]!, above);
    const third = isBelow(top[block + 3 * part]!, above);
    block += (first + second + third) << shift;
  }
  // The last block has fewer entries, as a rule: then those before it are looked at too, and what fills the top up.
  let at = Math.min(block * OFFSETS_BLOCK_SIZE, lastAt);
  at += belowAt(bytes, at, 32, above) << 5;
  at += belowAt(bytes, at, 8, above) << 3;
  return at >>> 3;
}

/** How many of the three keys at `at` + 1, 2 and 3 `step` bytes are below `above`. */
function belowAt(bytes: DataView, at: number, step: number, above: number): number {
  const first = isBelow(bytes.getInt32(at + step), above);
  const second = isBelow(bytes.getInt32(at + 2 * step), above);
  return first + second + isBelow(bytes.getInt32(at + 3 * step), above);
}

/** 1 or 0. What lies between two keys, none being negative, fits an int32; INT32_MAX + 1 is as far below. */
function isBelow(key: number, above: number): number {
  return (key - above) >>> 31;
}

/** Of fewer entries than a block has; the first is below `above`. */
function fewFloor(bytes: DataView, count: number, above: number): number {
  let entry = 0;
  while (entry + 1 < count && isBelow(bytes.getInt32((entry + 1) << 3), above)) entry++;
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
