import { copyWild } from './lz-copy';

export const MATCH_MIN: usize = 4;
/** A nibble of 15 goes on in bytes, of which 255 says that another follows. */
export const LONG: usize = 15;

/** One sequence: the literals [literals, start), then the match [start, end). @returns where it ends. */
// @ts-ignore: decorator
@inline
export function writeLz4(out: usize, literals: usize, start: usize, distance: usize, end: usize): usize {
  const more = end - start - MATCH_MIN;
  out = writeLiterals(out, literals, start, min(more, LONG));
  store<u16>(out, <u16>distance);
  return more < LONG ? out + 2 : writeLength(out + 2, more - LONG);
}

/** The last sequence, which has no match. */
export function writeLastLz4(out: usize, literals: usize, end: usize): usize {
  return writeLiterals(out, literals, end, 0);
}

// @ts-ignore: decorator
@inline
function writeLiterals(out: usize, from: usize, to: usize, matchNibble: usize): usize {
  const length = to - from;
  store<u8>(out, <u8>((min(length, LONG) << 4) | matchNibble));
  out = length < LONG ? out + 1 : writeLength(out + 1, length - LONG);
  copyWild(out, from, out + length);
  return out + length;
}

/** What of a length the nibble does not hold. */
// @ts-ignore: decorator
@inline
function writeLength(out: usize, length: usize): usize {
  for (; length >= 255; length -= 255) store<u8>(out++, 255);
  store<u8>(out, <u8>length);
  return out + 1;
}
