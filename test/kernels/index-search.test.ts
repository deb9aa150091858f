import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unaligned } from './generate.ts';
import { each, twin, wasm } from './instances.ts';

/** Index bytes as Kafka writes them: key, then an int32 that is the entry's number here. */
function entriesOf(keys: readonly bigint[], entrySize: 8 | 12): Uint8Array {
  const entries = new Uint8Array(keys.length * entrySize);
  const view = new DataView(entries.buffer);
  for (const [number, key] of keys.entries()) {
    if (entrySize === 8) view.setInt32(number * 8, Number(key));
    else view.setBigInt64(number * 12, key);
    view.setInt32((number + 1) * entrySize - 4, number);
  }
  return entries;
}

const ascending = (keys: readonly bigint[]): bigint[] =>
  keys.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
const keys = {
  8: fc.array(fc.bigInt({ min: 0n, max: 0x7fff_ffffn }), { maxLength: 300 }).map(ascending),
  12: fc.array(fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n }), { maxLength: 300 }).map(ascending),
};

describe.each(each)('indexFloor ($name)', ({ kernels }) => {
  test.each([8, 12] as const)('equals a linear search, entries of %i bytes', (entrySize) => {
    fc.assert(
      fc.property(
        keys[entrySize],
        fc.maxSafeInteger(),
        fc.nat(),
        fc.nat(9),
        (list, anywhere, pick, offset) => {
          const entries = unaligned(entriesOf(list, entrySize), offset);
          const near = list.length === 0 ? 0 : Number(list[pick % list.length]);
          for (const target of [anywhere, near - 1, near, near + 1, -1]) {
            expect(kernels.indexFloor(entries, entrySize, target)).toBe(
              list.findLastIndex((key) => Number(key) <= target),
            );
          }
        },
      ),
    );
  });

  test('of nothing is nothing', () => {
    expect(kernels.indexFloor(new Uint8Array(0), 8, 5)).toBe(-1);
    expect(kernels.indexFloor(new Uint8Array(11), 12, Number.MAX_SAFE_INTEGER)).toBe(-1);
  });

  test('finds its way in an index larger than kernel memory', () => {
    const list = Array.from({ length: 700_000 }, (_, number) => BigInt(number * 3));
    const entries = entriesOf(list, 8);
    expect(kernels.indexFloor(entries, 8, 3 * 654_321 + 2)).toBe(654_321);
    expect(kernels.indexFloor(entries, 8, -1)).toBe(-1);
  });
});

test('wasm and twin agree on arbitrary bytes and targets', () => {
  const target = fc.oneof(fc.maxSafeInteger(), fc.double());
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 2000 }),
      fc.constantFrom<8 | 12>(8, 12),
      target,
      (entries, entrySize, at) => {
        expect(wasm.indexFloor(entries, entrySize, at)).toBe(twin.indexFloor(entries, entrySize, at));
      },
    ),
    { numRuns: 1000 },
  );
});
