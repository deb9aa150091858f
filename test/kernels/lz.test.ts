import { createRequire } from 'node:module';
import fc from 'fast-check';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { describe, expect, test } from 'vitest';
import { type LzKernels, PackFault } from '../../src/kernels/kernels.ts';
import { xxh32 } from '../../src/kernels/twins/xxh32.ts';
import { blocksOf, frame, mixed, repeat, shape, uint32 } from './frames.ts';
import { damaged, join, text } from './generate.ts';
import { base, blind, GAP, raw, SLACK } from './guards.ts';
import { eachLz, twinLz, wasmLz } from './instances.ts';
import { packSnappy, rawBlock } from './snappy.ts';

const require = createRequire(import.meta.url);
const lz4js: { compress(bytes: Uint8Array): Uint8Array } = require('lz4js');
const snappyjs: Record<'compress' | 'uncompress', (bytes: Uint8Array) => Uint8Array> = require('snappyjs');

const MIB = 1024 * 1024;

/** What comes out, or undefined. */
function unpackSnappy(kernels: LzKernels, elements: Uint8Array, size: number): Uint8Array | undefined {
  const out = new Uint8Array(size);
  return kernels.unpackSnappy(elements, out) ? out : undefined;
}

/** Bytes, or faults. `toEqual` on large arrays takes seconds. */
function same(left: Uint8Array | number | undefined, right: Uint8Array | number): boolean {
  if (!(left instanceof Uint8Array) || !(right instanceof Uint8Array)) return left === right;
  return Buffer.compare(left, right) === 0;
}

