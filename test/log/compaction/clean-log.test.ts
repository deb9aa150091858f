import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BatchFault } from '../../../src/kernels/kernels.ts';
import { TwinKernels } from '../../../src/kernels/twin.ts';
import type { LogConfig } from '../../../src/log/config.ts';
import { CODEC } from '../../../src/records/codecs.ts';
import { recompress } from '../../../src/records/builder.ts';
import { BatchHeader } from '../../../src/records/header.ts';
import { append, codecs, kernels, NOW, openLog, openRig, type Rig } from '../fixtures.ts';
import { buildBatch } from '../../../src/records/builder.ts';
import { batchesOf, contentOf, HOUR_MS, keyed, pass, roll, write } from './cleaning.ts';

const compacted: Partial<LogConfig> = { cleanupPolicy: ['compact'], deleteRetentionMs: HOUR_MS };

describe('a pass', () => {
  test('keeps of each key the newest record, at its offset, and never touches the active segment', async () => {
    const rig = await openRig(compacted);
    await write(rig, [keyed('a', '1'), keyed('b', '1'), keyed('a', '2')]);
    await write(rig, [keyed('c', '1')]);
    await roll(rig);
    await write(rig, [keyed('b', '2'), keyed('d', '1')]);
    await roll(rig);
    await write(rig, [keyed('a', '3'), keyed('a', '4')]);
    expect(await pass(rig)).toMatchObject({ cleanedOffset: 6, recordsRead: 6, recordsKept: 4 });
    expect(await contentOf(rig)).toEqual([
      [2, 'a', '2'],
      [3, 'c', '1'],
      [4, 'b', '2'],
      [5, 'd', '1'],
      [6, 'a', '3'],
      [7, 'a', '4'],
    ]);
    expect(rig.store.segments(rig.log.name.log).map(({ baseOffset }) => baseOffset)).toEqual([0, 6]);
    const [first] = await batchesOf(rig);
    expect([first?.header.baseOffset, first?.header.lastOffset]).toEqual([0, 2]);
  });

  test('leaves a batch of which nothing goes byte for byte as it is', async () => {
    const rig = await openRig(compacted);
    await write(rig, [keyed('a', '1'), keyed('b', '1')]);
    await write(rig, [keyed('c', '1')]);
    await roll(rig);
    await write(rig, [keyed('c', '2')]);
    await roll(rig);
    const before = (await batchesOf(rig))[0]?.header.bytes.slice();
    await pass(rig);
    expect((await batchesOf(rig))[0]?.header.bytes).toEqual(before);
  });

  test('that finds nothing to do changes no segment', async () => {
    const rig = await openRig({ ...compacted, segmentBytes: 80 });
    await write(rig, [keyed('a', '1')]);
    await write(rig, [keyed('b', '1')]);
    await write(rig, [keyed('c', '1')]);
    let replaced = 0;
    const replace = rig.store.replace.bind(rig.store);
    rig.store.replace = (log, range) => {
      const inner = replace(log, range);
      return {
        write: (bytes, next) => inner.write(bytes, next),
        abandon: () => inner.abandon(),
        finish: () => {
          replaced++;
          return inner.finish();
        },
      };
    };
    await pass(rig);
    expect(replaced).toBe(0);
  });

  test('goes as far as its table does, and the next one goes on there', async () => {
    const rig = await openRig(compacted);
    for (let key = 0; key < 20; key++) await write(rig, [keyed(`k${key}`, '1'), keyed(`k${key}`, '2')]);
    for (let key = 0; key < 20; key++) await write(rig, [keyed(`k${key}`, '3')]);
    await roll(rig);
    const small = { budgetBytes: 24 * 12 };
    let cleanedOffset: number | undefined;
    const ends: number[] = [];
    for (
      let cleaned = await pass(rig, small);
      cleaned;
      cleaned = await pass(rig, { ...small, cleanedOffset })
    ) {
      cleanedOffset = cleaned.cleanedOffset;
      ends.push(cleanedOffset);
      expect(cleaned.utilization).toBeLessThanOrEqual(1);
    }
    expect(ends).toEqual([20, 40, 50, 60]);
    const content = await contentOf(rig);
    expect(content.map(([, key, value]) => [key, value])).toEqual(
      Array.from({ length: 20 }, (_, key) => [`k${key}`, '3']),
    );
  });

  test('drops a record without a key', async () => {
    const rig = await openRig({});
    await write(rig, [keyed(null, '1'), keyed('a', '1')]);
    await write(rig, [keyed('b', '1')]);
    await roll(rig);
    rig.config = { ...rig.config, ...compacted };
    await pass(rig);
    expect((await contentOf(rig)).map(([offset]) => offset)).toEqual([1, 2]);
  });

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('keeps the codec: %s', async (codec) => {
    const rig = await openRig(compacted);
    const held = [keyed('a', 'x'.repeat(100)), keyed('b', 'x'.repeat(100)), keyed('c', null)];
    const bytes = await recompress({ kernels, codecs }, buildBatch(kernels, { records: held }), CODEC[codec]);
    await append(rig, bytes);
    await write(rig, [keyed('b', '2')]);
    await write(rig, [keyed('e', '2')]);
    await roll(rig);
    await pass(rig);
    const [first] = await batchesOf(rig);
    expect(first?.header.codec).toBe(CODEC[codec]);
    expect(Array.from(first ?? [], ({ offset, timestamp }) => [offset, timestamp])).toEqual([
      [0, NOW],
      [2, NOW],
    ]);
  });

  test('keeps headers, and the times of records though the horizon takes the place of their base', async () => {
    const rig = await openRig(compacted);
    const headers = [{ key: 'h', value: 'v' }];
    await write(rig, [
      keyed('a', '1', NOW - 70),
      { ...keyed('b', null, NOW - 50_000), headers },
      keyed('c', '1', NOW + 9),
    ]);
    await write(rig, [keyed('a', '2')]);
    await roll(rig);
    await pass(rig);
    const [first] = await batchesOf(rig);
    expect(first?.header).toMatchObject({ deleteHorizonMs: NOW + HOUR_MS, maxTimestamp: NOW + 9 });
    expect(first?.at(0)).toMatchObject({ offset: 1, timestamp: NOW - 50_000 });
    expect(first?.at(0).headers).toEqual([{ key: 'h', value: new TextEncoder().encode('v') }]);
    expect(first?.at(1)).toMatchObject({ offset: 2, timestamp: NOW + 9 });
  });
});

