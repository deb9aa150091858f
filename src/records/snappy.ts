import { tooLarge } from './codecs.ts';
import type { Codec } from './codecs.ts';
import { copyLiterals, copyMatch, forEachMatch, LZ_BLOCK_MAX_BYTES } from './lz-match.ts';

/** What Java's snappy streams start with: magic, version 1, oldest compatible version 1. */
const XERIAL_HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1);
const XERIAL_MAGIC_BYTES = 8;
const XERIAL_BLOCK_BYTES = 32 * 1024;
/** The densest element turns 3 bytes into 64. */
const EXPANSION_MAX = 22;

const LITERAL = 0;
const COPY_1_BYTE_OFFSET = 1;
const COPY_2_BYTE_OFFSET = 2;

/**
 * Snappy. Reads both forms clients send, raw and xerial's framing, and writes xerial's, as Java does. Ours,
 * since snappyjs 0.7 loops for ever on a literal of negative length.
 */
export const snappy: Codec = {
  compress(bytes) {
    const blocks: Uint8Array[] = [];
    for (let start = 0; start < bytes.length; start += XERIAL_BLOCK_BYTES) {
      blocks.push(compressRaw(bytes.subarray(start, start + XERIAL_BLOCK_BYTES)));
    }
    return framed(blocks);
  },

  decompress(bytes, maxBytes) {
    const isXerial = XERIAL_HEADER.subarray(0, XERIAL_MAGIC_BYTES).every((byte, i) => bytes[i] === byte);
    const blocks = isXerial ? xerialBlocks(bytes) : [bytes];
    const lengths = blocks.map(announcedLength);
    const sizeBytes = lengths.reduce((sum, { value }) => sum + value, 0);
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
    const out = new Uint8Array(sizeBytes);
    let position = 0;
    for (const [index, block] of blocks.entries()) {
      const { value, at } = lengths[index] ?? { value: 0, at: 0 };
      decompressRaw(block.subarray(at), out.subarray(position, position + value));
      position += value;
    }
    return out;
  },
};

/** One block without framing: length, then literals and copies. @param block at most 64 KiB. */
export function compressRaw(block: Uint8Array): Uint8Array {
  if (block.length > LZ_BLOCK_MAX_BYTES) throw new Error('a snappy block is at most 64 KiB');
  const writer = new SnappyWriter(block);
  const rest = forEachMatch(block, (literalStart, matchStart, offset, length) => {
    writer.literal(literalStart, matchStart);
    writer.copy(offset, length);
  });
  writer.literal(rest, block.length);
  return writer.written();
}

class SnappyWriter {
  readonly #block: Uint8Array;
  readonly #out: Uint8Array;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
    this.#out = new Uint8Array(32 + block.length + Math.ceil(block.length / 6));
    let length = block.length;
    for (; length >= 0x80; length >>>= 7) this.#out[this.#at++] = (length & 0x7f) | 0x80;
    this.#out[this.#at++] = length;
  }

  literal(start: number, end: number): void {
    const length = end - start;
    if (length === 0) return;
    const extraBytes = length <= 60 ? 0 : length <= 256 ? 1 : 2;
    this.#out[this.#at++] = ((extraBytes === 0 ? length - 1 : 59 + extraBytes) << 2) | LITERAL;
    if (extraBytes > 0) this.#out[this.#at++] = (length - 1) & 0xff;
    if (extraBytes > 1) this.#out[this.#at++] = (length - 1) >>> 8;
    copyLiterals(this.#block, start, { into: this.#out, position: this.#at, length });
    this.#at += length;
  }

  /** No copy is longer than 64, and none shorter than 4 where the short form is to be used. */
  copy(offset: number, length: number): void {
    let left = length;
    for (; left >= 68; left -= 64) this.#copyPart(offset, 64);
    if (left > 64) {
      this.#copyPart(offset, 60);
      left -= 60;
    }
    this.#copyPart(offset, left);
  }

  written(): Uint8Array {
    return this.#out.subarray(0, this.#at);
  }

  #copyPart(offset: number, length: number): void {
    if (length < 12 && offset < 2048) {
      this.#out[this.#at++] = ((offset >>> 8) << 5) | ((length - 4) << 2) | COPY_1_BYTE_OFFSET;
      this.#out[this.#at++] = offset & 0xff;
      return;
    }
    this.#out[this.#at++] = ((length - 1) << 2) | COPY_2_BYTE_OFFSET;
    this.#out[this.#at++] = offset & 0xff;
    this.#out[this.#at++] = offset >>> 8;
  }
}

/** Fills `out` exactly. */
function decompressRaw(bytes: Uint8Array, out: Uint8Array): void {
  let position = 0;
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] ?? 0;
    const kind = tag & 3;
    if (kind === LITERAL) {
      const extraBytes = Math.max((tag >>> 2) - 59, 0);
      const length = (extraBytes === 0 ? tag >>> 2 : littleEndian(bytes, at, extraBytes)) + 1;
      at += extraBytes;
      if (at + length > bytes.length || position + length > out.length) throw corrupt();
      copyLiterals(bytes, at, { into: out, position, length });
      at += length;
      position += length;
      continue;
    }
    const short = kind === COPY_1_BYTE_OFFSET;
    const offsetBytes = short ? 1 : kind === COPY_2_BYTE_OFFSET ? 2 : 4;
    const length = short ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const offset = littleEndian(bytes, at, offsetBytes) + (short ? (tag >>> 5) << 8 : 0);
    at += offsetBytes;
    if (offset === 0 || offset > position || position + length > out.length) throw corrupt();
    copyMatch(out, position, offset, length);
    position += length;
  }
  if (position !== out.length) throw corrupt();
}

/** The length a raw block starts with, and where its elements start. */
function announcedLength(block: Uint8Array): { value: number; at: number } {
  let value = 0;
  for (let at = 0; at < 5; at++) {
    const byte = block[at];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte >= 0x80) continue;
    if (value > block.length * EXPANSION_MAX) break;
    return { value, at: at + 1 };
  }
  throw corrupt();
}

function xerialBlocks(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: Uint8Array[] = [];
  let at = XERIAL_HEADER.length;
  while (at < bytes.length) {
    const end = at + 4 <= bytes.length ? at + 4 + view.getUint32(at) : Infinity;
    if (end > bytes.length) throw corrupt();
    blocks.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return blocks;
}

function framed(blocks: readonly Uint8Array[]): Uint8Array {
  const sizeBytes = blocks.reduce((sum, block) => sum + 4 + block.length, XERIAL_HEADER.length);
  const out = new Uint8Array(sizeBytes);
  const view = new DataView(out.buffer);
  out.set(XERIAL_HEADER);
  let at = XERIAL_HEADER.length;
  for (const block of blocks) {
    view.setUint32(at, block.length);
    out.set(block, at + 4);
    at += 4 + block.length;
  }
  return out;
}

/** @throws when the bytes are not all there. */
function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  if (at + count > bytes.length) throw corrupt();
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

function corrupt(): Error {
  return new Error('not a snappy block');
}
