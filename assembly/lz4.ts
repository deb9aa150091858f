import { copyMatch, copyWild } from './lz-copy';
import { LZ_BLOCK_MAX, packBlock } from './lz-match';
import { LONG, MATCH_MIN } from './lz4-write';

/**
 * LZ4 blocks, by "LZ4 Block Format Description" (lz4.org): sequences of a token (two nibbles: how many literals, and
 * how much longer than 4 the match), the literals, and the match's distance. The frame around them is read in
 * src/kernels/lz4-frame.ts.
 */
const STORED: u32 = 0x8000_0000;

/** What is wrong with a block: `BlockFault` in src/kernels/lz4-frame.ts. No address is so low. */
const CORRUPT: usize = 0;
const NO_ROOM: usize = 1;

/**
 * Unpacks the block [at, end) to `out`, up to `outEnd`. Matches reach back to `floor` at most. Both areas have 16
 * bytes of slack after their ends.
 * @returns where the output ends, 0 when the block is no LZ4, 1 when it does not fit.
 */
export function unpackLz4Block(at: usize, end: usize, floor: usize, out: usize, outEnd: usize): usize {
  while (at < end) {
    const token: usize = load<u8>(at++);
    let length = token >>> 4;
    if (length < LONG) {
      v128.store(out, v128.load(at));
      if (length > end - at) return CORRUPT;
      if (length > outEnd - out) return NO_ROOM;
    } else {
      let byte: usize;
      do {
        if (at >= end) return CORRUPT;
        byte = load<u8>(at++);
        length += byte;
      } while (byte == 255);
      if (length > end - at) return CORRUPT;
      if (length > outEnd - out) return NO_ROOM;
      copyWild(out, at, out + length);
    }
    at += length;
    out += length;
    if (at == end) return out;

    if (end - at < 2) return CORRUPT;
    const distance: usize = load<u16>(at);
    at += 2;
    length = (token & LONG) + MATCH_MIN;
    if (length == LONG + MATCH_MIN) {
      let byte: usize;
      do {
        if (at >= end) return CORRUPT;
        byte = load<u8>(at++);
        length += byte;
      } while (byte == 255);
    }
    if (distance == 0 || distance > out - floor) return CORRUPT;
    if (length > outEnd - out) return NO_ROOM;
    copyMatch(out, distance, out + length);
    out += length;
  }
  return CORRUPT; // A block ends with literals.
}

/**
 * The blocks of a frame, of 64 KiB each, for `length` bytes at `from`: independent, each behind its size, stored where
 * packing does not make them smaller. `out` has room for `length`, 1 in 255 of it, and 64 bytes a block.
 * @returns where the output ends.
 */
export function packLz4Blocks(from: usize, length: usize, out: usize): usize {
  for (const end = from + length; from < end; ) {
    const size = min(LZ_BLOCK_MAX, end - from);
    const packed = packLz4Block(from, from + size, out + 4) - out - 4;
    if (packed < size) {
      store<u32>(out, <u32>packed);
      out += 4 + packed;
    } else {
      store<u32>(out, <u32>size | STORED);
      memory.copy(out + 4, from, size);
      out += 4 + size;
    }
    from += size;
  }
  return out;
}

function packLz4Block(block: usize, end: usize, out: usize): usize {
  return packBlock(block, end, out, true);
}
