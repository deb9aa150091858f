import { from6, from9, from15 } from './lanes';
import {
  FOLD,
  FOLD_BEYOND,
  FOLD_REMAINDER,
  FOLD_REMAINDER_SIZE,
  FOLD_ROUND_SIZE,
  FOLD_WINDOW_SIZE,
  PAD_MASKS,
} from './layout';

/**
 * Folding: shortens a message to 304 bytes of the same CRC, 16 bytes at a time and without tables. The idea is that of
 * "Chorba" (S. Russell, arXiv:2412.16398), worked out here for Castagnoli's polynomial P.
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
 * What is taken last reaches 290 bytes further; what remains there is the same sum of what was taken so far.
 *
 * A search found the multiple. P is divisible by x + 1, so they all have an even number of terms; with four they reach
 * over kilobytes, and of those with six this one has a short remainder and lets loads be saved. These are what takes
 * time, above all those that cross what was stored a moment ago. So of the five distances:
 *
 *     290 = 258 + 2 blocks           is what 258 had loaded two blocks before
 *     177 and 183 = 12 blocks less   begin in the same block, and end in the next
 *     154 = 10 blocks less 6 bytes   begins two blocks after that one
 *
 * and one whole block, stored nine before, serves the last three: it stays in hand while the next three are taken.
 */
const LONGEST: usize = 290;

/** In a window, what every block loads of it. */
const NINTH: usize = FOLD_WINDOW_SIZE - 9 * 16;
const FAR: usize = FOLD_WINDOW_SIZE - 258;

v128.store(PAD_MASKS, i8x16.splat(-1), 16);

/**
 * Folds `length` bytes at `at`, 320 at least. `state` is a CRC before its last inversion; it goes into what remains,
 * the `FOLD_REMAINDER_SIZE` bytes at `FOLD_REMAINDER`, whose CRC is to be continued from 0.
 */
export function fold(state: u32, at: usize, length: i32): void {
  // Zeros before a message do not change a CRC that begins with 0: they make it whole blocks.
  const pad: usize = -length & 15;
  const end = at + length;
  const foldEnd = end - FOLD_REMAINDER_SIZE;
  at -= pad;
  clear(FOLD, FOLD + FOLD_WINDOW_SIZE);
  // To continue a CRC is to add it to the first four bytes: from here it reaches them, and by the last distance only.
  store<u32>(FOLD + pad, state, FOLD_WINDOW_SIZE - LONGEST);
  const first = v128.and(v128.load(at), v128.load(PAD_MASKS + 16 - pad));
  v128.store(FOLD, v128.xor(first, v128.load(FOLD, FOLD_WINDOW_SIZE - LONGEST)), FOLD_WINDOW_SIZE);

  let pause = min(foldEnd, at + FOLD_ROUND_SIZE);
  let window = take(at + 16, pause, FOLD + 16, FOLD + 16 + FOLD_WINDOW_SIZE);
  while (pause != foldEnd) {
    copy(FOLD, window, FOLD_WINDOW_SIZE);
    at = pause;
    pause = min(foldEnd, at + FOLD_ROUND_SIZE);
    window = take(at, pause, FOLD, FOLD + FOLD_WINDOW_SIZE);
  }
  clear(window + FOLD_WINDOW_SIZE, window + FOLD_WINDOW_SIZE + FOLD_BEYOND);
  take(foldEnd, end, window, FOLD_REMAINDER);
}

/**
 * Takes the blocks [at, end). At `window` are the FOLD_WINDOW_SIZE bytes taken before them. What is taken goes to `to`,
 * right behind the window; or, of the last blocks, somewhere else: then it is what remains, and zeros are behind it.
 * @returns the window of the next block.
 */
function take(at: usize, end: usize, window: usize, to: usize): usize {
  // Blocks, by how many blocks ago they were taken.
  let twelfth = v128.load(window, FOLD_WINDOW_SIZE - 12 * 16);
  let eleventh = v128.load(window, FOLD_WINDOW_SIZE - 11 * 16);
  let tenth = v128.load(window, FOLD_WINDOW_SIZE - 10 * 16);
  let last = v128.load(window, FOLD_WINDOW_SIZE - LONGEST);
  let beforeLast = v128.load(window, FOLD_WINDOW_SIZE - LONGEST + 16);
  // Six at a time: after three blocks the names of the near ones come again, after two those of the far ones, so that
  // nothing is moved.
  for (const sixesEnd = end - 80; at < sixesEnd; at += 96) {
    const ninth0 = v128.load(window, NINTH);
    const far0 = v128.load(window, FAR);
    const block0 = taken(v128.load(at), last, far0, twelfth, eleventh, tenth, ninth0);
    v128.store(to, block0);
    twelfth = ninth0;
    last = far0;
    const ninth1 = v128.load(window, NINTH + 16);
    const far1 = v128.load(window, FAR + 16);
    const block1 = taken(v128.load(at, 16), beforeLast, far1, eleventh, tenth, twelfth, ninth1);
    v128.store(to, block1, 16);
    eleventh = ninth1;
    beforeLast = far1;
    const ninth2 = v128.load(window, NINTH + 32);
    const far2 = v128.load(window, FAR + 32);
    const block2 = taken(v128.load(at, 32), last, far2, tenth, twelfth, eleventh, ninth2);
    v128.store(to, block2, 32);
    tenth = ninth2;
    last = far2;
    const ninth3 = v128.load(window, NINTH + 48);
    const far3 = v128.load(window, FAR + 48);
    const block3 = taken(v128.load(at, 48), beforeLast, far3, twelfth, eleventh, tenth, ninth3);
    v128.store(to, block3, 48);
    twelfth = ninth3;
    beforeLast = far3;
    const ninth4 = v128.load(window, NINTH + 64);
    const far4 = v128.load(window, FAR + 64);
    const block4 = taken(v128.load(at, 64), last, far4, eleventh, tenth, twelfth, ninth4);
    v128.store(to, block4, 64);
    eleventh = ninth4;
    last = far4;
    const ninth5 = v128.load(window, NINTH + 80);
    const far5 = v128.load(window, FAR + 80);
    const block5 = taken(v128.load(at, 80), beforeLast, far5, tenth, twelfth, eleventh, ninth5);
    v128.store(to, block5, 80);
    tenth = ninth5;
    beforeLast = far5;
    window += 96;
    to += 96;
  }
  for (; at < end; at += 16) {
    const ninth = v128.load(window, NINTH);
    const far = v128.load(window, FAR);
    v128.store(to, taken(v128.load(at), last, far, twelfth, eleventh, tenth, ninth));
    twelfth = eleventh;
    eleventh = tenth;
    tenth = ninth;
    last = beforeLast;
    beforeLast = far;
    window += 16;
    to += 16;
  }
  return window;
}

/** A block, less what reaches it: by the distances 290 and 258, and from the four blocks between 192 and 144 ago. */
// @ts-ignore: decorator
@inline
function taken(
  message: v128,
  by290: v128,
  by258: v128,
  twelfth: v128,
  eleventh: v128,
  tenth: v128,
  ninth: v128,
): v128 {
  const near = v128.xor(message, from6(tenth, ninth));
  const middle = v128.xor(from15(twelfth, eleventh), from9(twelfth, eleventh));
  return v128.xor(v128.xor(near, v128.xor(by290, by258)), middle);
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
