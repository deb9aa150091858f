import { MATCHES, MATCHES_SIZE } from './layout';

/** Both formats reach back at most 64 KiB - 1, and a place has 16 bits: blocks of 64 KiB never look too far. */
export const LZ_BLOCK_MAX: usize = 65_536;
/** LZ4 wants the last match to start 12 bytes before a block's end and the last 5 bytes to be literals. */
const MATCH_START_MARGIN: usize = 12;
const LITERAL_TAIL: usize = 5;
const MATCH_MIN: usize = 4;
/** Steps grow by one every 64 misses, so that bytes that do not repeat are passed quickly. */
const SKIP_SHIFT: u32 = 6;

/** The match that `findMatch` found: [matchStart, matchEnd) repeats what lies `matchDistance` before it. */
export let matchStart: usize = 0;
export let matchEnd: usize = 0;
export let matchDistance: usize = 0;

export function forgetMatches(): void {
  memory.fill(MATCHES, 0, MATCHES_SIZE);
}

/** Where in MATCHES the 4 bytes of `word` have their place. */
// @ts-ignore: decorator
@inline
function slotOf(word: u32): usize {
  return ((word * 0x9e3779b1) >>> 17) & 0x7ffe;
}

/** Notes that `at` of the block has the bytes of that slot. @returns where they were before, 0 for never. */
// @ts-ignore: decorator
@inline
function swapSlot(slot: usize, at: usize, block: usize): usize {
  const before: usize = load<u16>(slot, MATCHES);
  store<u16>(slot, <u16>(at - block), MATCHES);
  return block + before;
}

/**
 * The next match of the block [block, end) from `literals` on, which is where the last match ended, or the block's
 * start. Greedy: the first that is found, as long as it goes, to both sides.
 */
export function findMatch(block: usize, end: usize, literals: usize): bool {
  if (end - block <= MATCH_START_MARGIN) return false;
  const lastStart = end - MATCH_START_MARGIN;
  let at = literals;
  if (at > lastStart) return false;
  if (at > block) {
    // Right behind a match comes another, often: one look without stepping.
    swapSlot(slotOf(load<u32>(at - 2)), at - 2, block);
    const candidate = swapSlot(slotOf(load<u32>(at)), at, block);
    if (load<u32>(candidate) == load<u32>(at)) return takeMatch(at, candidate, end);
  }
  at++;
  let misses: usize = 1 << SKIP_SHIFT;
  while (at <= lastStart) {
    const word = load<u32>(at);
    const candidate = swapSlot(slotOf(word), at, block);
    if (load<u32>(candidate) == word) return extendBack(at, candidate, block, literals, end);
    at += misses++ >> SKIP_SHIFT;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function extendBack(at: usize, candidate: usize, block: usize, literals: usize, end: usize): bool {
  const found = at;
  const distance = at - candidate;
  while (at > literals && at - distance > block && load<u8>(at - 1) == load<u8>(at - distance - 1)) at--;
  takeMatch(found, candidate, end);
  matchStart = at;
  return true;
}

/** The match at `at`, whose first 4 bytes are known to be equal. */
// @ts-ignore: decorator
@inline
function takeMatch(at: usize, candidate: usize, end: usize): bool {
  const distance = at - candidate;
  const limit = end - LITERAL_TAIL;
  matchStart = at;
  matchDistance = distance;
  at += MATCH_MIN;
  while (at + 8 <= limit) {
    const different = load<u64>(at) ^ load<u64>(at - distance);
    if (different != 0) {
      matchEnd = at + <usize>(ctz(different) >>> 3);
      return true;
    }
    at += 8;
  }
  while (at < limit && load<u8>(at) == load<u8>(at - distance)) at++;
  matchEnd = at;
  return true;
}
