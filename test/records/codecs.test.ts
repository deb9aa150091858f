import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import fc from 'fast-check';
import { decompress as fzstdDecompress } from 'fzstd';
import { describe, expect, test } from 'vitest';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { CODEC, decompress } from '../../src/records/codecs.ts';
import { lz4 } from '../../src/records/lz4.ts';
import { snappy } from '../../src/records/snappy.ts';
import { blocksOf, frame, mixed, repeat } from '../kernels/frames.ts';
import { eachLz, wasm } from '../kernels/instances.ts';

interface PlainCodec {
  compress(bytes: Uint8Array): Uint8Array;
}
const require = createRequire(import.meta.url);
const snappyjs: PlainCodec = require('snappyjs');
const lz4js: PlainCodec & { decompress(bytes: Uint8Array): Uint8Array } = require('lz4js');

const codecs = nodeCodecs(wasm);
const NAMES = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const MIB = 1024 * 1024;

function pack(name: (typeof NAMES)[number], bytes: Uint8Array): Uint8Array {
  const packed = codecs.get(CODEC[name])!.compress(bytes);
  if (packed instanceof Promise) throw new Error('Node codecs are sync');
  return packed;
}

function unpack(name: (typeof NAMES)[number], bytes: Uint8Array, maxBytes = 64 * MIB): Uint8Array {
  const unpacked = codecs.get(CODEC[name])!.decompress(bytes, maxBytes);
  if (unpacked instanceof Promise) throw new Error('Node codecs are sync');
  return new Uint8Array(unpacked);
}

/** -1 when the bytes are refused. */
function unpackedLength(name: (typeof NAMES)[number], bytes: Uint8Array, maxBytes: number): number {
  try {
    return unpack(name, bytes, maxBytes).length;
  } catch {
    return -1;
  }
}

describe.each(NAMES)('%s', (name) => {
  const theirs = compressionsAlgorithms[name];

  test('gives back what it was given, and agrees with @platformatic/kafka both ways', () => {
    fc.assert(
      fc.property(mixed, (bytes) => {
        const packed = pack(name, bytes);
        expect(unpack(name, packed)).toEqual(bytes);
        if (bytes.length === 0) return;
        expect(new Uint8Array(theirs.decompressSync(Buffer.from(packed)))).toEqual(bytes);
        expect(unpack(name, theirs.compressSync(Buffer.from(bytes)))).toEqual(bytes);
      }),
      { numRuns: 60 },
    );
  });

  test('stops at the bound, which the exact size still passes', () => {
    const bytes = repeat(Uint8Array.of(1, 2, 3), 300_000);
    const packed = pack(name, bytes);
    expect(unpack(name, packed, bytes.length)).toEqual(bytes);
    expect(() => unpack(name, packed, bytes.length - 1)).toThrow(/more than 299999 bytes/);
  });

  test('survives any damage: an error or other bytes, never more than the bound', () => {
    const packed = pack(name, repeat(new TextEncoder().encode('a record block, '), 5000));
    const damage = fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, fc.nat(packed.length), (changes, cutAt) => {
        const bytes = new Uint8Array(packed);
        for (const [at, value] of changes) bytes[at] = value;
        for (const hostile of [bytes, bytes.subarray(0, cutAt)]) {
          expect(unpackedLength(name, hostile, 10_000)).toBeLessThanOrEqual(10_000);
        }
      }),
    );
  });

  test('random bytes are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        expect(unpackedLength(name, bytes, 10_000)).toBeLessThanOrEqual(10_000);
      }),
    );
  });
});

describe('bombs', () => {
  const zeros = new Uint8Array(256 * MIB);
  test.each([
    ['gzip', gzipSync(zeros)],
    ['zstd', zstdCompressSync(zeros)],
  ] as const)('%s: a small block that unpacks to 256 MiB', (name, bomb) => {
    expect(bomb.length).toBeLessThan(MIB);
    expect(() => decompress(codecs, { codec: CODEC[name], bytes: bomb })).toThrow(
      expect.objectContaining({
        code: ErrorCode.CORRUPT_MESSAGE,
        message: expect.stringMatching(/more than/),
      }),
    );
  });

  test.each(eachLz)('snappy ($name): an announced gigabyte is not allocated', ({ kernels: lz }) => {
    const announced = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x04, 0x00, 0x41);
    expect(() => snappy(lz).decompress(announced, 64 * MIB)).toThrow(/not a snappy block/);
  });

  test.each(eachLz)(
    'snappy ($name): a literal of negative length, for which snappyjs loops for ever',
    ({ kernels: lz }) => {
      const hostile = Uint8Array.of(5, 63 << 2, 0xfa, 0xff, 0xff, 0xff);
      expect(() => snappy(lz).decompress(hostile, MIB)).toThrow(/not a snappy/);
    },
  );

  test.each(eachLz)('lz4 ($name): match lengths add up beyond the bound', ({ kernels: lz }) => {
    const bytes = Uint8Array.of(0x1f, 0x41, 1, 0, ...new Uint8Array(60_000).fill(255), 0, 0);
    const bomb = frame([{ bytes }], new Uint8Array(), { sizeCode: 7 });
    expect(() => lz4(lz).decompress(bomb, MIB)).toThrow(/more than 1048576 bytes/);
  });
});