describe('tombstones', () => {
  test('stay until delete.retention.ms after the pass that first kept them, whatever their own time is', async () => {
    const rig = await openRig(compacted);
    await write(rig, [keyed('a', '1', NOW - 100 * HOUR_MS)]);
    await write(rig, [keyed('a', null, NOW - 90 * HOUR_MS)]);
    await write(rig, [keyed('b', '1')]);
    await roll(rig);
    await pass(rig);
    const kept = [
      [1, 'a', null],
      [2, 'b', '1'],
    ];
    expect(await contentOf(rig)).toEqual(kept);
    await pass(rig, { nowMs: NOW + HOUR_MS - 1 });
    expect(await contentOf(rig)).toEqual(kept);
    const [first] = await batchesOf(rig);
    expect(first?.header.deleteHorizonMs).toBe(NOW + HOUR_MS);
    await pass(rig, { nowMs: NOW + HOUR_MS });
    expect(await contentOf(rig)).toEqual([[2, 'b', '1']]);
  });

  test('go at once when a newer value is there', async () => {
    const rig = await openRig(compacted);
    await write(rig, [keyed('a', null)]);
    await write(rig, [keyed('a', '2')]);
    await roll(rig);
    await pass(rig);
    expect(await contentOf(rig)).toEqual([[1, 'a', '2']]);
  });
});

