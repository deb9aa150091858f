/** What is loaded for a topic that is packed by snappy or lz4. */
import { TwinKernels } from '../kernels/twin.ts';
import { CODEC } from '../records/codecs.ts';
import { lz4 } from '../records/lz4.ts';
import { snappy } from '../records/snappy.ts';

const kernels = new TwinKernels();

/** @throws Error when the bytes are damaged, or unpack to more than `maxBytes`. */
export function unpack(codec: number, block: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const home = codec === CODEC.lz4 ? lz4(kernels) : snappy(kernels);
  return Promise.resolve(home.decompress(block, maxBytes));
}
