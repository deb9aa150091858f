import { createRequire } from 'node:module';
import { compileKernels } from '../../src/kernels/module.node.ts';
import { FRAME_HEADER } from '../../src/kernels/lz4-frame.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { lzOf } from '../../src/kernels/lz.ts';
import { twinLz as twin } from '../../src/kernels/twin-lz.ts';
import { SeededRandom } from '../support/random.ts';
import { bestRatio, interleave, report } from './harness.ts';

type Transform = (bytes: Uint8Array) => Uint8Array;

const require = createRequire(import.meta.url);
const foxglove: ((frame: Uint8Array, size: number) => Uint8Array) & {
  isLoaded: Promise<boolean>;
} = require('@foxglove/wasm-lz4');
const rust: { compress: Transform; decompress: Transform } = require('lz4-wasm-nodejs');
const platformatic: Record<
  `${'lz4' | 'snappy'}${'Compress' | 'Decompress'}`,
  Transform
> = require('@platformatic/wasm-utils');
const hysnappy: {
  snappyUncompressor(): (bytes: Uint8Array, size: number) => Uint8Array;
} = require('hysnappy');

/** The raw module: what it does without copies in and out. */
interface Raw {
  memory: WebAssembly.Memory;
  heapBase(): number;
  packLz4Blocks(from: number, length: number, out: number): number;
  unpackLz4Block(at: number, end: number, floor: number, out: number, outEnd: number): number;
  packSnappy(from: number, length: number, out: number): number;
  unpackSnappy(at: number, end: number, out: number, outEnd: number): number;
}

const raw = new WebAssembly.Instance(await compileKernels()).exports as unknown as Raw;
const wasm = lzOf(await loadKernels());
const SLACK = 16;
/** Many, of which the best one counts: a kernel is measured, not what else the machine does. */
const ROUNDS = 61;
/** Least ratios to the best peer, of issue 4. */
const DECODE_BAR = 1.3;
const ENCODE_BAR = 1.1;

/** A block in the raw module's memory: `plain`, where it is packed to, and (the same for all) where unpacked. */
interface Block {
  plain: number;
  size: number;
  packed: number;
  /** Once it is packed. */
  packedEnd: number;
  out: number;
}

/** One behind the other. */
function inMemory(plains: readonly Uint8Array[]): Block[] {
  const size = plains[0]!.length;
  const room = Math.ceil(size * 1.2) + 4096;
  const out = raw.heapBase();
  const missing = out + (2 * plains.length + 1) * room - raw.memory.buffer.byteLength;
  if (missing > 0) raw.memory.grow(Math.ceil(missing / 65_536));
  return plains.map((bytes, number) => {
    const plain = out + (2 * number + 1) * room;
    new Uint8Array(raw.memory.buffer).set(bytes, plain);
    return { plain, size, packed: plain + room, packedEnd: plain + room, out };
  });
}

/** Blocks of LZ4 as they follow each other in a frame, without its header and end. @returns whether all is there. */
function unpackLz4({ packed, packedEnd, size, out }: Block): boolean {
  const view = new DataView(raw.memory.buffer);
  let to = out;
  for (let at = packed; at < packedEnd;) {
    const length = view.getUint32(at, true);
    to = raw.unpackLz4Block(at + 4, at + 4 + length, to, to, to + 65_536 + SLACK);
    at += 4 + length;
  }
  return to === out + size;
}

/** Does the same with each, in one call of what is measured. */
function each<T>(items: readonly T[], work: (item: T) => unknown): () => void {
  return () => {
    for (const item of items) work(item);
  };
}

interface Comparison {
  bench: string;
  bytes: number;
  ours: () => unknown;
  peers: Record<string, () => unknown>;
  /** Against the best of them. */
  bar?: number;
}

/** Reports the ratio to the peer that is quickest here. */
async function compare({ bench, bytes, ours, peers, bar }: Comparison): Promise<void> {
  const timings = await interleave<string>({ ours, ...peers }, ROUNDS);
  const ratios = Object.keys(peers).map((peer) => ({ peer, ratio: bestRatio(timings, 'ours', peer) }));
  const least = Math.min(...ratios.map((found) => found.ratio));
  const value = bytes / 1e6 / Math.min(...timings['ours']!);
  for (const found of ratios) {
    const isBest = found.ratio === least && bar !== undefined;
    report({ bench, value, unit: 'MB/s', ...found, ...(isBest ? { bar: { ratio: bar } } : {}) });
  }
}

export async function run(): Promise<void> {
  await foxglove.isLoaded;
  // Small blocks are many: of one, again and again, a CPU learns by heart what comes, or not, by process.
  for (const { size, count, name } of [
    { size: 16_384, count: 16, name: '16 KB' },
    { size: 1_048_576, count: 1, name: '1 MB' },
  ]) {
    const all = events(count * size);
    const plains = Array.from({ length: count }, (_, block) => all.slice(block * size, (block + 1) * size));
    await benchLz4(plains, name);
    await benchSnappy(plains, name);
  }
}

