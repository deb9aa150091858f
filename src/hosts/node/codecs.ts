import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Kernels } from '../../kernels/kernels.ts';
import { lzOf } from '../../kernels/lz.ts';
import { CODEC, tooLarge } from '../../records/codecs.ts';
import type { Codec, Codecs } from '../../records/codecs.ts';
import { lz4 } from '../../records/lz4.ts';
import { snappy } from '../../records/snappy.ts';

const gzip: Codec = {
  compress: (bytes, level) => gzipSync(bytes, { level }),
  decompress: (bytes, maxBytes) => bounded(maxBytes, () => gunzipSync(bytes, { maxOutputLength: maxBytes })),
};

const zstd: Codec = {
  compress: (bytes, level) =>
    level === undefined
      ? zstdCompressSync(bytes)
      : zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } }),
  decompress: (bytes, maxBytes) => bounded(maxBytes, () => Buffer.concat(unpackFrames(bytes, maxBytes))),
};

/** A frame costs 30 us however small; clients send one to a batch. */
const ZSTD_FRAMES_MAX = 1000;

/** Every codec of Kafka, all sync; levels are Kafka's defaults (gzip -1, zstd 3), which are zlib's too. */
export function nodeCodecs(kernels: Kernels): Codecs {
  return new Map([
    [CODEC.gzip, gzip],
    [CODEC.snappy, snappy(lzOf(kernels))],
    [CODEC.lz4, lz4(lzOf(kernels))],
    [CODEC.zstd, zstd],
  ] satisfies [number, Codec][]);
}

/** One call reads one zstd frame and says nothing of what follows; with `info` it tells how far it came. */
function unpackFrames(bytes: Uint8Array, maxBytes: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let left = maxBytes;
  for (let at = 0; at < bytes.length;) {
    // A bound of 0 is not taken; one byte too many is seen below.
    const options = { info: true, maxOutputLength: Math.max(left, 1) };
    const unpacked = zstdDecompressSync(bytes.subarray(at), options) as unknown as ZlibInfo;
    left -= unpacked.buffer.length;
    if (unpacked.engine.bytesWritten === 0 || left < 0)
      throw new RangeError('no progress, or over the bound');
    if (frames.push(unpacked.buffer) > ZSTD_FRAMES_MAX) throw new Error('too many zstd frames');
    at += unpacked.engine.bytesWritten;
  }
  return frames;
}

interface ZlibInfo {
  buffer: Uint8Array;
  engine: { bytesWritten: number };
}

/** zlib writes chunks of 16 KiB, looks at the bound after each, and throws a RangeError. */
function bounded(maxBytes: number, unpack: () => Uint8Array): Uint8Array {
  try {
    return unpack();
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxBytes);
    throw error;
  }
}
