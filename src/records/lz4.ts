import { type LzKernels, PackFault } from '../kernels/kernels.ts';
import { tooLarge } from './codecs.ts';
import type { Codec } from './codecs.ts';

/**
 * LZ4 frames. Of Kafka's levels (`compression.lz4.level`, 1..17) there is the default, 9: Java's one fast pass. The
 * others spend more time on smaller frames, which any reader reads the same.
 */
export function lz4(lz: LzKernels): Codec {
  return {
    compress: (bytes) => lz.packLz4(bytes),
    decompress(bytes, maxBytes) {
      const unpacked = lz.unpackLz4(bytes, maxBytes);
      if (unpacked instanceof Uint8Array) return unpacked;
      if (unpacked === PackFault.tooLarge) throw tooLarge(maxBytes);
      throw new Error(unpacked === PackFault.checksum ? 'an lz4 checksum is wrong' : 'not an lz4 frame');
    },
  };
}
