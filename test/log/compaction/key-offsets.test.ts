import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyDigest } from '../../../src/log/compaction/key-digest.ts';
import { ENTRY_BYTES, KeyOffsets } from '../../../src/log/compaction/key-offsets.ts';

/** Of HalfSipHash's reference: key 00 to 07, input 00, 01 and so on, so long. */
const VECTORS: readonly [length: number, digest: string][] = [
  [0, '218d1f59b9b83cc8'],
  [1, 'be552412f8387315'],
  [2, '064f39ef7c50eb57'],
  [3, 'ce0f1a45f7060679'],
  [4, 'd5e78a175be52ea1'],
  [5, 'cb9d7c3f2f3db580'],
  [6, 'ce3e91358aa2bc25'],
  [7, 'ff202728b07bc684'],
  [8, 'edfee820bce4858c'],
  [9, '5b51cccc13888307'],
];

const SEED = [0x03020100, 0x07060504, 3, 4];

function hex(words: Uint32Array): string {
  return Array.from(words, (word) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(word);
    return bytes.toString('hex');
  }).join('');
}

describe('digests', () => {
  test.each(VECTORS)('are those of the reference: %i bytes', (length, expected) => {
    const digest = new KeyDigest(SEED);
    const input = Uint8Array.from({ length: length + 3 }, (_, index) => index - 3);
    digest.take(input, 3, length);
    expect(hex(digest.words).slice(0, 16)).toBe(expected);
  });

  test('have two halves with keys of their own', () => {
    const digest = new KeyDigest([1, 2, 1, 2]);
    const other = new KeyDigest([1, 2, 1, 3]);
    const input = Uint8Array.of(7);
    digest.take(input, 0, 1);
    other.take(input, 0, 1);
    expect(digest.words.slice(0, 2)).toEqual(digest.words.slice(2));
    expect(other.words.slice(0, 2)).toEqual(digest.words.slice(0, 2));
    expect(other.words.slice(2)).not.toEqual(digest.words.slice(2));
  });
});

const utf8 = new TextEncoder();

test('a table of keys knows of each the last offset, as a map does, until it is full', () => {
  const writes = fc.array(fc.string({ maxLength: 4 }), { maxLength: 200 });
  fc.assert(
    fc.property(writes, fc.integer({ min: 2, max: 40 }), (keys, slots) => {
      const table = new KeyOffsets({ budgetBytes: slots * ENTRY_BYTES, loadFactor: 0.9, keysMax: 1e6 }, SEED);
      const expected = new Map<string, number>();
      const most = Math.max(1, Math.min(Math.floor(slots * 0.9), slots - 1));
      for (const [offset, key] of keys.entries()) {
        const bytes = utf8.encode(`xy${key}`);
        const fits = expected.has(key) || expected.size < most;
        expect(table.put(bytes, 2, bytes.length - 2, offset)).toBe(fits);
        if (fits) expected.set(key, offset);
      }
      expect(table.size).toBe(expected.size);
      for (const key of keys) {
        const bytes = utf8.encode(key);
        expect(table.get(bytes, 0, bytes.length)).toBe(expected.get(key) ?? -1);
      }
    }),
  );
});

test('memory is taken for as many keys as there may be, within its budget', () => {
  const budget = { budgetBytes: 128 * 1024 * 1024, loadFactor: 0.9 };
  expect(new KeyOffsets({ ...budget, keysMax: 90 }, SEED).sizeBytes).toBeLessThanOrEqual(101 * ENTRY_BYTES);
  const most = new KeyOffsets({ ...budget, budgetBytes: 2400, keysMax: 1e9 }, SEED);
  expect(most.sizeBytes).toBe(2400);
});
