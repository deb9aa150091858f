import { from15 } from './lanes';

/**
 * Shortens a long message in its own place to `SHORT_SIZE` bytes of the same CRC: as folding does (crc-folding.ts), by
 * another multiple of Castagnoli's polynomial,
 *
 *     x^2225 + x^2161 + x^2145 + x^2129 + x^802 + 1  =  0   (mod P)
 *
 * It leaves seven times as much as folding's, but takes less time a byte: it was searched for, among those with six
 * terms, as the one that reaches least far with two loads and no shuffle. Of its distances three are 4, 5 and 6 whole
 * blocks, and stay in hand; what the others load was stored long ago. The byte to be taken away at place i is, again,
 *
 *     taken[i] = message[i] ^ taken[i - 64] ^ taken[i - 80] ^ taken[i - 96] ^ taken[i - 1423] ^ taken[i - 2225]
 *
 * and stands where the message's byte stood: nobody needs it any more.
 */
const D1: usize = 64;
const D2: usize = 80;
const D3: usize = 96;
const D4: usize = 1423;
const D5: usize = 2225;

/** The longest distance in whole blocks of 16. */
export const SHORT_SIZE: usize = 2240;
/** It pays from here on; twice `SHORT_SIZE` is what it needs. */
export const SHORTEN_MIN: i32 = 3 * 2240;

/** The blocks in which D4 and D5 begin to reach back to the first byte. */
const BEGINS_4: usize = 1408;
const BEGINS_5: usize = 2224;

/** The first `SHORT_SIZE` bytes, where a distance counts once it reaches back to the message's first byte. */
export function begin(at: usize): void {
  // Nothing reaches the first block. What of it D4 and D5 reach where they begin is added there now.
  const first = v128.load(at);
  const none = i64x2.splat(0);
  store<u8>(at, load<u8>(at, D4) ^ load<u8>(at), D4);
  v128.store(at, v128.xor(v128.load(at, BEGINS_5), from15(none, first)), BEGINS_5);
  beginPairs(at + 16, at + BEGINS_4, none, none, none, none, none, first, false);
  at += BEGINS_4 + 16;
  const end = at + (BEGINS_5 - BEGINS_4 - 16);
  const sixth = v128.load(at - 96);
  const fifth = v128.load(at - 80);
  const fourth = v128.load(at - 64);
  beginPairs(at, end, sixth, fifth, fourth, v128.load(at - 48), v128.load(at - 32), v128.load(at - 16), true);
  v128.store(end, sum(v128.load(end), near(end), v128.load(end - D4)));
}

/**
 * Blocks from `at` on while it is below `end`, by the near distances, and by D4 if it `reaches` them. Those before stay
 * in hand, two new ones at a time: to wait for what was stored a moment ago takes nearly twice as long.
 */
// @ts-ignore: decorator
@inline
function beginPairs(
  at: usize,
  end: usize,
  sixth: v128,
  fifth: v128,
  fourth: v128,
  third: v128,
  second: v128,
  last: v128,
  reaches: bool,
): void {
  for (; at < end; at += 32) {
    const from = at - D4;
    let message0 = v128.load(at);
    let message1 = v128.load(at, 16);
    if (reaches) message0 = v128.xor(message0, v128.load(from));
    if (reaches) message1 = v128.xor(message1, v128.load(from, 16));
    const block0 = sum(message0, v128.xor(fifth, sixth), fourth);
    const block1 = sum(message1, v128.xor(fourth, fifth), third);
    v128.store(at, block0);
    v128.store(at, block1, 16);
    sixth = fourth;
    fifth = third;
    fourth = second;
    third = last;
    second = block0;
    last = block1;
  }
}