test('xxh32 is that of its specification', () => {
  expect(xxh32(text(''))).toBe(0x02cc5d05);
  expect(xxh32(text('a'))).toBe(0x550d7456);
  expect(xxh32(text('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f);
});

describe('WASM equals its twin', () => {
  test('on what it packs, and on what that unpacks to', () => {
    fc.assert(
      fc.property(mixed, (bytes) => {
        const packed = wasmLz.packLz4(bytes);
        expect(same(packed, twinLz.packLz4(bytes))).toBe(true);
        for (const { kernels } of eachLz)
          expect(same(kernels.unpackLz4(packed, bytes.length), bytes)).toBe(true);
        const elements = packSnappy(wasmLz, bytes);
        expect(same(elements, packSnappy(twinLz, bytes))).toBe(true);
        for (const { kernels } of eachLz)
          expect(same(unpackSnappy(kernels, elements, bytes.length), bytes)).toBe(true);
      }),
    );
  });

  test('on frames of every shape, whole and damaged', () => {
    const whole = fc.tuple(mixed, shape).map(([content, how]) => frame(blocksOf(content), content, how));
    const seen = { unpacked: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof(whole, damaged(whole)), fc.nat(100_000), (bytes, maxBytes) => {
        const unpacked = wasmLz.unpackLz4(bytes, maxBytes);
        const expected = twinLz.unpackLz4(bytes, maxBytes);
        expect(same(unpacked, expected)).toBe(true);
        seen[expected instanceof Uint8Array ? 'unpacked' : 'refused']++;
      }),
      { numRuns: 600 },
    );
    expect(seen.unpacked).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(100);
  });

  test('on damaged Snappy elements', () => {
    const whole = mixed.map((bytes) => packSnappy(twinLz, bytes.subarray(0, 5000)));
    fc.assert(
      fc.property(damaged(whole), fc.oneof(fc.constant(5000), fc.nat(6000)), (elements, size) => {
        expect(unpackSnappy(wasmLz, elements, size)).toEqual(unpackSnappy(twinLz, elements, size));
      }),
      { numRuns: 500 },
    );
  });
});

describe('kernels stay inside their areas', () => {
  /** The block's own bytes, something that is in reach before the output, and the output. */
  const HISTORY = 300;

  test('unpacking LZ4 blocks', () => {
    const blocks = mixed.map((bytes) => blocksOf(bytes.subarray(0, 20_000))[0]?.bytes ?? new Uint8Array());
    fc.assert(
      fc.property(damaged(blocks), fc.nat(20_500), fc.nat(16), (block, size, offset) => {
        const at = base + offset;
        const floor = at + block.length + GAP;
        const out = floor + HISTORY;
        const parts = new Map([
          [at, block],
          [floor, repeat(text('history '), HISTORY)],
        ]);
        const end = blind(parts, [[out, out + size + SLACK]], () =>
          raw.unpackLz4Block(at, at + block.length, floor, out, out + size),
        );
        expect(end < 2 || (end >= out && end <= out + size)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('unpacking Snappy', () => {
    const whole = mixed.map((bytes) => packSnappy(twinLz, bytes.subarray(0, 20_000)));
    fc.assert(
      fc.property(damaged(whole), fc.nat(20_500), fc.nat(16), (elements, size, offset) => {
        const at = base + offset;
        const out = at + elements.length + GAP;
        const fits = blind(new Map([[at, elements]]), [[out, out + size + SLACK]], () =>
          raw.unpackSnappy(at, at + elements.length, out, out + size),
        );
        expect(fits).toBe(twinLz.unpackSnappy(elements, new Uint8Array(size)) ? 1 : 0);
      }),
      { numRuns: 200 },
    );
  });

  test('packing, and xxh32', () => {
    fc.assert(
      fc.property(mixed, fc.nat(16), (bytes, offset) => {
        const plain = bytes.subarray(0, 50_000);
        const at = base + offset;
        const out = at + plain.length + GAP;
        const room = plain.length + Math.ceil(plain.length / 6) + 64 + SLACK;
        const parts = new Map([[at, plain]]);
        const lz4 = blind(parts, [[out, out + room]], () => raw.packLz4Blocks(at, plain.length, out));
        expect(lz4 - out).toBe(twinLz.packLz4(plain).length - 11);
        const snappy = blind(parts, [[out, out + room]], () => raw.packSnappy(at, plain.length, out));
        expect(snappy - out).toBe(packSnappy(twinLz, plain).length);
        expect(blind(parts, [], () => raw.xxh32(at, plain.length) >>> 0)).toBe(xxh32(plain));
      }),
      { numRuns: 100 },
    );
  });
});

describe.each(eachLz)('LZ4 ($name)', ({ kernels }) => {
  const content = join(repeat(text('lz4 in all shapes of its frame '), 150_000), text('.'));

  test('agrees with lz4-napi both ways, checksums and all', () => {
    fc.assert(
      fc.property(mixed, fc.boolean(), fc.boolean(), (bytes, contentChecksum, blockChecksums) => {
        const theirs = compressFrameSync(Buffer.from(bytes), { contentChecksum, blockChecksums });
        expect(same(kernels.unpackLz4(theirs, bytes.length), bytes)).toBe(true);
        expect(same(decompressFrameSync(Buffer.from(kernels.packLz4(bytes))), bytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('reads linked blocks of 4 MiB, more than is unpacked at once, and stops at the bound', () => {
    const bytes = repeat(text('linked blocks, as lz4js writes them '), 10 * MIB + 1);
    const packed = lz4js.compress(bytes);
    expect(same(kernels.unpackLz4(packed, bytes.length), bytes)).toBe(true);
    expect(kernels.unpackLz4(packed, bytes.length - 1)).toBe(PackFault.tooLarge);
  });

  test('packs and sums what is more than a piece', () => {
    const bytes = Uint8Array.from({ length: 3 * MIB + 5 }, (_, at) => (at * at) >>> (at & 15));
    const packed = kernels.packLz4(bytes);
    expect(same(decompressFrameSync(Buffer.from(packed)), bytes)).toBe(true);
    const summed = frame(blocksOf(bytes), bytes, { hasContentSum: true, hasBlockSums: true });
    expect(same(kernels.unpackLz4(summed, 4 * MIB), bytes)).toBe(true);
    const theirs = compressFrameSync(Buffer.from(bytes), { contentChecksum: true, blockChecksums: true });
    expect(same(kernels.unpackLz4(theirs, bytes.length), bytes)).toBe(true);
  });

  test.each([{ hasOldSum: false }, { hasOldSum: true }])(
    'header checksums, new and as until Kafka 0.10: $hasOldSum',
    ({ hasOldSum }) => {
      const bytes = frame(blocksOf(content), content, { hasOldSum, hasSize: true });
      expect(same(kernels.unpackLz4(bytes, content.length), content)).toBe(true);
      bytes[14]! ^= 1;
      expect(kernels.unpackLz4(bytes, content.length)).toBe(PackFault.checksum);
    },
  );

  test('every checksum is held against what it covers', () => {
    const bytes = frame(blocksOf(content), content, { hasBlockSums: true, hasContentSum: true });
    expect(same(kernels.unpackLz4(bytes, content.length), content)).toBe(true);
    for (const fromEnd of [1, 9]) {
      const hurt = bytes.slice();
      hurt[bytes.length - fromEnd]! ^= 1;
      expect(kernels.unpackLz4(hurt, content.length)).toBe(PackFault.checksum);
    }
  });

  test('a content size that lies, or is over the bound, is refused', () => {
    const honest = frame(blocksOf(content), content, { hasSize: true });
    expect(kernels.unpackLz4(honest, content.length - 1)).toBe(PackFault.tooLarge);
    const lying = frame(blocksOf(content), content.subarray(1), { hasSize: true });
    expect(kernels.unpackLz4(lying, content.length)).toBe(PackFault.corrupt);
    const huge = join(honest.subarray(0, 6), new Uint8Array(8).fill(0xff));
    const summed = join(huge, Uint8Array.of(xxh32(huge.subarray(4)) >>> 8));
    expect(kernels.unpackLz4(summed, MIB)).toBe(PackFault.tooLarge);
  });

  test('a bomb stops at its bound', () => {
    const bytes = Uint8Array.of(0x1f, 0x41, 1, 0, ...new Uint8Array(60_000).fill(255), 0, 0);
    const bomb = frame(
      Array.from({ length: 40 }, () => ({ bytes })),
      new Uint8Array(),
      { sizeCode: 7 },
    );
    expect(kernels.unpackLz4(bomb, MIB)).toBe(PackFault.tooLarge);
    // 15.3 million bytes, in a block of 4 MiB at most.
    expect(kernels.unpackLz4(bomb, 64 * MIB)).toBe(PackFault.corrupt);
  });

  test('skippable frames are skipped, and one that is cut is refused', () => {
    const skippable = join(uint32(0x184d2a5f), uint32(3), text('abc'));
    const two = join(kernels.packLz4(text('one')), skippable, kernels.packLz4(text('two')));
    expect(same(kernels.unpackLz4(two, 6), text('onetwo'))).toBe(true);
    expect(kernels.unpackLz4(skippable.subarray(0, 10), 6)).toBe(PackFault.corrupt);
  });
});

describe.each(eachLz)('Snappy ($name)', ({ kernels }) => {
  test('agrees with snappyjs both ways', () => {
    fc.assert(
      fc.property(mixed, (bytes) => {
        const block = rawBlock(packSnappy(kernels, bytes), bytes.length);
        expect(same(snappyjs.uncompress(block), bytes)).toBe(true);
        const theirs = snappyjs.compress(bytes);
        const lengthBytes = bytes.length < 128 ? 1 : bytes.length < 16_384 ? 2 : 3;
        expect(same(unpackSnappy(kernels, theirs.subarray(lengthBytes), bytes.length), bytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('more than the kernels have memory for', () => {
    const bytes = repeat(text('a raw block of one piece '), 12 * MIB);
    const elements = packSnappy(kernels, bytes);
    expect(same(unpackSnappy(kernels, elements, bytes.length), bytes)).toBe(true);
  });

  test.each([
    ['a literal of 4 GiB', [63 << 2, 0xff, 0xff, 0xff, 0xff]],
    ['a literal whose length is cut', [61 << 2, 1]],
    ['a copy from before the start', [0, 0x41, (3 << 2) | 2, 2, 0]],
    ['a copy from nowhere', [0, 0x41, (3 << 2) | 2, 0, 0]],
    ['a copy from 4 GiB back', [0, 0x41, (3 << 2) | 3, 0xff, 0xff, 0xff, 0xff]],
    ['a copy that is cut', [0, 0x41, (3 << 2) | 3, 1, 0, 0]],
  ])('refuses %s', (_, elements) => {
    expect(unpackSnappy(kernels, Uint8Array.from(elements), 5)).toBeUndefined();
  });
});
