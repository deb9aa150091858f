import { copyWild } from './lz-copy';

export const COPY_1: usize = 1;
export const COPY_2: usize = 2;
/** Lengths from here on lie in 1 to 4 bytes behind the tag; in a block of 64 KiB that is one or two. */
export const LONG_LITERAL: usize = 60;

/** The literals [literals, start), then the match [start, end). @returns where they end. */
// @ts-ignore: decorator
@inline
export function writeSnappy(out: usize, literals: usize, start: usize, distance: usize, end: usize): usize {
  if (start > literals) out = writeLiteral(out, literals, start - literals);
  return writeCopy(out, distance, end - start);
}

export function writeLastSnappy(out: usize, literals: usize, end: usize): usize {
  return literals < end ? writeLiteral(out, literals, end - literals) : out;
}

// @ts-ignore: decorator
@inline
function writeLiteral(out: usize, from: usize, length: usize): usize {
  const last = length - 1;
  if (last < LONG_LITERAL) {
    store<u8>(out++, <u8>(last << 2));
  } else if (last < 256) {
    store<u16>(out, <u16>((LONG_LITERAL << 2) | (last << 8)));
    out += 2;
  } else {
    store<u8>(out, <u8>((LONG_LITERAL + 1) << 2));
    store<u16>(out, <u16>last, 1);
    out += 3;
  }
  copyWild(out, from, out + length);
  return out + length;
}

/** No copy is longer than 64, and none shorter than 4, which the short form cannot say. */
// @ts-ignore: decorator
@inline
function writeCopy(out: usize, distance: usize, length: usize): usize {
  for (; length >= 68; length -= 64) out = writeLongCopy(out, distance, 64);
  if (length > 64) {
    out = writeLongCopy(out, distance, 60);
    length -= 60;
  }
  if (length >= 12 || distance >= 2048) return writeLongCopy(out, distance, length);
  store<u16>(out, <u16>(COPY_1 | ((length - 4) << 2) | ((distance >>> 8) << 5) | ((distance & 0xff) << 8)));
  return out + 2;
}

// @ts-ignore: decorator
@inline
function writeLongCopy(out: usize, distance: usize, length: usize): usize {
  store<u32>(out, <u32>(COPY_2 | ((length - 1) << 2) | (distance << 8)));
  return out + 3;
}
