import { concat } from '../../model/bytes.ts';
import type { PackFault } from '../kernels.ts';
import {
  BlockFault,
  EXPANSION_MAX,
  FRAME_END_SIZE,
  FRAME_HEADER,
  type FrameSink,
  readFrames,
  STORED_BLOCK,
} from '../lz4-frame.ts';
import { copyLiterals, copyMatch, LZ_BLOCK_MAX, MATCH_MIN, Matches } from './lz-match.ts';
import { xxh32 } from './xxh32.ts';

/** A nibble of 15 goes on in bytes, of which 255 says that another follows. */
const LONG = 15;

export function packLz4(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [FRAME_HEADER];
  for (let start = 0; start < bytes.length; start += LZ_BLOCK_MAX) {
    const block = bytes.subarray(start, start + LZ_BLOCK_MAX);
    const packed = packBlock(block);
    if (packed.length < block.length) parts.push(uint32(packed.length), packed);
    else parts.push(uint32(block.length + STORED_BLOCK), block);
  }
  parts.push(new Uint8Array(FRAME_END_SIZE));
  return concat(parts);
}

export function unpackLz4(bytes: Uint8Array, maxBytes: number): Uint8Array | PackFault {
  const output = new Output(maxBytes);
  const fault = readFrames(bytes, maxBytes, output);
  return fault < 0 ? (fault as PackFault) : output.written();
}

/** What has been unpacked so far: grows as blocks need it, never over the bound. */
class Output implements FrameSink {
  readonly #maxBytes: number;
  #bytes = new Uint8Array();
  #length = 0;
  #frameStart = 0;
  readonly xxh32 = xxh32;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  beginFrame(): void {
    this.#frameStart = this.#length;
  }

  unpack(block: Uint8Array, maxBytes: number, isLinked: boolean): number {
    this.#reserve(Math.min(maxBytes, block.length * EXPANSION_MAX));
    const start = this.#length;
    const floor = isLinked ? this.#frameStart : start;
    const end = unpackBlock(block, this.#bytes, { start, floor, end: start + maxBytes });
    if (end < 0) return end;
    this.#length = end;
    return end - start;
  }

  store(block: Uint8Array): number {
    this.#reserve(block.length);
    this.#bytes.set(block, this.#length);
    this.#length += block.length;
    return block.length;
  }

  contentSum(): number {
    return xxh32(this.#bytes.subarray(this.#frameStart, this.#length));
  }

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for `count` more bytes. */
  #reserve(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.min(Math.max(wanted, this.#bytes.length * 2), this.#maxBytes));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** @param place matches may not reach below its `floor`. @returns where the output ends, or a fault. */
function unpackBlock(
  block: Uint8Array,
  into: Uint8Array,
  place: { start: number; floor: number; end: number },
): number {
  const cursor = { at: 0 };
  let position = place.start;
  while (cursor.at < block.length) {
    const token = block[cursor.at++]!;
    const literals = readLength(block, cursor, token >>> 4);
    if (literals < 0 || literals > block.length - cursor.at) return BlockFault.corrupt;
    if (literals > place.end - position) return BlockFault.noRoom;
    copyLiterals(block, cursor.at, { into, position, length: literals });
    cursor.at += literals;
    position += literals;
    if (cursor.at === block.length) return position;

    if (block.length - cursor.at < 2) return BlockFault.corrupt;
    const distance = block[cursor.at]! | (block[cursor.at + 1]! << 8);
    cursor.at += 2;
    const more = readLength(block, cursor, token & LONG);
    if (more < 0 || distance === 0 || distance > position - place.floor) return BlockFault.corrupt;
    const length = more + MATCH_MIN;
    if (length > place.end - position) return BlockFault.noRoom;
    copyMatch(into, position, distance, length);
    position += length;
  }
  return BlockFault.corrupt; // A block ends with literals.
}

/** -1 when it goes on behind the block's end. */
function readLength(block: Uint8Array, cursor: { at: number }, nibble: number): number {
  if (nibble < LONG) return nibble;
  let length = nibble;
  for (;;) {
    const byte = block[cursor.at++];
    if (byte === undefined) return -1;
    length += byte;
    if (byte < 255) return length;
  }
}

function packBlock(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(block.length + Math.ceil(block.length / 255) + 16);
  let at = 0;
  const writeLength = (length: number) => {
    if (length < LONG) return;
    let left = length - LONG;
    for (; left >= 255; left -= 255) out[at++] = 255;
    out[at++] = left;
  };
  const writeLiterals = (start: number, end: number, matchNibble: number) => {
    const length = end - start;
    out[at++] = (Math.min(length, LONG) << 4) | matchNibble;
    writeLength(length);
    copyLiterals(block, start, { into: out, position: at, length });
    at += length;
  };
  const matches = new Matches(block, 'thorough');
  let literals = 0;
  for (; matches.find(literals); literals = matches.end) {
    const more = matches.end - matches.start - MATCH_MIN;
    writeLiterals(literals, matches.start, Math.min(more, LONG));
    out[at++] = matches.distance & 0xff;
    out[at++] = matches.distance >>> 8;
    writeLength(more);
  }
  writeLiterals(literals, block.length, 0);
  return out.subarray(0, at);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