async function benchLz4(plains: readonly Uint8Array[], name: string): Promise<void> {
  const size = plains[0]!.length;
  const bytes = size * plains.length;
  const frames = plains.map((plain) => wasm.packLz4(plain));
  const decoders = {
    '@foxglove/wasm-lz4': each(frames, (frame) => foxglove(frame, size)),
    'lz4-wasm-nodejs': each(
      plains.map((plain) => rust.compress(plain)),
      (packed) => rust.decompress(packed),
    ),
    '@platformatic/wasm-utils': each(
      plains.map((plain) => platformatic.lz4Compress(plain)),
      (packed) => platformatic.lz4Decompress(packed),
    ),
  };
  const encoders = {
    'lz4-wasm-nodejs': each(plains, (plain) => rust.compress(plain)),
    '@platformatic/wasm-utils': each(plains, (plain) => platformatic.lz4Compress(plain)),
  };
  const blocks = inMemory(plains);
  for (const [number, block] of blocks.entries()) {
    block.packedEnd = raw.packLz4Blocks(block.plain, size, block.packed);
    if (block.packedEnd - block.packed !== frames[number]!.length - FRAME_HEADER.length - 4)
      throw new Error('another frame');
    if (!unpackLz4(block)) throw new Error('not unpacked');
  }
  const ours = each(blocks, unpackLz4);
  await compare({ bench: `lz4 unpack ${name} in memory`, bytes, ours, peers: decoders, bar: DECODE_BAR });
  const pack = each(blocks, ({ plain, packed }) => raw.packLz4Blocks(plain, size, packed));
  await compare({ bench: `lz4 pack ${name} in memory`, bytes, ours: pack, peers: encoders, bar: ENCODE_BAR });
  await compare({
    bench: `lz4 unpack ${name} with copies`,
    bytes,
    ours: each(frames, (frame) => wasm.unpackLz4(frame, size)),
    peers: { ...decoders, twin: each(frames, (frame) => twin.unpackLz4(frame, size)) },
  });
  await compare({
    bench: `lz4 pack ${name} with copies`,
    bytes,
    ours: each(plains, (plain) => wasm.packLz4(plain)),
    peers: { ...encoders, twin: each(plains, (plain) => twin.packLz4(plain)) },
  });
}

async function benchSnappy(plains: readonly Uint8Array[], name: string): Promise<void> {
  const size = plains[0]!.length;
  const bytes = size * plains.length;
  const theirs = plains.map((plain) => platformatic.snappyCompress(plain));
  const uncompress = hysnappy.snappyUncompressor();
  const decoders = {
    hysnappy: each(theirs, (packed) => uncompress(packed, size)),
    '@platformatic/wasm-utils': each(theirs, (packed) => platformatic.snappyDecompress(packed)),
  };
  const encoders = {
    '@platformatic/wasm-utils': each(plains, (plain) => platformatic.snappyCompress(plain)),
  };
  const blocks = inMemory(plains);
  const unpackOne = ({ packed, packedEnd, out }: Block) =>
    raw.unpackSnappy(packed, packedEnd, out, out + size);
  for (const block of blocks) {
    block.packedEnd = raw.packSnappy(block.plain, size, block.packed);
    if (unpackOne(block) !== 1) throw new Error('not unpacked');
  }
  const unpack = each(blocks, unpackOne);
  await compare({
    bench: `snappy unpack ${name} in memory`,
    bytes,
    ours: unpack,
    peers: decoders,
    bar: DECODE_BAR,
  });
  const pack = each(blocks, ({ plain, packed }) => raw.packSnappy(plain, size, packed));
  await compare({
    bench: `snappy pack ${name} in memory`,
    bytes,
    ours: pack,
    peers: encoders,
    bar: ENCODE_BAR,
  });
  const room = new Uint8Array(Math.ceil(size * 1.2) + 64);
  const elements = plains.map((plain) => room.slice(0, wasm.packSnappy(plain, room, 0)));
  await compare({
    bench: `snappy unpack ${name} with copies`,
    bytes,
    ours: each(elements, (packed) => wasm.unpackSnappy(packed, new Uint8Array(size))),
    peers: { ...decoders, twin: each(elements, (packed) => twin.unpackSnappy(packed, new Uint8Array(size))) },
  });
  await compare({
    bench: `snappy pack ${name} with copies`,
    bytes,
    ours: each(plains, (plain) => wasm.packSnappy(plain, room, 0)),
    peers: { ...encoders, twin: each(plains, (plain) => twin.packSnappy(plain, room, 0)) },
  });
}

/** Events as JSON, one behind the other: what topics are full of. */
function events(size: number): Uint8Array {
  const random = new SeededRandom(1);
  const lines: string[] = [];
  for (let length = 0, at = 0; length < size; at++) {
    const line = JSON.stringify({
      id: random.integer(0, 2 ** 40).toString(16) + at,
      ts: 1_700_000_000_000 + at * 7,
      user: random.integer(0, 500).toString(36).padEnd(10, 'x'),
      event: random.pick(['page_view', 'click', 'purchase', 'login', 'logout', 'error']),
      url: `/products/${random.integer(0, 9999)}`,
      ms: random.integer(0, 900),
      ok: random.chance(0.9),
      ua: 'Mozilla/5.0 (X11; Linux x86_64)',
    });
    lines.push(line);
    length += line.length;
  }
  return new TextEncoder().encode(lines.join('')).slice(0, size);
}
