const ENTRY_SIZE = 8;
/** Two cache lines of entries. */
const BLOCK_ENTRIES = 16;
const INT32_MAX = 0x7fff_ffff;
const NONE = new Int32Array(0);

/**
 * Finds offsets in an offset index (an entry: int32 offset, int32 position) where its entries lie. The key of each
 * 16th entry says in which block of 16 an offset is, as the upper level of a B-tree would. Where to look among these
 * keys a guide says: it names, for parts of their range that are equally long, the block that each begins in. Batches
 * of a log are much alike, so its offsets rise evenly, and no part has many blocks. Where they do not, a search takes
 * a step more each time that the fullest part has four times as many. Both take a tenth of the entries' memory at most.
 *
 * A search has as many steps whatever is looked for, and goes on without a branch: at random offsets a CPU guesses
 * every other one wrong, which costs more than the compare. A step looks at three keys, which a CPU loads side by side,
 * and counts those below: by the sign of a difference, since what lies between two keys, none being negative, fits an
 * int32; and INT32_MAX + 1 is as far below. Sums are cut to 32 bits so that V8 does not look whether they fit.
 */
export class OffsetTop {
  readonly #entries: DataView;
  readonly #count: number;
  #keys = NONE;
  #guide = NONE;
  /** A part is 2 to this many offsets long. */
  #partBits = 0;
  /** And fewer blocks than 2 to this begin in it. */
  #blockBits = 0;

  /** Looks at the first `count` entries. */
  constructor(entries: DataView, count: number) {
    this.#entries = entries;
    this.#count = count;
    if (count < BLOCK_ENTRIES) return;
    const blocks = Math.ceil(count / BLOCK_ENTRIES);
    this.#keys = keysOf(entries, blocks);
    const lastKey = Math.max(0, this.#keys[blocks - 1]!);
    // A quarter as many parts as blocks, up to as many.
    this.#partBits = Math.max(0, bitsOf(lastKey) - bitsOf(blocks >> 1));
    this.#guide = guideOf(this.#keys, (lastKey >> this.#partBits) + 1, 2 ** this.#partBits);
    this.#blockBits = bitsOf(fullestOf(this.#guide, blocks));
  }

  get sizeBytes(): number {
    return this.#keys.byteLength + this.#guide.byteLength;
  }

  /** Number of the last entry with an offset <= `target`, given that there is one. */
  floor(target: number): number {
    const entries = this.#entries;
    const wanted = target < INT32_MAX ? target | 0 : INT32_MAX;
    if (this.#count < BLOCK_ENTRIES) return fewFloor(entries, this.#count, wanted);

    const above = (wanted + 1) | 0;
    const keys = this.#keys;
    const guide = this.#guide;
    let bits = this.#blockBits;
    const part = Math.max(0, Math.min(wanted >> this.#partBits, guide.length - 1));
    // Near the end it begins before what the guide says: what it looks at must be there.
    let block = Math.min(guide[part]!, keys.length - (1 << bits));
    if (bits & 1) {
      bits--;
      block += ((keys[(block + (1 << bits)) | 0]! - above) >>> 31) << bits;
    }
    while (bits > 0) {
      bits -= 2;
      const step = 1 << bits;
      const first = (keys[(block + step) | 0]! - above) >>> 31;
      const second = (keys[(block + 2 * step) | 0]! - above) >>> 31;
      const third = (keys[(block + 3 * step) | 0]! - above) >>> 31;
      block = (block + ((first + second + third) << bits)) | 0;
    }
    // The last block has fewer entries, as a rule: then those before it are looked at too, and not what fills up keys.
    let at = Math.min(block * BLOCK_ENTRIES, this.#count - BLOCK_ENTRIES) << 3;
    at = (at + (belowAt(entries, at, 4 * ENTRY_SIZE, above) << 5)) | 0;
    at = (at + (belowAt(entries, at, ENTRY_SIZE, above) << 3)) | 0;
    return at >> 3;
  }
}

/** The first key of each block, filled up to a power of two. */
function keysOf(entries: DataView, blocks: number): Int32Array<ArrayBuffer> {
  const keys = new Int32Array(2 ** bitsOf(blocks - 1)).fill(INT32_MAX, blocks);
  for (let block = 0; block < blocks; block++) {
    keys[block] = entries.getInt32(block * BLOCK_ENTRIES * ENTRY_SIZE);
  }
  return keys;
}

/** For each part the last block whose key is not beyond where it begins. */
function guideOf(keys: Int32Array, parts: number, partSize: number): Int32Array<ArrayBuffer> {
  const guide = new Int32Array(parts);
  for (let part = 1, block = 0; part < parts; part++) {
    while (keys[block + 1]! <= part * partSize) block++;
    guide[part] = block;
  }
  return guide;
}

/** How many blocks begin in the part that has most, behind the one that it begins in. */
function fullestOf(guide: Int32Array, blocks: number): number {
  let fullest = 0;
  for (let part = 0; part < guide.length; part++) {
    fullest = Math.max(fullest, (guide[part + 1] ?? blocks - 1) - guide[part]!);
  }
  return fullest;
}

/** How many of the three keys at `at` + 1, 2 and 3 `step` bytes are below `above`. */
function belowAt(entries: DataView, at: number, step: number, above: number): number {
  const first = (entries.getInt32((at + step) | 0) - above) >>> 31;
  const second = (entries.getInt32((at + 2 * step) | 0) - above) >>> 31;
  const third = (entries.getInt32((at + 3 * step) | 0) - above) >>> 31;
  return first + second + third;
}

/** Of fewer entries than a block has. */
function fewFloor(entries: DataView, count: number, target: number): number {
  let entry = 0;
  while (entry + 1 < count && entries.getInt32((entry + 1) * ENTRY_SIZE) <= target) entry++;
  return entry;
}

/** How many bits `number` has without its leading zeros. */
function bitsOf(number: number): number {
  return 32 - Math.clz32(number);
}
