import { FOLD, FOLD_BEYOND, FOLD_REMAINDER, FOLD_ROUND_SIZE, FOLD_WINDOW_SIZE } from './layout';

/**
 * Folding: shortens a message to at most 305 bytes of the same CRC, 16 bytes at a time and without tables. The idea is
 * that of "Chorba" (S. Russell, arXiv:2412.16398), worked out here for Castagnoli's polynomial P.
 *
 * A CRC is the remainder of the message, read as a polynomial over GF(2), after division by P, so adding a multiple
 * of P to the message does not change it. This multiple has few terms:
 *
 *     x^290 + x^136 + x^113 + x^107 + x^32 + 1  =  0   (mod P)
 *
 * It lets us take a bit away by adding (xor) it to the bits 154, 177, 183, 258 and 290 places further on. Squaring
 * over GF(2) keeps the terms of a sum and doubles their exponents; squared three times, it says the same of bytes.
 * Going from front to back, the byte that is there to be taken away at place i is
 *
 *     taken[i] = message[i] ^ taken[i - 154] ^ taken[i - 177] ^ taken[i - 183] ^ taken[i - 258] ^ taken[i - 290]
 *
 * which ends 290 bytes before the message does; what remains there is the same sum of what was taken so far.
 *
 * A search found the multiple. P is divisible by x + 1, so they all have an even number of terms; with four they reach
 * over kilobytes, and of those with six this is the quickest: the remainder is short, and yet no distance is so short
 * that a block waits for one stored just before it.
 */
const D1: usize = 154;
const D2: usize = 177;
const D3: usize = 183;
const D4: usize = 258;
const D5: usize = 290;

/**
 * Folds `length` bytes at `at`, 306 at least. `state` is a CRC before its last inversion; it goes into what remains,
 * which is at FOLD_REMAINDER and to be continued from 0.
 * @returns the length of what remains, 290 to 305.
 */
export function fold(state: u32, at: usize, length: i32): i32 {
  const end = at + length;
  const foldEnd = at + ((length - <i32>D5) & ~15);
  clear(FOLD, FOLD + FOLD_WINDOW_SIZE);
  // To continue a CRC is to add it to the first four bytes: from here it reaches them, and by the last distance only.
  store<u32>(FOLD, state, FOLD_WINDOW_SIZE - D5);
  while (true) {
    let window = FOLD;
    const pause = min(foldEnd, at + FOLD_ROUND_SIZE);
    for (; at < pause; at += 16) {
      v128.store(window, sum(at, window), FOLD_WINDOW_SIZE);
      window += 16;
    }
    if (at == foldEnd) return remainder(at, end, window);
    copy(FOLD, window, FOLD_WINDOW_SIZE);
  }
}

/** Block by block; the last ends where the message does, so that it may lie over the one before it. */
function remainder(at: usize, end: usize, window: usize): i32 {
  const length = <i32>(end - at);
  clear(window + FOLD_WINDOW_SIZE, window + FOLD_WINDOW_SIZE + FOLD_BEYOND);
  let to = FOLD_REMAINDER;
  for (; at + 16 < end; at += 16) {
    v128.store(to, sum(at, window));
    window += 16;
    to += 16;
  }
  const over = at + 16 - end;
  v128.store(to - over, sum(at - over, window - over));
  return length;
}

/** The sum for the 16 bytes at `at` of the message. At `window` are the FOLD_WINDOW_SIZE bytes taken before them. */
// @ts-ignore: decorator
@inline
function sum(at: usize, window: usize): v128 {
  return v128.xor(
    v128.xor(
      v128.xor(v128.load(at), v128.load(window, FOLD_WINDOW_SIZE - D1)),
      v128.xor(v128.load(window, FOLD_WINDOW_SIZE - D2), v128.load(window, FOLD_WINDOW_SIZE - D3)),
    ),
    v128.xor(v128.load(window, FOLD_WINDOW_SIZE - D4), v128.load(window, FOLD_WINDOW_SIZE - D5)),
  );
}

function clear(from: usize, end: usize): void {
  for (; from < end; from += 16) v128.store(from, i64x2.splat(0));
}

/** A call of memory.copy costs more than moving so little. */
function copy(to: usize, from: usize, size: usize): void {
  for (const end = to + size; to < end; to += 16) {
    v128.store(to, v128.load(from));
    from += 16;
  }
}
