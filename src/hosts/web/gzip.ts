import type { Codec } from '../../records/codecs.ts';
import { streamed } from './streamed.ts';

/** Gzip from the platform's streams: at zlib's own level, and one member, as clients send it. */
export const gzip: Codec = {
  compress: (bytes) => streamed(new CompressionStream('gzip'), bytes, Infinity),
  decompress: (bytes, maxBytes) => streamed(new DecompressionStream('gzip'), bytes, maxBytes),
};
