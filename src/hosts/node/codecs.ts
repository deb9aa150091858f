import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { CODEC, tooLarge } from '../../records/codecs.ts';
import type { Codec, Codecs } from '../../records/codecs.ts';
import { lz4 } from '../../records/lz4.ts';
import { snappy } from '../../records/snappy.ts';

type ZlibDecompress = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

/** Every codec of Kafka, all sync; levels are Kafka's defaults (gzip -1, zstd 3), which are zlib's too. */
export function nodeCodecs(): Codecs {
  return new Map<number, Codec>([
    [CODEC.gzip, { compress: (bytes) => gzipSync(bytes), decompress: bounded(gunzipSync) }],
    [CODEC.snappy, snappy],
    [CODEC.lz4, lz4],
    [CODEC.zstd, { compress: (bytes) => zstdCompressSync(bytes), decompress: bounded(zstdDecompressSync) }],
  ]);
}

/** zlib writes chunks of 16 KiB and looks at the bound after each. */
function bounded(unpack: ZlibDecompress): Codec['decompress'] {
  return (bytes, maxBytes) => {
    try {
      return unpack(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      if (error instanceof RangeError) throw tooLarge(maxBytes);
      throw error;
    }
  };
}
