import type { LzKernels } from '../kernels/kernels.ts';
import { tooLarge } from './codecs.ts';
import type { Codec } from './codecs.ts';

/** What Java's snappy streams start with: magic, version 1, oldest compatible version 1. */
const XERIAL_HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1);
const XERIAL_MAGIC_BYTES = 8;
const XERIAL_BLOCK_BYTES = 32 * 1024;
/** Beside a block's content: its size, its length, and what the kernel wants. */
const BLOCK_OVERHEAD_BYTES = 4 + 5 + 64;
/** The densest element turns 3 bytes into 64. */
const EXPANSION_MAX = 22;

/** Snappy. Reads both forms clients send, raw and xerial's framing, and writes xerial's, as Java does. */
export function snappy(lz: LzKernels): Codec {
  return {
    compress(bytes) {
      const blocks = Math.ceil(bytes.length / XERIAL_BLOCK_BYTES);
      const contentMax = bytes.length + Math.ceil(bytes.length / 6);
      const out = new Uint8Array(XERIAL_HEADER.length + contentMax + BLOCK_OVERHEAD_BYTES * blocks);
      const view = new DataView(out.buffer);
      out.set(XERIAL_HEADER);
      let at = XERIAL_HEADER.length;
      for (let start = 0; start < bytes.length; start += XERIAL_BLOCK_BYTES) {
        const end = packRaw(lz, bytes.subarray(start, start + XERIAL_BLOCK_BYTES), out, at + 4);
        view.setUint32(at, end - at - 4);
        at = end;
      }
      return out.slice(0, at);
    },

    decompress(bytes, maxBytes) {
      const blocks = (isXerial(bytes) ? xerialBlocks(bytes) : [bytes]).map(announcedLength);
      const sizeBytes = blocks.reduce((sum, { length }) => sum + length, 0);
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      const out = new Uint8Array(sizeBytes);
      let position = 0;
      for (const { length, elements } of blocks) {
        if (!lz.unpackSnappy(elements, out.subarray(position, position + length))) throw corrupt();
        position += length;
      }
      return out;
    },
  };
}

/** One block without framing: its length, then its elements. @returns where it ends. */
function packRaw(lz: LzKernels, block: Uint8Array, out: Uint8Array, at: number): number {
  let length = block.length;
  for (; length >= 0x80; length >>>= 7) out[at++] = (length & 0x7f) | 0x80;
  out[at++] = length;
  return lz.packSnappy(block, out, at);
}

/** The length a raw block starts with, and its elements. */
function announcedLength(block: Uint8Array): { length: number; elements: Uint8Array } {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = block[at];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte >= 0x80) continue;
    if (length > block.length * EXPANSION_MAX) break;
    return { length, elements: block.subarray(at + 1) };
  }
  throw corrupt();
}

function isXerial(bytes: Uint8Array): boolean {
  for (let at = 0; at < XERIAL_MAGIC_BYTES; at++) if (bytes[at] !== XERIAL_HEADER[at]) return false;
  return true;
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

function corrupt(): Error {
  return new Error('not a snappy block');
}
