import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EntrySize, IndexEntries, writeEntry } from '../../src/segments/index-entries.ts';
import { unaligned } from '../kernels/generate.ts';

function bytesOf(keys: readonly number[], entrySize: EntrySize): Uint8Array {
  const bytes = new Uint8Array(keys.length * entrySize);
  for (const [number, key] of keys.entries()) writeEntry(bytes, entrySize, number, { key, value: number });
  return bytes;
}

const KEY_MAX = { 8: 2 ** 31 - 1, 12: Number.MAX_SAFE_INTEGER };

/** Keys far apart, or a few apart, evenly or most of them among the lowest; as many as some blocks of 16 hold. */
const keysOf = (entrySize: EntrySize): fc.Arbitrary<number[]> =>
  fc
    .tuple(
      fc.constantFrom(3, 5_000, KEY_MAX[entrySize]),
      fc.nat(KEY_MAX[entrySize]),
      fc.constantFrom(1, 8, 30),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 300, size: 'max' }),
    )
    .map(([range, start, power, places]) =>
      places
        .map((place) => Math.min(start + Math.floor(place ** power * range), KEY_MAX[entrySize]))
        .toSorted((a, b) => a - b),
    );

describe.each([8, 12] as const)('entries of %i bytes', (entrySize) => {
  test('their floor is what a look at each of them says', () => {
    fc.assert(
      fc.property(
        keysOf(entrySize),
        fc.maxSafeInteger(),
        fc.nat(),
        fc.nat(9),
        (keys, anywhere, pick, offset) => {
          const entries = new IndexEntries(unaligned(bytesOf(keys, entrySize), offset), entrySize);
          const near = keys[pick % keys.length] ?? 0;
          const { MIN_SAFE_INTEGER, MAX_SAFE_INTEGER } = Number;
          for (const target of [anywhere, near - 1, near, near + 1, -1, MIN_SAFE_INTEGER, MAX_SAFE_INTEGER])
            expect(entries.floor(target), `of ${target}`).toBe(keys.findLastIndex((key) => key <= target));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('one floor each of 700,000, and the entry there', () => {
    const keys = Array.from({ length: 700_000 }, (_, number) => number * 3);
    const entries = new IndexEntries(bytesOf(keys, entrySize), entrySize);
    for (let number = 0; number < keys.length; number += 101) {
      expect(entries.floor(number * 3 + 2)).toBe(number);
      expect(entries.at(number)).toEqual({ key: number * 3, value: number });
    }
    expect(entries.floor(-1)).toBe(-1);
  });

  test('of nothing there is none', () => {
    expect(new IndexEntries(new Uint8Array(0), entrySize).floor(5)).toBe(-1);
    expect(new IndexEntries(new Uint8Array(entrySize - 1), entrySize).floor(5)).toBe(-1);
  });

  test.each(['even', 'equal', 'growing'])(
    'the top of %s keys takes a tenth of their memory at most',
    (kind) => {
      const count = 16 * 2049;
      const key = { even: (n: number) => 37 * n, equal: () => 5, growing: (n: number) => n ** 2 }[kind]!;
      const bytes = bytesOf(
        Array.from({ length: count }, (_, number) => key(number)),
        entrySize,
      );
      expect(new IndexEntries(bytes, entrySize).sizeBytes).toBeLessThanOrEqual(1.1 * bytes.length);
    },
  );
});
