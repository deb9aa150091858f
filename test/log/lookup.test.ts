import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LookupTime } from '../../src/log/lookup.ts';
import type { PartitionLog } from '../../src/log/partition-log.ts';
import { buildBatch, recompress } from '../../src/records/builder.ts';
import { CODEC } from '../../src/records/codecs.ts';
import { BatchHeader } from '../../src/records/header.ts';
import { append, batch, codecs, kernels, openLog, openRig } from './fixtures.ts';
import type { Rig } from './fixtures.ts';

const NONE = { offset: -1, timestamp: -1, leaderEpoch: -1 };

/** A log whose batches hold records of these times; batch `i` is written under epoch `i` by codec `i`. */
async function logOf(times: readonly (readonly number[])[]): Promise<Rig> {
  const rig = await openRig({ segmentBytes: 300 });
  for (const [index, held] of times.entries()) {
    const plain = buildBatch(kernels, { records: held.map((timestamp) => ({ timestamp })) });
    const bytes = await recompress({ kernels, codecs }, plain, index % 5);
    await append(rig, bytes, { leaderEpoch: index, apiVersion: 9 });
  }
  return rig;
}

function find(log: PartitionLog, target: number, endOffset = log.logEndOffset) {
  return log.offsetForTimestamp(target, endOffset);
}

describe('by time', () => {
  test('is the first record at or after it, with the epoch of its batch', async () => {
    const { log } = await logOf([[10, 20, 15], [5, 30], [40]]);
    expect(await find(log, 0)).toEqual({ offset: 0, timestamp: 10, leaderEpoch: 0 });
    expect(await find(log, 15)).toEqual({ offset: 1, timestamp: 20, leaderEpoch: 0 });
    expect(await find(log, 21)).toEqual({ offset: 4, timestamp: 30, leaderEpoch: 1 });
    expect(await find(log, 40)).toEqual({ offset: 5, timestamp: 40, leaderEpoch: 2 });
    expect(await find(log, 41)).toEqual(NONE);
    expect(await find(log, 40, 5)).toEqual(NONE);
  });

  test('agrees with looking at every record', async () => {
    const times = fc.array(fc.array(fc.nat(50), { minLength: 1, maxLength: 5 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        times,
        fc.nat(60),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (held, target, trimmed) => {
          const rig = await logOf(held);
          rig.log.highWatermark = rig.log.logEndOffset;
          const start = Math.floor(rig.log.logEndOffset * trimmed);
          const writes = rig.log.trimTo(start);
          await rig.store.commit(Array.isArray(writes) ? writes : []);
          const offset = held.flat().findIndex((time, at) => at >= start && time >= target);
          const timestamp = held.flat()[offset] ?? -1;
          expect(await find(rig.log, target)).toMatchObject({ offset, timestamp });
          expect(await find(await openLog(rig.store), target)).toMatchObject({ offset, timestamp });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('believes no offset beyond the batch that a client has packed', async () => {
    const rig = await openRig();
    const bytes = batch({ timestamp: 9 });
    bytes[64] = 2 * 16; // offset delta of the first record
    await append(rig, await recompress({ kernels, codecs }, bytes, CODEC.snappy));
    await append(rig, batch({ timestamp: 9 }));
    expect(await find(rig.log, 9)).toEqual({ offset: 1, timestamp: 9, leaderEpoch: 0 });
  });

  test('falls back to the start of a batch that cannot be unpacked here', async () => {
    const rig = await openRig();
    await append(rig, batch({ count: 3, timestamp: 5 }));
    const bytes = batch({ count: 3, timestamp: 9 });
    const header = new BatchHeader(bytes);
    header.attributes = CODEC.gzip;
    header.seal(kernels);
    await append(rig, bytes);
    expect(await find(rig.log, 9)).toEqual({ offset: 3, timestamp: 9, leaderEpoch: 0 });
  });
});

describe('times with a meaning', () => {
  test('latest is the end asked for, earliest the log start', async () => {
    const rig = await logOf([[1, 2], [3], [4]]);
    expect(await find(rig.log, LookupTime.latest, 3)).toEqual({ offset: 3, timestamp: -1, leaderEpoch: 2 });
    expect(await find(rig.log, LookupTime.earliest)).toEqual({ offset: 0, timestamp: -1, leaderEpoch: 0 });
    rig.log.highWatermark = 4;
    rig.log.trimTo(2);
    expect(await find(rig.log, LookupTime.earliestLocal)).toEqual({
      offset: 2,
      timestamp: -1,
      leaderEpoch: 1,
    });
  });

  test('max timestamp is the first record that has it', async () => {
    const { log } = await logOf([[10, 50, 20], [50], [30]]);
    expect(await find(log, LookupTime.maxTimestamp)).toEqual({ offset: 1, timestamp: 50, leaderEpoch: 0 });
  });

  test('max timestamp is that of a record in the range, whatever lies below or above it', async () => {
    const rig = await logOf([[10, 90, 20], [40, 30], [70], [40], [80]]);
    rig.log.highWatermark = rig.log.logEndOffset;
    const writes = rig.log.trimTo(2);
    await rig.store.commit(Array.isArray(writes) ? writes : []);
    const largest = (endOffset: number) => find(rig.log, LookupTime.maxTimestamp, endOffset);
    expect(await largest(8)).toMatchObject({ offset: 7, timestamp: 80 });
    expect(await largest(7)).toMatchObject({ offset: 5, timestamp: 70 });
    expect(await largest(5)).toMatchObject({ offset: 3, timestamp: 40 });
    expect(await largest(3)).toMatchObject({ offset: 2, timestamp: 20 });
    expect(await largest(2)).toEqual(NONE);
  });

  test('an empty log has an end and no times', async () => {
    const { log } = await openRig();
    expect(await find(log, LookupTime.latest)).toEqual({ offset: 0, timestamp: -1, leaderEpoch: -1 });
    expect(await find(log, LookupTime.maxTimestamp)).toEqual(NONE);
    expect(await find(log, 0)).toEqual(NONE);
    expect(await find(log, -6)).toEqual(NONE);
  });
});
