import { PAD_MASKS } from './layout';

/**
 * Shortens a long message in its own place to `SHORT_SIZE` bytes of the same CRC: as folding does (crc-folding.ts), by
 * another multiple of Castagnoli's polynomial,
 *
 *     x^5424 + x^4146 + x^3859 + 1  =  0   (mod P)
 *
 * With two terms less it takes a third of folding's time a byte, but leaves 18 times as much. No multiple of four terms
 * has a degree below 5275 (P. Koopman's "Hamming distance 6 up to 5243 bits"); of those a search found, this one's
 * longest distance is whole blocks, and its shortest is so long that what is loaded was stored long ago. The byte to be
 * taken away at place i is, again,
 *
 *     taken[i] = message[i] ^ taken[i - 1278] ^ taken[i - 1565] ^ taken[i - 5424]
 *
 * and stands where the message's byte stood: nobody needs it any more.
 */
const D1: usize = 1278;
const D2: usize = 1565;
const D3: usize = 5424;

export const SHORT_SIZE: usize = D3;
/** Every distance is in use from here on. */
export const SHORTEN_MIN: i32 = 2 * 5424;

/** The blocks in which D1 and D2 begin to count, and how many of their bytes come before that. */
const BEGINS_1: usize = 1264;
const BEGINS_2: usize = 1552;
const BEFORE_1: usize = D1 - BEGINS_1;
const BEFORE_2: usize = D2 - BEGINS_2;

/** The first D3 bytes, where a distance counts once it reaches back to the message's first byte. */
export function begin(at: usize): void {
  const first = at;
  const end = at + D3;
  at += BEGINS_1;
  v128.store(at, v128.xor(v128.load(at), v128.and(v128.load(at - D1), withoutFirst(BEFORE_1))));
  for (at += 16; at < first + BEGINS_2; at += 16) v128.store(at, v128.xor(v128.load(at), v128.load(at - D1)));
  const by2 = v128.and(v128.load(at - D2), withoutFirst(BEFORE_2));
  v128.store(at, sum(v128.load(at), v128.load(at - D1), by2));
  at += 16;
  v128.store(at, sum(v128.load(at), v128.load(at - D1), v128.load(at - D2)));
  // What is left are fours; offsets are constants, and count from where the longest distance looks.
  for (let from = at + 16 - D2; from < end - D2; from += 64) {
    v128.store(from, sum(v128.load(from, D2), v128.load(from, D2 - D1), v128.load(from)), D2);
    v128.store(from, sum(v128.load(from, D2 + 16), v128.load(from, D2 - D1 + 16), v128.load(from, 16)), D2 + 16);
    v128.store(from, sum(v128.load(from, D2 + 32), v128.load(from, D2 - D1 + 32), v128.load(from, 32)), D2 + 32);
    v128.store(from, sum(v128.load(from, D2 + 48), v128.load(from, D2 - D1 + 48), v128.load(from, 48)), D2 + 48);
  }
}

/** The blocks [at, end), four at a time. */
export function take(at: usize, end: usize): void {
  let from = at - D3;
  const fromEnd = end - D3;
  for (const foursEnd = fromEnd - 48; from < foursEnd; from += 64) {
    const near0 = v128.xor(v128.load(from, D3 - D1), v128.load(from, D3 - D2));
    v128.store(from, sum(v128.load(from, D3), near0, v128.load(from)), D3);
    const near1 = v128.xor(v128.load(from, D3 - D1 + 16), v128.load(from, D3 - D2 + 16));
    v128.store(from, sum(v128.load(from, D3 + 16), near1, v128.load(from, 16)), D3 + 16);
    const near2 = v128.xor(v128.load(from, D3 - D1 + 32), v128.load(from, D3 - D2 + 32));
    v128.store(from, sum(v128.load(from, D3 + 32), near2, v128.load(from, 32)), D3 + 32);
    const near3 = v128.xor(v128.load(from, D3 - D1 + 48), v128.load(from, D3 - D2 + 48));
    v128.store(from, sum(v128.load(from, D3 + 48), near3, v128.load(from, 48)), D3 + 48);
  }
  for (; from < fromEnd; from += 16) {
    const near = v128.xor(v128.load(from, D3 - D1), v128.load(from, D3 - D2));
    v128.store(from, sum(v128.load(from, D3), near, v128.load(from)), D3);
  }
}

/** The last D3 bytes: a distance counts as long as it reaches back to a byte before them. */
export function finish(at: usize): void {
  const first = at;
  const end = at + D3;
  take(at, at + BEGINS_1);
  at += BEGINS_1;
  const by1 = v128.andnot(v128.load(at - D1), withoutFirst(BEFORE_1));
  v128.store(at, v128.xor(by1, sum(v128.load(at), v128.load(at - D2), v128.load(at - D3))));
  for (at += 16; at < first + BEGINS_2; at += 16) {
    v128.store(at, sum(v128.load(at), v128.load(at - D2), v128.load(at - D3)));
  }
  const by2 = v128.andnot(v128.load(at - D2), withoutFirst(BEFORE_2));
  v128.store(at, sum(v128.load(at), by2, v128.load(at - D3)));
  at += 16;
  v128.store(at, v128.xor(v128.load(at), v128.load(at - D3)));
  for (let from = at + 16 - D3; from < end - D3; from += 64) {
    v128.store(from, v128.xor(v128.load(from, D3), v128.load(from)), D3);
    v128.store(from, v128.xor(v128.load(from, D3 + 16), v128.load(from, 16)), D3 + 16);
    v128.store(from, v128.xor(v128.load(from, D3 + 32), v128.load(from, 32)), D3 + 32);
    v128.store(from, v128.xor(v128.load(from, D3 + 48), v128.load(from, 48)), D3 + 48);
  }
}

// @ts-ignore: decorator
@inline
function sum(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c);
}

/** A mask of a block without its first `count` bytes. */
// @ts-ignore: decorator
@inline
function withoutFirst(count: usize): v128 {
  return v128.load(PAD_MASKS + 16 - count);
}