describe('producers', () => {
  const of = (producerId: number, baseSequence: number) => ({ producerId, producerEpoch: 0, baseSequence });

  test('keep their last batch, empty when all its records went, and so their sequence', async () => {
    const rig = await openRig(compacted);
    await write(rig, [keyed('a', '1')], of(7, 0));
    await write(rig, [keyed('a', '2'), keyed('a', '3')], of(7, 1));
    await write(rig, [keyed('a', '4')], of(8, 0));
    await write(rig, [keyed('b', '1')]);
    await roll(rig);
    await pass(rig);
    const batches = await batchesOf(rig);
    expect(batches.map(({ header, length }) => [header.baseOffset, header.lastOffset, length])).toEqual([
      [1, 2, 0],
      [3, 3, 1],
      [4, 4, 1],
    ]);
    // Nothing but the batches tells of them.
    for (const name of await rig.store.names(rig.log.name.log))
      if (name.endsWith('.snapshot'))
        await rig.store.commit([{ type: 'delete', log: rig.log.name.log, name }]);
    const again = await openLog(rig.store, rig.config);
    expect(again.producers.get(7)?.batches).toMatchObject([{ lastSequence: 2, lastOffset: 2 }]);
    await write({ ...rig, log: again }, [keyed('c', '1')], of(7, 3));
  });

  test('that are forgotten keep none', async () => {
    const rig = await openRig(compacted);
    await write(rig, [keyed('a', '1')], of(7, 0));
    await write(rig, [keyed('a', '2')]);
    await roll(rig);
    rig.log.producers.expire(NOW + 1e9, 1);
    await pass(rig);
    expect((await batchesOf(rig)).map(({ header }) => header.baseOffset)).toEqual([1]);
  });
});

test('the last batch of what could be cleaned stays, so that the log ends where it did', async () => {
  const rig = await openRig(compacted);
  await write(rig, [keyed('a', null)]);
  await write(rig, [keyed('b', '1')]);
  await roll(rig);
  await write(rig, [keyed('b', null)]);
  await roll(rig);
  await pass(rig);
  await pass(rig, { nowMs: NOW + 2 * HOUR_MS });
  expect((await batchesOf(rig)).map(({ header, length }) => [header.lastOffset, length])).toEqual([[2, 0]]);
  expect(await openLog(rig.store, rig.config)).toMatchObject({ logStartOffset: 0, logEndOffset: 3 });
});

/** I13. */
test('of each key the newest record survives every pass; what is read is a part of what was written', async () => {
  const record = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    value: fc.option(fc.constantFrom('1', '2', '3'), { nil: null, freq: 3 }),
  });
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.array(record, { minLength: 1, maxLength: 5 }) },
    { weight: 3, arbitrary: fc.constant('roll' as const) },
    {
      weight: 2,
      arbitrary: fc.record({ passAfterMs: fc.nat(2 * HOUR_MS), keysMax: fc.integer({ min: 6, max: 50 }) }),
    },
    { weight: 1, arbitrary: fc.record({ trim: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const rig = await openRig({ ...compacted, cleanupPolicy: ['compact', 'delete'] });
      const written: [number, string, string | null][] = [];
      let cleanedOffset: number | undefined;
      let nowMs = NOW;
      for (const asked of steps) {
        if (asked === 'roll') await roll(rig);
        else if (Array.isArray(asked)) {
          const held = asked.map(({ key, value }) => keyed(key, value));
          const base = await write(rig, held);
          asked.forEach(({ key, value }, index) => written.push([base + index, key, value]));
        } else if ('trim' in asked) {
          const writes = rig.log.trimTo(Math.floor(asked.trim * rig.log.logEndOffset));
          if (Array.isArray(writes)) await rig.store.commit(writes);
        } else {
          nowMs += asked.passAfterMs;
          const cleaned = await pass(rig, { nowMs, cleanedOffset, budgetBytes: 24 * asked.keysMax });
          cleanedOffset = cleaned?.cleanedOffset ?? cleanedOffset;
        }
        const content = (await contentOf(rig)).filter(([offset]) => offset >= rig.log.logStartOffset);
        const byOffset = new Map(written.map((one) => [one[0], one]));
        for (const one of content) expect(byOffset.get(one[0])).toEqual(one);
        const found = new Set(content.map(([offset]) => offset));
        const newest = new Map(written.map((one) => [one[1], one]));
        for (const [offset, , value] of newest.values()) {
          if (value === null || offset < rig.log.logStartOffset) continue;
          expect(found.has(offset), `${offset} is there`).toBe(true);
        }
        // A reader that has all sees of a key what it would have seen without a pass.
        const last = new Map(content.map((one) => [one[1], one[2]]));
        const visible = [...newest.values()].filter(([offset]) => offset >= rig.log.logStartOffset);
        for (const [, key, value] of visible) expect(last.get(key) ?? null).toBe(value);
      }
    }),
    { numRuns: 200 },
  );
});

