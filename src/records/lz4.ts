import { concat } from '../model/bytes.ts';
import { tooLarge } from './codecs.ts';
import type { Codec } from './codecs.ts';
import { copyLiterals, copyMatch, forEachMatch, LZ_BLOCK_MAX_BYTES } from './lz-match.ts';

const FRAME_MAGIC = 0x184d2204;
/** The low four bits are free. */
const SKIPPABLE_MAGIC = 0x184d2a50;
/**
 * Magic; version 1 with independent blocks; blocks of 64 KiB; checksum of the two bytes before. What Java
 * writes.
 */
const FRAME_HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82);
const FLAG = {
  version: 0xc0,
  version1: 0x40,
  independent: 0x20,
  blockSum: 0x10,
  size: 0x08,
  sum: 0x04,
  dictionary: 0x01,
};
const STORED_BLOCK = 0x8000_0000;
const MATCH_MIN_BYTES = 4;
const LONG = 15;
/** A length byte of a match is worth at most 255. */
const EXPANSION_MAX = 255;

/**
 * LZ4 frames. Reads any number of them, linked or independent blocks of any size; checksums are passed
 * over, since the batch's own CRC has covered them. Writes Java's shape, whose reader refuses linked
 * blocks. Ours, since lz4js 0.2 writes linked blocks, breaks LZ4's end-of-block rule, and does not check
 * what it reads.
 */
export const lz4: Codec = {
  compress(bytes) {
    const parts: Uint8Array[] = [FRAME_HEADER];
    for (let start = 0; start < bytes.length; start += LZ_BLOCK_MAX_BYTES) {
      const block = bytes.subarray(start, start + LZ_BLOCK_MAX_BYTES);
      const packed = compressBlock(block);
      if (packed.length < block.length) parts.push(uint32(packed.length), packed);
      else parts.push(uint32(block.length + STORED_BLOCK), block);
    }
    parts.push(uint32(0));
    return concat(parts);
  },

  decompress(bytes, maxBytes) {
    const out = new Output(maxBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length;) at = readFrame(bytes, view, at, out);
    return out.written();
  },
};

/** What has been unpacked so far: grows as blocks need it, never over the bound. */
class Output {
  readonly #maxBytes: number;
  bytes = new Uint8Array();
  length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Makes room for `count` more bytes, or for as many as the bound leaves. */
  reserve(count: number): void {
    const wanted = Math.min(this.length + count, this.#maxBytes);
    if (wanted <= this.bytes.length) return;
    const grown = new Uint8Array(Math.min(Math.max(wanted, this.bytes.length * 2), this.#maxBytes));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** For a block that wants `count` more bytes and finds no room: the bound is reached, or the block lies. */
  demand(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    throw this.length + count > this.#maxBytes ? tooLarge(this.#maxBytes) : corrupt();
  }

  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

/** Appends one frame's content to `out`. @returns the position after the frame. */
function readFrame(bytes: Uint8Array, view: DataView, start: number, out: Output): number {
  const magic = readUint32(view, start);
  if ((magic & 0xffff_fff0) === SKIPPABLE_MAGIC) return start + 8 + readUint32(view, start + 4);
  const flags = bytes[start + 4] ?? 0;
  const blockSizeCode = ((bytes[start + 5] ?? 0) >>> 4) & 7;
  if (magic !== FRAME_MAGIC || (flags & FLAG.version) !== FLAG.version1 || blockSizeCode < 4) throw corrupt();
  if ((flags & FLAG.dictionary) !== 0) throw new Error('an lz4 frame with a dictionary');
  const blockMaxBytes = 2 ** (8 + 2 * blockSizeCode);
  const isIndependent = (flags & FLAG.independent) !== 0;
  const frameStart = out.length;
  let at = start + 7 + ((flags & FLAG.size) === 0 ? 0 : 8);
  for (;;) {
    const announced = readUint32(view, at);
    at += 4;
    if (announced === 0) break;
    const size = announced % STORED_BLOCK;
    if (size > blockMaxBytes || at + size > bytes.length) throw corrupt();
    const block = bytes.subarray(at, at + size);
    if (announced >= STORED_BLOCK) storeBlock(block, out);
    else {
      out.reserve(Math.min(blockMaxBytes, size * EXPANSION_MAX));
      decompressBlock(block, out, isIndependent ? out.length : frameStart);
    }
    at += size + ((flags & FLAG.blockSum) === 0 ? 0 : 4);
  }
  return at + ((flags & FLAG.sum) === 0 ? 0 : 4);
}

function storeBlock(block: Uint8Array, out: Output): void {
  out.reserve(block.length);
  out.demand(block.length);
  out.bytes.set(block, out.length);
  out.length += block.length;
}

/** @param floor matches may not reach below it. */
function decompressBlock(block: Uint8Array, out: Output, floor: number): void {
  const cursor = { at: 0 };
  while (cursor.at < block.length) {
    const token = block[cursor.at++] ?? 0;
    const literals = readLength(block, cursor, token >>> 4);
    if (cursor.at + literals > block.length) throw corrupt();
    out.demand(literals);
    copyLiterals(block, cursor.at, { into: out.bytes, position: out.length, length: literals });
    cursor.at += literals;
    out.length += literals;
    if (cursor.at === block.length) return;

    const offset = (block[cursor.at] ?? 0) | ((block[cursor.at + 1] ?? 0) << 8);
    cursor.at += 2;
    const length = readLength(block, cursor, token & LONG) + MATCH_MIN_BYTES;
    if (cursor.at >= block.length || offset === 0 || out.length - offset < floor) throw corrupt();
    out.demand(length);
    copyMatch(out.bytes, out.length, offset, length);
    out.length += length;
  }
}

/** A length of 15 goes on in bytes, of which 255 says that another follows. */
function readLength(block: Uint8Array, cursor: { at: number }, nibble: number): number {
  if (nibble < LONG) return nibble;
  let length = nibble;
  for (;;) {
    const byte = block[cursor.at++];
    if (byte === undefined) throw corrupt();
    length += byte;
    if (byte < 255) return length;
  }
}

/** @param block at most 64 KiB. */
function compressBlock(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(block.length + Math.ceil(block.length / EXPANSION_MAX) + 16);
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
  const rest = forEachMatch(block, (literalStart, matchStart, offset, length) => {
    writeLiterals(literalStart, matchStart, Math.min(length - MATCH_MIN_BYTES, LONG));
    out[at++] = offset & 0xff;
    out[at++] = offset >>> 8;
    writeLength(length - MATCH_MIN_BYTES);
  });
  writeLiterals(rest, block.length, 0);
  return out.subarray(0, at);
}

function readUint32(view: DataView, at: number): number {
  if (at + 4 > view.byteLength) throw corrupt();
  return view.getUint32(at, true);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function corrupt(): Error {
  return new Error('not an lz4 frame');
}
