import { crc32c as native } from '@node-rs/crc32';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { text, unaligned } from './generate.ts';
import { base, memory, raw, TABLES_END } from './guards.ts';
import { each } from './instances.ts';
import { crc32c as kafkajs } from './kafkajs.ts';

/** Of no short period, so that a byte read from a wrong place changes the checksum. */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => (state = Math.imul(state, 1_664_525) + 1_013_904_223) >>> 24);
}

describe.each(each)('crc32c ($name)', ({ kernels }) => {
  test('the check values of RFC 3720 B.4', () => {
    expect(kernels.crc32c(new Uint8Array(0))).toBe(0);
    expect(kernels.crc32c(text('123456789'))).toBe(0xe3069283);
    expect(kernels.crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(kernels.crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(kernels.crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(kernels.crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  });

  test('equals the native one at every length to 3000, at all alignments', () => {
    const bytes = noise(3100);
    for (let length = 0; length <= 3000; length++) {
      const piece = bytes.subarray(length % 17, (length % 17) + length);
      expect(kernels.crc32c(piece), `length ${length}`).toBe(native(piece));
    }
  });

  test('equals the native one and kafkajs on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(16), (bytes, offset) => {
        const piece = unaligned(bytes, offset);
        expect(kernels.crc32c(piece)).toBe(native(piece));
        expect(kernels.crc32c(piece)).toBe(kafkajs(piece));
      }),
    );
  });

  test('equals the native one on long bytes', () => {
    const bytes = noise(1_048_576 + 16);
    fc.assert(
      fc.property(fc.nat(1_048_576), fc.nat(16), (length, offset) => {
        const piece = bytes.subarray(offset, offset + length);
        expect(kernels.crc32c(piece)).toBe(native(piece));
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    32_767, 32_768, 32_783, 37_000, 49_151, 49_152, 54_600, 262_143, 262_144, 262_145, 1_000_003, 9_000_001,
  ])('is taken in steps and pieces: %i bytes', (length) => {
    const bytes = noise(length);
    expect(kernels.crc32c(bytes)).toBe(native(bytes));
  });
});

describe('crc32c (in linear memory)', () => {
  // About where nibbles are summed (80), where folding begins (512, here with every pad), where its rounds of 8 KiB
  // end (the last 304 bytes are none of theirs), and where messages are shortened (6720, and a head).
  const pads = Array.from({ length: 16 }, (_, more) => 512 + more);
  const lengths = [
    0,
    1,
    15,
    79,
    80,
    95,
    96,
    511,
    ...pads,
    8480,
    8496,
    8497,
    8512,
    8513,
    ...Array.from({ length: 33 }, (_, more) => 6720 + more),
    ...Array.from({ length: 9 }, (_, more) => 6790 + 8 * more),
    16_688,
    16_689,
    70_001,
  ];

  test('continues from any crc, at any place', () => {
    const bytes = noise(50_000);
    fc.assert(
      fc.property(fc.array(fc.nat(50_000), { maxLength: 6 }), (cuts) => {
        memory.set(bytes, base);
        let crc = 0;
        let at = 0;
        for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
          crc = raw.crc32cSpent(crc, base + at, cut - at);
          at = cut;
        }
        expect(crc >>> 0).toBe(native(bytes));
      }),
    );
  });

  test('reads nothing but the bytes, and writes nothing but them and its scratch', () => {
    for (const length of lengths) {
      const bytes = noise(length);
      // Up to the end of memory, where one byte more traps; and between guards, from the heap base on.
      for (const at of [memory.length - length, base + 1]) {
        for (const guard of [0x00, 0xa5]) {
          memory.fill(guard, TABLES_END);
          memory.set(bytes, at);
          const before = memory.slice();
          expect(raw.crc32cSpent(0, at, length) >>> 0, `${length} at ${at}`).toBe(native(bytes));
          for (const [from, end] of [
            [0, TABLES_END],
            [base, at],
            [at + length, memory.length],
          ]) {
            expect(Buffer.compare(before.subarray(from, end), memory.subarray(from, end))).toBe(0);
          }
        }
      }
    }
  });
});
