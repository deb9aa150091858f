import { createRequire } from 'node:module';
import { decompressFrameSync } from 'lz4-napi';
import { blocksOf, frame } from '../../kernels/frames.ts';
import { twinLz, wasmLz } from '../../kernels/instances.ts';
import { packSnappy, rawBlock } from '../../kernels/snappy.ts';
import type { SeededRandom } from '../../support/random.ts';
import { damage, texture } from '../damage.ts';
import { guarded, raw } from '../guarded.ts';
import { type Outcomes, type Target, mustHold, sameBytes } from '../target.ts';

const require = createRequire(import.meta.url);
const snappyjs: { uncompress(bytes: Uint8Array): Uint8Array } = require('snappyjs');

const KIND = { lz4: 0, snappy: 1, plain: 2 };
const RAW_MAX_BYTES = 3000;
const BOUNDS = [0, 100, RAW_MAX_BYTES, 100_000];

/**
 * The kernels of LZ4 and Snappy, without the codecs around them: on packed bytes, damaged before or after what sums
 * them, WASM and its twin say the same; what they pack is the same, and others read it.
 */
export const lzBlocks: Target = {
  name: 'lz',
  share: 8,
  bufferMaxBytes: 4 * 100_000,
  make(random) {
    const kind = random.chance(0.05) ? KIND.plain : random.integer(KIND.lz4, KIND.snappy);
    const raw = texture(random, RAW_MAX_BYTES);
    const made =
      kind === KIND.plain
        ? raw
        : kind === KIND.lz4
          ? frames(random, raw)
          : damage(packSnappy(twinLz, raw), random);
    return new Uint8Array(Buffer.concat([Uint8Array.of(kind, random.integer(0, BOUNDS.length - 1)), made]));
  },
  check(input) {
    const [kind = 0, bound = 0] = input;
    const bytes = input.subarray(2);
    const maxBytes = BOUNDS[bound % BOUNDS.length] ?? 0;
    if (kind === KIND.lz4) return checkFrames(bytes, maxBytes);
    if (kind === KIND.snappy) return checkElements(bytes, maxBytes);
    return checkPacking(bytes);
  },
};

/** Two frames at times, and their blocks damaged half the time, so that damage lies behind right checksums. */
function frames(random: SeededRandom, raw: Uint8Array): Uint8Array {
  const cut = random.chance(0.3) ? random.integer(0, raw.length) : raw.length;
  const parts = [raw.subarray(0, cut), raw.subarray(cut)].map((content) => {
    const hurt = random.chance(0.5);
    const blocks = blocksOf(content).map((block) =>
      hurt ? { ...block, bytes: damage(block.bytes, random) } : block,
    );
    return frame(random.chance(0.3) ? [...blocks, ...blocks] : blocks, content, {
      isLinked: random.chance(0.5),
      hasBlockSums: random.chance(0.3),
      hasContentSum: random.chance(0.2),
      hasSize: random.chance(0.2),
      sizeCode: random.integer(4, 7),
      hasOldSum: random.chance(0.2),
    });
  });
  const whole = new Uint8Array(Buffer.concat(parts));
  return random.chance(0.4) ? damage(whole, random) : whole;
}

function checkFrames(bytes: Uint8Array, maxBytes: number): Outcomes {
  const unpacked = wasmLz.unpackLz4(bytes, maxBytes);
  const expected = twinLz.unpackLz4(bytes, maxBytes);
  if (!(unpacked instanceof Uint8Array) || !(expected instanceof Uint8Array)) {
    mustHold(unpacked === expected, () => `LZ4: ${told(unpacked)} here, ${told(expected)} in the twin`);
    return [`LZ4: ${told(unpacked)}`];
  }
  mustHold(unpacked.length <= maxBytes, () => `LZ4 gave ${unpacked.length} bytes of ${maxBytes}`);
  mustHold(sameBytes(unpacked, expected), () => 'LZ4 unpacks otherwise than its twin');
  // It refuses what it does not know, and stops behind the first frame.
  const theirs = attempt(() => decompressFrameSync(Buffer.from(bytes)));
  const isSame = !theirs || theirs.length < unpacked.length || sameBytes(theirs, unpacked);
  mustHold(isSame, () => 'lz4-napi reads LZ4 otherwise');
  return ['LZ4 unpacked'];
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

/** Any bytes as a block of either format, between guards. */
function checkBlock(bytes: Uint8Array): void {
  const outSize = RAW_MAX_BYTES;
  const areas = { input: bytes, outSize };
  const { result: length } = guarded(areas, (at, out) => {
    const end = raw.unpackLz4Block(at, at + bytes.length, out, out, out + outSize);
    return end < 2 ? out : end;
  });
  mustHold(length >= 0 && length <= outSize, () => `an LZ4 block of ${length} bytes`);
  guarded(areas, (at, out) => out + raw.unpackSnappy(at, at + bytes.length, out, out + outSize));
}

function told(result: Uint8Array | number): string {
  return typeof result === 'number' ? `fault ${result}` : `${result.length} bytes`;
}

function checkElements(bytes: Uint8Array, size: number): Outcomes {
  const out = new Uint8Array(size);
  const expected = new Uint8Array(size);
  const fits = wasmLz.unpackSnappy(bytes, out);
  mustHold(fits === twinLz.unpackSnappy(bytes, expected), () => `Snappy fits ${fits}, not in the twin`);
  checkBlock(bytes);
  if (fits) {
    mustHold(sameBytes(out, expected), () => 'Snappy unpacks otherwise than its twin');
    const theirs = attempt(() => snappyjs.uncompress(rawBlock(bytes, size)));
    mustHold(!theirs || sameBytes(theirs, out), () => 'snappyjs reads Snappy otherwise');
  }
  return [`Snappy fits ${size}: ${fits}`];
}

function checkPacking(plain: Uint8Array): Outcomes {
  const packed = wasmLz.packLz4(plain);
  mustHold(sameBytes(packed, twinLz.packLz4(plain)), () => 'LZ4 packs otherwise than its twin');
  mustHold(
    sameBytes(decompressFrameSync(Buffer.from(packed)), plain),
    () => 'lz4-napi reads our LZ4 otherwise',
  );
  const elements = packSnappy(wasmLz, plain);
  mustHold(sameBytes(elements, packSnappy(twinLz, plain)), () => 'Snappy packs otherwise than its twin');
  const block = rawBlock(elements, plain.length);
  mustHold(sameBytes(snappyjs.uncompress(block), plain), () => 'snappyjs reads our Snappy otherwise');
  return ['packed'];
}
