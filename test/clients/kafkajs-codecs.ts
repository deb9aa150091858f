import { createRequire } from 'node:module';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

type Transform = (bytes: Uint8Array) => Uint8Array;

interface PlainCodec {
  compress: Transform;
}
const require = createRequire(import.meta.url);
// Node finds not every name of it in an import.
const { CompressionCodecs, CompressionTypes }: typeof import('kafkajs') = require('kafkajs');
const snappyjs: PlainCodec & { uncompress: Transform } = require('snappyjs');
const lz4js: PlainCodec & { decompress: Transform } = require('lz4js');

/** Java's snappy streams: magic, version, lowest compatible version, then blocks with their sizes. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER_SIZE = 16;
const XERIAL_BLOCK_BYTES = 32 * 1024;

function uncompressSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC))
    return Buffer.from(snappyjs.uncompress(bytes));
  const blocks: Uint8Array[] = [];
  for (let at = XERIAL_HEADER_SIZE; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    blocks.push(snappyjs.uncompress(bytes.subarray(at + 4, end)));
    at = end;
  }
  return Buffer.concat(blocks);
}

function compressXerial(bytes: Buffer): Buffer {
  const parts: Uint8Array[] = [XERIAL_MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])];
  for (let at = 0; at < bytes.length; at += XERIAL_BLOCK_BYTES) {
    const block = snappyjs.compress(bytes.subarray(at, at + XERIAL_BLOCK_BYTES));
    const size = Buffer.alloc(4);
    size.writeUInt32BE(block.length);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}

function register(
  type: keyof typeof CompressionCodecs,
  compress: (bytes: Buffer) => Uint8Array,
  decompress: (bytes: Buffer) => Uint8Array,
): void {
  CompressionCodecs[type] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => Buffer.from(compress(buffer)),
    decompress: async (buffer: Buffer) => Buffer.from(decompress(buffer)),
  });
}

/** The framing snappy has on the wire: one raw block, as kafkajs-snappy writes it, or Java's stream of blocks. */
export function writeSnappyAs(framing: 'raw' | 'xerial'): void {
  const compress = framing === 'raw' ? (bytes: Buffer) => snappyjs.compress(bytes) : compressXerial;
  register(CompressionTypes.Snappy, compress, uncompressSnappy);
}

/** Gives kafkajs the codecs it leaves to plugins, in the framing those plugins use. */
export function registerCodecs(): void {
  writeSnappyAs('raw');
  register(CompressionTypes.LZ4, lz4js.compress, lz4js.decompress);
  register(CompressionTypes.ZSTD, zstdCompressSync, zstdDecompressSync);
}

export const KAFKAJS_CODECS = [
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const;