test('a batch that cannot be read ends the pass, and nothing is lost', async () => {
  const broken = Object.assign(new TwinKernels(), { indexRecords: () => BatchFault.record });
  const rig = await openRig(compacted);
  await write(rig, [keyed('a', '1')]);
  await roll(rig);
  await write(rig, [keyed('a', '2')]);
  await roll(rig);
  await expect(pass(rig, { kernels: broken })).rejects.toThrow('records are not as announced');
  expect(await contentOf(rig)).toHaveLength(2);
});

test('a pass stops where it is told to', async () => {
  const rig = await openRig(compacted);
  for (let value = 0; value < 10; value++) {
    await write(rig, [keyed('a', String(value))]);
    await roll(rig);
  }
  let bytes = 0;
  expect(await pass(rig, { chunkBytes: 1, pace: async (more) => (bytes += more) < 600 })).toBeUndefined();
  expect((await contentOf(rig)).at(-1)).toEqual([9, 'a', '9']);
  expect(
    new BatchHeader(rig.store.read(rig.log.name.log, { fromOffset: 9, endOffset: 10, maxBytes: 1 }))
      .baseOffset,
  ).toBe(9);
});

describe('transactions', () => {
  const of = (baseSequence: number) => ({
    producerId: 7,
    producerEpoch: 0,
    baseSequence,
    isTransactional: true,
  });

  async function end(rig: Rig, isCommit: boolean): Promise<void> {
    const marker = { producerId: 7, producerEpoch: 0, coordinatorEpoch: 1, transactionVersion: 1, isCommit };
    const appended = rig.log.appendMarker(marker, { leaderEpoch: 0, nowMs: NOW });
    if (appended?.type !== 'appended') throw new Error('a marker is taken');
    await rig.store.commit(appended.writes);
    rig.log.highWatermark = rig.log.logEndOffset;
  }
  const abortedOf = ({ log }: Rig) => log.aborted({ fromOffset: 0, endOffset: Infinity });
  const markersOf = async (rig: Rig) =>
    (await batchesOf(rig)).filter(({ header }) => header.isControl).map(({ header }) => header.baseOffset);

  test('what was aborted goes, and supersedes nothing; what is open is not touched', async () => {
    const rig = await openRig(compacted);
    await write(rig, [keyed('a', '1')]);
    await write(rig, [keyed('a', 'aborted'), keyed('b', 'aborted')], of(0));
    await end(rig, false);
    await roll(rig);
    await write(rig, [keyed('a', 'open')], of(2));
    await roll(rig);
    expect(await pass(rig)).toMatchObject({ cleanedOffset: 4 });
    const values = (await contentOf(rig)).map(([offset, , value]) => [offset, value]);
    expect(values).toContainEqual([0, '1']);
    expect(values).toContainEqual([4, 'open']);
    expect(values.flat()).not.toContain('aborted');
  });

  test('a marker goes a horizon after all it ended; readers are told of it until nothing is left', async () => {
    const rig = await openRig(compacted);
    await write(rig, [keyed('a', 'aborted')], of(0));
    await end(rig, false);
    await roll(rig);
    await write(rig, [keyed('b', '1')], of(1));
    await end(rig, true);
    await write(rig, [keyed('c', '1')]);
    await roll(rig);
    await pass(rig);
    expect(await markersOf(rig)).toEqual([1, 3]);
    expect(abortedOf(rig)).toHaveLength(1);
    await pass(rig);
    expect(await markersOf(rig)).toEqual([1, 3]);
    expect(abortedOf(rig)).toEqual([]);
    await pass(rig, { nowMs: NOW + HOUR_MS });
    expect(await markersOf(rig)).toEqual([3]);
    expect(await openLog(rig.store, rig.config)).toMatchObject({ logEndOffset: 5 });
  });
});
