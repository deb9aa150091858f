import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EpochCache } from '../../src/log/epochs.ts';

const CACHE = [
  { epoch: 2, startOffset: 10 },
  { epoch: 3, startOffset: 20 },
  { epoch: 7, startOffset: 50 },
];
const END = 80;

const rising = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 100 })), { maxLength: 8 })
  .map((steps) => {
    let entry = { epoch: -1, startOffset: -1 };
    return steps.map(([epoch, offset]) => {
      entry = { epoch: entry.epoch + epoch, startOffset: entry.startOffset + offset };
      return entry;
    });
  });

describe('endOffsetFor', () => {
  test.each([
    [-1, { epoch: -1, endOffset: -1 }],
    [0, { epoch: 0, endOffset: 10 }],
    [2, { epoch: 2, endOffset: 20 }],
    [3, { epoch: 3, endOffset: 50 }],
    [5, { epoch: 3, endOffset: 50 }],
    [7, { epoch: 7, endOffset: END }],
    [8, { epoch: -1, endOffset: -1 }],
  ])('epoch %i', (epoch, expected) => {
    expect(new EpochCache(CACHE).endOffsetFor(epoch, END)).toEqual(expected);
  });

  test('an empty cache knows nothing', () => {
    expect(new EpochCache().endOffsetFor(0, END)).toEqual({ epoch: -1, endOffset: -1 });
    expect(new EpochCache().latest).toBe(-1);
  });

  test('agrees with a list of every offset', () => {
    fc.assert(
      fc.property(rising, fc.nat(40), (entries, asked) => {
        const end = (entries.at(-1)?.startOffset ?? 0) + 10;
        const written = Array.from({ length: end }, (_, offset) => epochAt(entries, offset));
        const known = entries.some(({ epoch }) => epoch <= asked) && asked <= entries.at(-1)!.epoch;
        fc.pre(known);
        const floor = entries.findLast(({ epoch }) => epoch <= asked)!.epoch;
        const expected = { epoch: floor, endOffset: written.findLastIndex((epoch) => epoch <= asked) + 1 };
        expect(new EpochCache(entries).endOffsetFor(asked, end)).toEqual(expected);
      }),
    );
  });
});

function epochAt(entries: readonly { epoch: number; startOffset: number }[], offset: number): number {
  return entries.findLast(({ startOffset }) => startOffset <= offset)?.epoch ?? -1;
}

describe('assign', () => {
  test('adds a new epoch once', () => {
    const cache = new EpochCache(CACHE);
    expect(cache.assign(9, 70)).toBe(true);
    expect(cache.assign(9, 75)).toBe(false);
    expect(cache.entries.at(-1)).toEqual({ epoch: 9, startOffset: 70 });
  });

  test('drops what it contradicts, and stays rising whatever comes', () => {
    const cache = new EpochCache(CACHE);
    expect(cache.assign(4, 15)).toBe(true);
    expect(cache.entries).toEqual([
      { epoch: 2, startOffset: 10 },
      { epoch: 4, startOffset: 15 },
    ]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(20))), (assigned) => {
        const any = new EpochCache();
        for (const [epoch, startOffset] of assigned) any.assign(epoch, startOffset);
        for (const [index, entry] of any.entries.entries()) {
          const next = any.entries[index + 1] ?? { epoch: Infinity, startOffset: Infinity };
          expect(entry.epoch < next.epoch && entry.startOffset < next.startOffset).toBe(true);
        }
      }),
    );
  });
});

describe('truncation', () => {
  test('from the end drops epochs that start there or later', () => {
    const cache = new EpochCache(CACHE);
    expect(cache.truncateFromEnd(51)).toBe(false);
    expect(cache.truncateFromEnd(50)).toBe(true);
    expect(cache.latest).toBe(3);
  });

  test('from the start keeps the epoch that holds the new start', () => {
    const cache = new EpochCache(CACHE);
    expect(cache.truncateFromStart(5)).toBe(false);
    expect(cache.truncateFromStart(10)).toBe(false);
    expect(cache.truncateFromStart(30)).toBe(true);
    expect(cache.entries).toEqual([
      { epoch: 3, startOffset: 30 },
      { epoch: 7, startOffset: 50 },
    ]);
  });
});

describe('the checkpoint', () => {
  test("is Kafka's text", () => {
    expect(new TextDecoder().decode(new EpochCache(CACHE).encode())).toBe('0\n3\n2 10\n3 20\n7 50\n');
  });

  test('reads back', () => {
    fc.assert(
      fc.property(rising, (entries) => {
        expect(EpochCache.decode(new EpochCache(entries).encode())?.entries).toEqual(entries);
      }),
    );
  });

  test.each([
    '',
    '1\n0\n',
    '0\n2\n1 1\n',
    '0\n1\n1 x\n',
    '0\n1\n-1 5\n',
    '0\n2\n1 5\n1 6\n',
    '0\n2\n2 5\n1 6\n',
    '0\n1\n1 1 1\n',
  ])('refuses %j', (text) => {
    expect(EpochCache.decode(new TextEncoder().encode(text))).toBeUndefined();
  });
});
