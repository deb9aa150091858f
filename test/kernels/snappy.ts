import type { LzKernels } from '../../src/kernels/kernels.ts';
import { join } from './generate.ts';

/** The elements of one block, without the length before them. */
export function packSnappy(kernels: LzKernels, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + Math.ceil(bytes.length / 6) + 64);
  return out.slice(0, kernels.packSnappy(bytes, out, 0));
}

/** A raw block, as others read it: its length, less than 2^21, as a varint of three bytes; then its elements. */
export function rawBlock(elements: Uint8Array, length: number): Uint8Array {
  return join(Uint8Array.of(0x80 | (length & 0x7f), 0x80 | ((length >> 7) & 0x7f), length >> 14), elements);
}
