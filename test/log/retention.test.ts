import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/config.ts';
import { retainedFrom } from '../../src/log/retention.ts';
import type { Segment } from '../../src/ports/log-store.ts';
import { append, batch, kinds, NAME, NOW, openLog, openRig } from './fixtures.ts';

/** Segments of ten offsets each, the last one active. */
function segmentsOf(...held: { sizeBytes: number; maxTimestamp: number }[]): Segment[] {
  return held.map((segment, number) => ({
    ...segment,
    baseOffset: 10 * number,
    nextOffset: 10 * (number + 1),
    firstTimestamp: segment.maxTimestamp,
  }));
}

const at = (maxTimestamp: number, sizeBytes = 100) => ({ sizeBytes, maxTimestamp });

function from(segments: Segment[], config: Partial<LogConfig>, { nowMs = 1000, highWatermark = 1000 } = {}) {
  return retainedFrom(segments, { config: { ...DEFAULT_LOG_CONFIG, ...config }, nowMs, highWatermark });
}

describe('segments that go', () => {
  test('by age: as long as one is older by its largest timestamp; a younger one keeps those behind it', () => {
    const segments = segmentsOf(at(10), at(20), at(500), at(30));
    expect(from(segments, { retentionMs: 900 })).toBe(20);
    expect(from(segments, { retentionMs: 979 })).toBe(20);
    expect(from(segments, { retentionMs: 980 })).toBe(10);
    expect(from(segments, { retentionMs: 990 })).toBeUndefined();
    expect(from(segments, { retentionMs: Infinity })).toBeUndefined();
    expect(from(segments, { retentionMs: 0 })).toBe(40);
  });

  test('by size: as many as the log is above the bound without them', () => {
    const segments = segmentsOf(at(999, 50), at(999, 100), at(999, 100), at(999, 10));
    expect(from(segments, { retentionBytes: 260 })).toBeUndefined();
    expect(from(segments, { retentionBytes: 211 })).toBeUndefined();
    expect(from(segments, { retentionBytes: 210 })).toBe(10);
    expect(from(segments, { retentionBytes: 110 })).toBe(20);
    expect(from(segments, { retentionBytes: 0 })).toBe(40);
  });

  test('only below the high watermark, and with a policy that deletes', () => {
    const segments = segmentsOf(at(1), at(1), at(1));
    expect(from(segments, { retentionMs: 0 }, { highWatermark: 19 })).toBe(10);
    expect(from(segments, { retentionMs: 0 }, { highWatermark: 9 })).toBeUndefined();
    expect(from(segments, { retentionMs: 0, cleanupPolicy: ['compact'] })).toBeUndefined();
    expect(from(segments, { retentionMs: 0, cleanupPolicy: ['compact', 'delete'] })).toBe(30);
  });

  test('an empty active one stays, and what has no timestamp has no age', () => {
    expect(from(segmentsOf(at(1), at(-1, 0)), { retentionMs: 0 })).toBe(10);
    expect(from(segmentsOf(at(-1)), { retentionMs: 0 })).toBeUndefined();
  });
});

/** I14: nothing is removed but by rule. */
test('what goes is old or too much, and what stays is not all of that', () => {
  const segment = fc.record({ sizeBytes: fc.integer({ min: 1, max: 100 }), maxTimestamp: fc.nat(1000) });
  const bounds = fc.record({ retentionMs: fc.nat(1000), retentionBytes: fc.nat(500) });
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1 }), bounds, fc.nat(100), (held, config, highWatermark) => {
      const segments = segmentsOf(...held);
      const start = from(segments, config, { highWatermark }) ?? 0;
      const gone = segments.filter(({ nextOffset }) => nextOffset <= start);
      let left = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      for (const { nextOffset, sizeBytes, maxTimestamp } of gone) {
        left -= sizeBytes;
        expect(nextOffset).toBeLessThanOrEqual(highWatermark);
        expect(1000 - maxTimestamp > config.retentionMs || left >= config.retentionBytes).toBe(true);
      }
      const next = segments[gone.length];
      if (next === undefined || next.nextOffset > highWatermark) return;
      expect(1000 - next.maxTimestamp).toBeLessThanOrEqual(config.retentionMs);
      expect(left - next.sizeBytes).toBeLessThan(config.retentionBytes);
    }),
  );
});

describe('a log', () => {
  test('whose active segment is expired rolls it, and goes on where it ended', async () => {
    const rig = await openRig({ retentionMs: 1000, segmentBytes: 1_000_000 });
    await append(rig, batch({ count: 3 }));
    rig.log.highWatermark = 3;
    expect(rig.log.deleteOldSegments(NOW + 1000)).toEqual([]);
    const writes = rig.log.deleteOldSegments(NOW + 1001);
    expect(kinds(writes)).toEqual([
      'put 00000000000000000003.snapshot',
      'roll',
      'trim',
      'put leader-epoch-checkpoint',
    ]);
    await rig.store.commit(writes);
    expect(rig.store.segments(NAME.log)).toMatchObject([{ baseOffset: 3, sizeBytes: 0 }]);
    expect(await append(rig, batch())).toMatchObject({ baseOffset: 3, logStartOffset: 3 });
    expect(await openLog(rig.store)).toMatchObject({ logStartOffset: 3, logEndOffset: 4 });
  });

  test('that was trimmed further has nothing to delete', async () => {
    const rig = await openRig({ retentionMs: 0, segmentBytes: 100 });
    for (let count = 0; count < 3; count++) await append(rig, batch());
    rig.log.highWatermark = 2;
    await rig.store.commit(rig.log.trimTo(2) as never);
    expect(rig.log.deleteOldSegments(NOW + 1)).toEqual([]);
  });

  test('that is compacted rolls in time for its records to be compacted', async () => {
    const rig = await openRig({ cleanupPolicy: ['compact'], maxCompactionLagMs: 500 });
    await append(rig, batch());
    await append(rig, batch({ timestamp: NOW + 500 }));
    expect(rig.store.segments(NAME.log)).toHaveLength(1);
    await append(rig, batch({ timestamp: NOW + 501 }));
    expect(rig.store.segments(NAME.log)).toHaveLength(2);
  });
});
