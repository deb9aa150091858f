/** What is loaded for a topic that is packed by snappy or lz4. */
import { twinLz } from '../kernels/twin-lz.ts';
import { CODEC } from '../records/codecs.ts';
import { lz4 } from '../records/lz4.ts';
import { snappy } from '../records/snappy.ts';

/** @throws Error when the bytes are damaged, or unpack to more than `maxBytes`. */
export function unpack(codec: number, block: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const home = codec === CODEC.lz4 ? lz4(twinLz) : snappy(twinLz);
  return Promise.resolve(home.decompress(block, maxBytes));
}
