import { copyMatch, copyWild } from './lz-copy';
import { LZ_BLOCK_MAX, packBlock } from './lz-match';
import { COPY_1, COPY_2, LONG_LITERAL } from './snappy-write';

/**
 * Snappy's elements, by "Snappy compressed format description" (google/snappy): a tag of two bits, then a literal, or
 * a copy with a distance of 11, 16 or 32 bits. The length before them, and xerial's framing, are TypeScript's.
 */
const LITERAL: usize = 0;

/**
 * Unpacks the elements [at, end) to [out, outEnd), which they must fill. Both areas have 16 bytes of slack after their
 * ends. @returns whether they do.
 */
export function unpackSnappy(at: usize, end: usize, out: usize, outEnd: usize): bool {
  const floor = out;
  while (at < end) {
    const tag: usize = load<u8>(at++);
    const kind = tag & 3;
    if (kind == LITERAL) {
      let last = tag >>> 2;
      if (last >= LONG_LITERAL) {
        const extra = last - LONG_LITERAL + 1;
        if (extra > end - at) return false;
        last = <usize>(load<u32>(at) & (0xffff_ffff >>> (32 - (<u32>extra << 3))));
        at += extra;
      }
      // One less than the length, which may be 2^32.
      if (last >= end - at || last >= outEnd - out) return false;
      const length = last + 1;
      copyWild(out, at, out + length);
      at += length;
      out += length;
      continue;
    }
    let length = (tag >>> 2) + 1;
    let distance: usize;
    if (kind == COPY_1) {
      if (at >= end) return false;
      length = ((tag >>> 2) & 7) + 4;
      distance = ((tag >>> 5) << 8) | <usize>load<u8>(at++);
    } else if (kind == COPY_2) {
      if (end - at < 2) return false;
      distance = load<u16>(at);
      at += 2;
    } else {
      if (end - at < 4) return false;
      distance = load<u32>(at);
      at += 4;
    }
    if (distance == 0 || distance > out - floor || length > outEnd - out) return false;
    copyMatch(out, distance, out + length);
    out += length;
  }
  return out == outEnd;
}

/**
 * The elements for `length` bytes at `from`. `out` has room for `length`, 1 in 6 of it, and 64 bytes.
 * @returns where they end.
 */
export function packSnappy(from: usize, length: usize, out: usize): usize {
  for (const end = from + length; from < end; ) {
    const blockEnd = from + min(LZ_BLOCK_MAX, end - from);
    out = packSnappyBlock(from, blockEnd, out);
    from = blockEnd;
  }
  return out;
}

function packSnappyBlock(block: usize, end: usize, out: usize): usize {
  return packBlock(block, end, out, false);
}