describe('snappy framing', () => {
  const bytes = repeat(new TextEncoder().encode('snappy as Java and others send it '), 100_000);

  test('writes what Java writes: xerial header and blocks of 32 KiB', () => {
    const packed = pack('snappy', bytes);
    expect(Buffer.from(packed.subarray(0, 16)).toString('hex')).toBe('82534e415050590000000001' + '00000001');
    const view = new DataView(packed.buffer, packed.byteOffset);
    let blocks = 0;
    for (let at = 16; at < packed.length; at += 4 + view.getUint32(at)) blocks++;
    expect(blocks).toBe(Math.ceil(bytes.length / 32_768));
  });

  test('reads raw snappy', () => {
    expect(unpack('snappy', snappyjs.compress(bytes))).toEqual(bytes);
  });

  test('a frame cut inside a block is refused', () => {
    const packed = pack('snappy', bytes);
    expect(() => unpack('snappy', packed.subarray(0, packed.length - 1), MIB)).toThrow(/not a snappy block/);
  });
});

describe('lz4 frames', () => {
  const bytes = repeat(new TextEncoder().encode('lz4 in all the shapes of its frame '), 5 * MIB);

  test('reads linked blocks of 4 MiB, and lz4js reads ours', () => {
    expect(Buffer.compare(unpack('lz4', lz4js.compress(bytes)), bytes)).toBe(0);
    expect(Buffer.compare(lz4js.decompress(pack('lz4', bytes)), bytes)).toBe(0);
  });

  test('starts with the header Java writes: independent blocks of 64 KiB and its checksum', () => {
    expect([...pack('lz4', bytes).subarray(0, 7)]).toEqual([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
  });

  test('says what is wrong: a checksum, or all of it', () => {
    const summed = frame(blocksOf(bytes), bytes, { hasContentSum: true });
    summed[summed.length - 1]! ^= 1;
    expect(() => unpack('lz4', summed)).toThrow('an lz4 checksum is wrong');
    expect(() => unpack('lz4', summed.subarray(1))).toThrow('not an lz4 frame');
  });

  test('reads many frames and skips the skippable', () => {
    const one = pack('lz4', Uint8Array.of(1, 2, 3));
    const skippable = Uint8Array.from([0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]);
    expect([...unpack('lz4', Buffer.concat([one, skippable, one]))]).toEqual([1, 2, 3, 1, 2, 3]);
  });

  test('a match may not reach before its independent block', () => {
    const blocks = [
      { bytes: Uint8Array.of(1, 2), isStored: true },
      { bytes: Uint8Array.of(0x10, 3, 2, 0, 0) },
    ];
    const content = Uint8Array.of(1, 2, 3, 2, 3, 2, 3);
    expect(() => unpack('lz4', frame(blocks, content))).toThrow(/not an lz4 frame/);
    expect(unpack('lz4', frame(blocks, content, { isLinked: true }))).toEqual(content);
  });
});

test('zstd: fzstd reads ours, and many frames are read', () => {
  const bytes = repeat(new TextEncoder().encode('zstd '), 200_000);
  const packed = pack('zstd', bytes);
  expect(Buffer.compare(fzstdDecompress(packed), bytes)).toBe(0);
  expect(unpack('zstd', Buffer.concat([packed, packed])).length).toBe(2 * bytes.length);
});

test('gzip: many members are read', () => {
  const packed = pack('gzip', Uint8Array.of(1, 2, 3));
  expect([...unpack('gzip', Buffer.concat([packed, packed]))]).toEqual([1, 2, 3, 1, 2, 3]);
});