/** The blocks [at, end). */
export function take(at: usize, end: usize): void {
  // Offsets are constants, and count from where the longest distance looks.
  let from = at - D5;
  const fromEnd = end - D5;
  let sixth = v128.load(from, D5 - 96);
  let fifth = v128.load(from, D5 - 80);
  let fourth = v128.load(from, D5 - 64);
  let third = v128.load(from, D5 - 48);
  let second = v128.load(from, D5 - 32);
  let last = v128.load(from, D5 - 16);
  // Six at a time: then each is called again what it was called before, and nothing is moved.
  for (const sixesEnd = fromEnd - 80; from < sixesEnd; from += 96) {
    const far0 = v128.xor(v128.load(from, D5 - D4), v128.load(from));
    sixth = sum(v128.xor(v128.load(from, D5), far0), v128.xor(fifth, sixth), fourth);
    v128.store(from, sixth, D5);
    const far1 = v128.xor(v128.load(from, D5 - D4 + 16), v128.load(from, 16));
    fifth = sum(v128.xor(v128.load(from, D5 + 16), far1), v128.xor(fourth, fifth), third);
    v128.store(from, fifth, D5 + 16);
    const far2 = v128.xor(v128.load(from, D5 - D4 + 32), v128.load(from, 32));
    fourth = sum(v128.xor(v128.load(from, D5 + 32), far2), v128.xor(third, fourth), second);
    v128.store(from, fourth, D5 + 32);
    const far3 = v128.xor(v128.load(from, D5 - D4 + 48), v128.load(from, 48));
    third = sum(v128.xor(v128.load(from, D5 + 48), far3), v128.xor(second, third), last);
    v128.store(from, third, D5 + 48);
    const far4 = v128.xor(v128.load(from, D5 - D4 + 64), v128.load(from, 64));
    second = sum(v128.xor(v128.load(from, D5 + 64), far4), v128.xor(last, second), sixth);
    v128.store(from, second, D5 + 64);
    const far5 = v128.xor(v128.load(from, D5 - D4 + 80), v128.load(from, 80));
    last = sum(v128.xor(v128.load(from, D5 + 80), far5), v128.xor(sixth, last), fifth);
    v128.store(from, last, D5 + 80);
  }
  for (at = from + D5; at < end; at += 16) v128.store(at, sum(v128.load(at), near(at), far(at)));
}

/**
 * The last `SHORT_SIZE` bytes, where a distance counts as long as it reaches back to a byte before them. What remains
 * goes to the `SHORT_SIZE` bytes before them: block for block nobody needs those any more.
 */
export function finish(at: usize): void {
  let to = at - SHORT_SIZE;
  for (const nearEnd = to + D3; to < nearEnd; to += 16) {
    const from = to + SHORT_SIZE;
    v128.store(to, sum(v128.load(from), near(from), far(from)));
    // For those that reach back to here.
    v128.store(from, i64x2.splat(0));
  }
  // The last of these has D4 look at zeros only.
  for (const end4 = at + BEGINS_4 + 32 - SHORT_SIZE; to < end4; to += 32) {
    const by4 = to + (SHORT_SIZE - D4);
    const by5 = to + (SHORT_SIZE - D5);
    v128.store(to, sum(v128.load(to, SHORT_SIZE), v128.load(by4), v128.load(by5)));
    v128.store(to, sum(v128.load(to, SHORT_SIZE + 16), v128.load(by4, 16), v128.load(by5, 16)), 16);
  }
  for (; to < at; to += 32) {
    const by5 = to + (SHORT_SIZE - D5);
    v128.store(to, v128.xor(v128.load(to, SHORT_SIZE), v128.load(by5)));
    v128.store(to, v128.xor(v128.load(to, SHORT_SIZE + 16), v128.load(by5, 16)), 16);
  }
}

/** What reaches the block at `at` by the distances that are whole blocks. */
// @ts-ignore: decorator
@inline
function near(at: usize): v128 {
  return sum(v128.load(at - D1), v128.load(at - D2), v128.load(at - D3));
}

/** And by the others. */
// @ts-ignore: decorator
@inline
function far(at: usize): v128 {
  return v128.xor(v128.load(at - D4), v128.load(at - D5));
}

// @ts-ignore: decorator
@inline
function sum(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c);
}
