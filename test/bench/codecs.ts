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

/** Everything of one size, in the raw module's memory: `plain` at `at`, and room for what it is packed to. */
class InMemory {
  readonly plain: number;
  readonly packed: number;
  readonly out: number;
  readonly view: DataView;

  constructor(plain: Uint8Array) {
    const room = Math.ceil(plain.length * 1.2) + 4096;
    this.plain = raw.heapBase();
    this.packed = this.plain + room;
    this.out = this.packed + room;
    const missing = this.out + room - raw.memory.buffer.byteLength;
    if (missing > 0) raw.memory.grow(Math.ceil(missing / 65_536));
    new Uint8Array(raw.memory.buffer).set(plain, this.plain);
    this.view = new DataView(raw.memory.buffer);
  }

  /** Blocks as they follow each other in a frame, without its header and end. */
  unpackLz4(end: number): number {
    let out = this.out;
    for (let at = this.packed; at < end;) {
      const size = this.view.getUint32(at, true);
      out = raw.unpackLz4Block(at + 4, at + 4 + size, out, out, out + 65_536 + SLACK);
      at += 4 + size;
    }
    return out;
  }
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
  for (const size of [16_384, 1_048_576]) {
    const plain = events(size);
    const name = size < 1_048_576 ? `${size / 1024} KB` : `${size / 1_048_576} MB`;
    await benchLz4(plain, name);
    await benchSnappy(plain, name);
  }
}

async function benchLz4(plain: Uint8Array, name: string): Promise<void> {
  const bytes = plain.length;
  const frame = wasm.packLz4(plain);
  const rusts = rust.compress(plain);
  const theirs = platformatic.lz4Compress(plain);
  const decoders = {
    '@foxglove/wasm-lz4': () => foxglove(frame, bytes),
    'lz4-wasm-nodejs': () => rust.decompress(rusts),
    '@platformatic/wasm-utils': () => platformatic.lz4Decompress(theirs),
  };
  const encoders = {
    'lz4-wasm-nodejs': () => rust.compress(plain),
    '@platformatic/wasm-utils': () => platformatic.lz4Compress(plain),
  };
  const memory = new InMemory(plain);
  const end = raw.packLz4Blocks(memory.plain, bytes, memory.packed);
  if (end - memory.packed !== frame.length - FRAME_HEADER.length - 4) throw new Error('another frame');
  if (memory.unpackLz4(end) !== memory.out + bytes) throw new Error('not unpacked');
  const ours = () => memory.unpackLz4(end);
  await compare({ bench: `lz4 unpack ${name} in memory`, bytes, ours, peers: decoders, bar: DECODE_BAR });
  const pack = () => raw.packLz4Blocks(memory.plain, bytes, memory.packed);
  await compare({ bench: `lz4 pack ${name} in memory`, bytes, ours: pack, peers: encoders, bar: ENCODE_BAR });
  const copying = { ...decoders, twin: () => twin.unpackLz4(frame, bytes) };
  await compare({
    bench: `lz4 unpack ${name} with copies`,
    bytes,
    ours: () => wasm.unpackLz4(frame, bytes),
    peers: copying,
  });
  await compare({
    bench: `lz4 pack ${name} with copies`,
    bytes,
    ours: () => wasm.packLz4(plain),
    peers: { ...encoders, twin: () => twin.packLz4(plain) },
  });
}

async function benchSnappy(plain: Uint8Array, name: string): Promise<void> {
  const bytes = plain.length;
  const theirs = platformatic.snappyCompress(plain);
  const uncompress = hysnappy.snappyUncompressor();
  const decoders = {
    hysnappy: () => uncompress(theirs, bytes),
    '@platformatic/wasm-utils': () => platformatic.snappyDecompress(theirs),
  };
  const encoders = { '@platformatic/wasm-utils': () => platformatic.snappyCompress(plain) };
  const memory = new InMemory(plain);
  const end = raw.packSnappy(memory.plain, bytes, memory.packed);
  const unpack = () => raw.unpackSnappy(memory.packed, end, memory.out, memory.out + bytes);
  if (unpack() !== 1) throw new Error('not unpacked');
  await compare({
    bench: `snappy unpack ${name} in memory`,
    bytes,
    ours: unpack,
    peers: decoders,
    bar: DECODE_BAR,
  });
  const pack = () => raw.packSnappy(memory.plain, bytes, memory.packed);
  await compare({
    bench: `snappy pack ${name} in memory`,
    bytes,
    ours: pack,
    peers: encoders,
    bar: ENCODE_BAR,
  });
  const packed = new Uint8Array(Math.ceil(bytes * 1.2) + 64);
  const elements = packed.slice(0, wasm.packSnappy(plain, packed, 0));
  await compare({
    bench: `snappy unpack ${name} with copies`,
    bytes,
    ours: () => wasm.unpackSnappy(elements, new Uint8Array(bytes)),
    peers: { ...decoders, twin: () => twin.unpackSnappy(elements, new Uint8Array(bytes)) },
  });
  await compare({
    bench: `snappy pack ${name} with copies`,
    bytes,
    ours: () => wasm.packSnappy(plain, packed, 0),
    peers: { ...encoders, twin: () => twin.packSnappy(plain, packed, 0) },
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
