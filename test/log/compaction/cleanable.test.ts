import { describe, expect, test } from 'vitest';
import { cleanableOf, dirtiest, groupsOf } from '../../../src/log/compaction/cleanable.ts';
import { DEFAULT_LOG_CONFIG } from '../../../src/log/config.ts';
import type { Segment } from '../../../src/ports/log-store.ts';

/** Segments of ten offsets and so many bytes each, the last one active. */
function segmentsOf(...sizes: number[]): Segment[] {
  return sizes.map((sizeBytes, number) => ({
    baseOffset: 10 * number,
    nextOffset: 10 * (number + 1),
    sizeBytes,
    firstTimestamp: 100 * number + 1,
    maxTimestamp: 100 * number + 50,
  }));
}

const segments = segmentsOf(100, 100, 100, 100, 5);
const context = {
  config: DEFAULT_LOG_CONFIG,
  nowMs: 1000,
  logStartOffset: 0,
  stableEndOffset: 45,
  cleanedOffset: undefined as number | undefined,
};
type Context = Partial<Omit<typeof context, 'config'>> & { config?: Partial<typeof DEFAULT_LOG_CONFIG> };

function cleanable({ config, ...rest }: Context = {}) {
  return cleanableOf(segments, { ...context, ...rest, config: { ...DEFAULT_LOG_CONFIG, ...config } });
}

describe('what can be cleaned', () => {
  test('is all but the active segment, from where the last pass has come', () => {
    expect(cleanable()).toMatchObject({ firstDirtyOffset: 0, endOffset: 40, dirtyRatio: 1, isDue: true });
    expect(cleanable({ cleanedOffset: 30 })).toMatchObject({
      firstDirtyOffset: 30,
      dirtyRatio: 0.25,
      isDue: false,
    });
    expect(cleanable({ cleanedOffset: 10 })).toMatchObject({ dirtyRatio: 0.75, isDue: true });
    expect(cleanable({ cleanedOffset: 40 })).toBeUndefined();
  });

  test('ends with the last segment of which all is decided', () => {
    expect(cleanable({ stableEndOffset: 39 })).toMatchObject({ endOffset: 30 });
    expect(cleanable({ stableEndOffset: 9 })).toBeUndefined();
  });

  test('begins anew where the last pass is unknown, or of another log', () => {
    expect(cleanable({ logStartOffset: 13, cleanedOffset: 5 })).toMatchObject({ firstDirtyOffset: 13 });
    expect(cleanable({ cleanedOffset: 51 })).toMatchObject({ firstDirtyOffset: 0 });
  });

  test('leaves what is younger than min.compaction.lag.ms, and what comes after it', () => {
    expect(cleanable({ nowMs: 350, config: { minCompactionLagMs: 150 } })).toMatchObject({ endOffset: 20 });
    expect(cleanable({ nowMs: 350, config: { minCompactionLagMs: 400 } })).toBeUndefined();
    expect(cleanable({ nowMs: 350, cleanedOffset: 20, config: { minCompactionLagMs: 50 } })).toMatchObject({
      endOffset: 30,
    });
  });

  test('is due when it has waited for max.compaction.lag.ms, however little it is', () => {
    const config = { maxCompactionLagMs: 500 };
    expect(cleanable({ cleanedOffset: 30, nowMs: 801, config })).toMatchObject({
      overdueMs: 0,
      isDue: false,
    });
    expect(cleanable({ cleanedOffset: 30, nowMs: 802, config })).toMatchObject({ overdueMs: 1, isDue: true });
  });

  test('is due above min.cleanable.dirty.ratio', () => {
    expect(cleanable({ cleanedOffset: 20, config: { minCleanableDirtyRatio: 0.5 } })?.isDue).toBe(false);
    expect(cleanable({ cleanedOffset: 20, config: { minCleanableDirtyRatio: 0.49 } })?.isDue).toBe(true);
  });
});

test('the dirtiest of those that are due is cleaned first', () => {
  const of = (name: string, dirtyRatio: number, isDue: boolean) => ({
    name,
    cleanable: { firstDirtyOffset: 0, endOffset: 1, overdueMs: 0, dirtyRatio, isDue },
  });
  expect(dirtiest([of('a', 0.6, true), of('b', 0.9, false), of('c', 0.7, true)])?.name).toBe('c');
  expect(dirtiest([of('b', 0.9, false)])).toBeUndefined();
});

describe('segments that become one', () => {
  const bounds = { segmentBytes: 250, indexEntriesMax: 1000, indexIntervalBytes: 4096 };
  const ranges = (endOffset: number, changed: Partial<typeof bounds> = {}) =>
    groupsOf(segments, endOffset, { ...bounds, ...changed }).map(({ fromOffset, toOffset }) => [
      fromOffset,
      toOffset,
    ]);

  test('are as large together as a segment may be', () => {
    expect(ranges(40)).toEqual([
      [0, 20],
      [20, 40],
    ]);
    expect(ranges(40, { segmentBytes: 99 })).toHaveLength(4);
    expect(ranges(40, { indexEntriesMax: 0.03 })).toHaveLength(4);
  });

  test('end with the one that holds what was looked at last', () => {
    expect(ranges(21)).toEqual([
      [0, 20],
      [20, 30],
    ]);
    expect(ranges(20)).toEqual([[0, 20]]);
  });

  test('have offsets that an index entry can say', () => {
    const far = segments.map((segment) => ({
      ...segment,
      nextOffset: segment.nextOffset * 1e8,
      baseOffset: segment.baseOffset * 1e8,
    }));
    expect(groupsOf(far, 40e8, { ...bounds, segmentBytes: 1e9 })).toHaveLength(2);
  });
});
