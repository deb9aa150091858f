import { crc32c as native } from '@node-rs/crc32';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { text, unaligned } from './generate.ts';
import { each } from './instances.ts';
import { crc32c as kafkajs } from './kafkajs.ts';

describe.each(each)('crc32c ($name)', ({ kernels }) => {
  test('the check values of RFC 3720 B.4', () => {
    expect(kernels.crc32c(new Uint8Array(0))).toBe(0);
    expect(kernels.crc32c(text('123456789'))).toBe(0xe3069283);
    expect(kernels.crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(kernels.crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(kernels.crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(kernels.crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  });

  test('equals the native one at every short length and alignment', () => {
    const noise = Uint8Array.from({ length: 400 }, (_, i) => (i * 167 + (i >> 3)) & 0xff);
    for (let length = 0; length < 300; length++) {
      const piece = noise.subarray(length % 17, (length % 17) + length);
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

  test.each([65_535, 65_536, 65_537, 131_072, 1_000_003, 9_000_001])(
    'is taken in pieces: %i bytes',
    (length) => {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
      expect(kernels.crc32c(bytes)).toBe(native(bytes));
    },
  );
});
