import { MATCHES } from './layout';
import { MATCH_MIN, writeLastLz4, writeLz4 } from './lz4-write';
import { writeLastSnappy, writeSnappy } from './snappy-write';

/** Both formats reach back at most 64 KiB - 1, and a place has 16 bits: blocks of 64 KiB never look too far. */
export const LZ_BLOCK_MAX: usize = 65_536;
/** LZ4 wants the last match to start 12 bytes before a block's end and the last 5 bytes to be literals. */
const MATCH_START_MARGIN: usize = 12;
const LITERAL_TAIL: usize = 5;
/** 2^14 places of 16 bits: as many as MATCHES has, and no more than a CPU's first cache. */
const HASH_BITS_MAX: u32 = 14;
const HASH_BITS_MIN: u32 = 8;
/** Steps grow by one every 64 misses, so that bytes that do not repeat are passed quickly. */
const SKIP_SHIFT: usize = 6;

/**
 * Packs the block [block, end) at `out`: the same repetitions for both formats, which differ in how they are written.
 * Greedy: each match is the first that is found, as long as it goes; for LZ4 to both sides, and a place within each
 * match is noted too: smaller by a fiftieth, and slower by a twentieth, which Snappy is for. Inlined with a constant
 * `isLz4`, so that each format has a loop of its own: a call a match would cost a tenth.
 * @returns where the output ends.
 */
// @ts-ignore: decorator
@inline
export function packBlock(block: usize, end: usize, out: usize, isLz4: bool): usize {
  // Fewer places for a small block: clearing them all would take longer than packing it.
  const bits = min(max(32 - clz<u32>(<u32>(end - block)), HASH_BITS_MIN), HASH_BITS_MAX);
  const shift = 31 - bits;
  memory.fill(MATCHES, 0, 2 << bits);
  let literals = block;
  const lastStart = end - MATCH_START_MARGIN;
  let at = block + 1;
  while (at <= lastStart) {
    // Steps until 4 bytes are those that were last seen with their hash.
    let candidate: usize;
    let misses: usize = 1 << SKIP_SHIFT;
    while (true) {
      const word = load<u32>(at);
      candidate = swapSlot(word, shift, at, block);
      if (load<u32>(candidate) == word) break;
      at += misses++ >> SKIP_SHIFT;
      if (at > lastStart) break;
    }
    if (at > lastStart) break;
    const distance = at - candidate;
    let start = at;
    if (isLz4) {
      const least = max(literals, block + distance);
      while (start > least && load<u8>(start - 1) == load<u8>(start - distance - 1)) start--;
    }
    at = matchEnd(at + MATCH_MIN, distance, end - LITERAL_TAIL);
    out = isLz4 ? writeLz4(out, literals, start, distance, at) : writeSnappy(out, literals, start, distance, at);
    literals = at;

    // Right behind a match comes another, often: one look without stepping.
    while (at <= lastStart) {
      if (isLz4) swapSlot(load<u32>(at - 2), shift, at - 2, block);
      const word = load<u32>(at);
      candidate = swapSlot(word, shift, at, block);
      if (load<u32>(candidate) != word) break;
      at = matchEnd(at + MATCH_MIN, at - candidate, end - LITERAL_TAIL);
      out = isLz4
        ? writeLz4(out, literals, literals, literals - candidate, at)
        : writeSnappy(out, literals, literals, literals - candidate, at);
      literals = at;
    }
    at++;
  }
  return isLz4 ? writeLastLz4(out, literals, end) : writeLastSnappy(out, literals, end);
}

/** Notes where `word` is. @returns where it, or another of its hash, was before: the block's start for never. */
// @ts-ignore: decorator
@inline
function swapSlot(word: u32, shift: u32, at: usize, block: usize): usize {
  const slot: usize = ((word * 0x9e3779b1) >>> shift) & ~1;
  const before: usize = load<u16>(slot, MATCHES);
  store<u16>(slot, <u16>(at - block), MATCHES);
  return block + before;
}

// @ts-ignore: decorator
@inline
function matchEnd(at: usize, distance: usize, limit: usize): usize {
  while (at + 8 <= limit) {
    const different = load<u64>(at) ^ load<u64>(at - distance);
    if (different != 0) return at + <usize>(ctz(different) >>> 3);
    at += 8;
  }
  while (at < limit && load<u8>(at) == load<u8>(at - distance)) at++;
  return at;
}
