import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogConfig } from '../../src/log/config.ts';
import { MemoryLogStore } from '../../src/log/memory-store.ts';
import { PartitionLog } from '../../src/log/partition-log.ts';
import { encodeSnapshot } from '../../src/log/producer-snapshot.ts';
import { snapshotName } from '../../src/log/snapshots.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { append, batch, kernels, kinds, NAME, NOW, openLog, openRig, sequenced } from './fixtures.ts';
import type { Rig } from './fixtures.ts';

const { log } = NAME;

/** All that a log remembers, as plain values. */
function remembered(partition: PartitionLog) {
  return {
    logStartOffset: partition.logStartOffset,
    logEndOffset: partition.logEndOffset,
    epochs: partition.epochs.entries,
    producers: partition.producers.all(),
    snapshot: Buffer.from(encodeSnapshot(partition.producers, kernels)).toString('hex'),
  };
}

/** A clean shutdown leaves one snapshot more behind, so the writes may differ. */
function withoutWrites(result: unknown): unknown {
  return typeof result === 'object' ? { ...result, writes: undefined } : result;
}

describe('replay equals live', () => {
  /** A log that is closed and opened again at some steps, beside one that never is. */
  class Pair {
    config: Partial<LogConfig> = { segmentBytes: 600 };
    live!: Rig;
    reopened!: Rig;
    sequences = new Map<number, number>();
    leaderEpoch = 0;
    /** Of the last step: the live one's and the other's. */
    results: unknown[] = [];

    async open(): Promise<this> {
      this.live = await openRig(this.config);
      this.reopened = await openRig(this.config);
      return this;
    }

    async each(action: (rig: Rig) => Promise<unknown>): Promise<void> {
      this.results = [withoutWrites(await action(this.live)), withoutWrites(await action(this.reopened))];
    }

    async run(step: Step): Promise<void> {
      switch (step.type) {
        case 'append':
          return this.each((rig) =>
            append(rig, batch({ count: step.count }), { leaderEpoch: this.leaderEpoch }),
          );
        case 'sequenced': {
          const { producerId, count } = step;
          const sequence = this.sequences.get(producerId) ?? 0;
          const baseSequence = step.again ? Math.max(sequence - count, 0) : sequence;
          if (!step.again) this.sequences.set(producerId, sequence + count);
          const { leaderEpoch } = this;
          return this.each((rig) =>
            append(rig, sequenced(baseSequence, { producerId, count }), { leaderEpoch }),
          );
        }
        case 'epoch':
          this.leaderEpoch++;
          return this.each(({ store, log: part }) => store.commit(part.beginEpoch(this.leaderEpoch)));
        case 'trim':
          return this.each(async (rig) => {
            rig.log.highWatermark = rig.log.logEndOffset;
            const writes = rig.log.trimTo(Math.floor(rig.log.logEndOffset * step.ratio));
            if (Array.isArray(writes)) await rig.store.commit(writes);
          });
        case 'truncate':
          this.sequences.clear();
          return this.each(async (rig) => {
            const { logStartOffset, logEndOffset } = rig.log;
            const offset = logEndOffset - Math.floor((logEndOffset - logStartOffset) * step.ratio);
            await rig.store.commit(await rig.log.truncateTo(offset));
          });
        case 'shutdown':
          await this.reopened.store.commit(this.reopened.log.snapshotWrites());
          this.reopened.log = await openLog(this.reopened.store, this.reopened.config);
          return;
        case 'kill':
          this.reopened.log = await openLog(this.reopened.store, this.reopened.config);
      }
    }
  }

  type Step =
    | { type: 'append'; count: number }
    | { type: 'sequenced'; producerId: number; count: number; again: boolean }
    | { type: 'epoch' | 'shutdown' | 'kill' }
    | { type: 'trim' | 'truncate'; ratio: number };

  const count = fc.integer({ min: 1, max: 9 });
  const ratio = fc.double({ min: 0, max: 1, noNaN: true });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant('append' as const), count }) },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('sequenced' as const),
        producerId: fc.nat(3),
        count,
        again: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('epoch', 'shutdown', 'kill') }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('trim', 'truncate'), ratio }) },
  );

  test('whatever is appended, and whenever the log is opened again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const pair = await new Pair().open();
        for (const next of steps) {
          await pair.run(next);
          expect(pair.results[1]).toEqual(pair.results[0]);
          expect(remembered(pair.reopened.log)).toEqual(remembered(pair.live.log));
        }
        expect(pair.reopened.store.segments(log)).toEqual(pair.live.store.segments(log));
      }),
      { numRuns: 150 },
    );
  });

  test('an unreadable snapshot gives way to the one before, a lost checkpoint is rebuilt', async () => {
    const rig = await openRig();
    await append(rig, sequenced(0));
    await rig.store.commit(rig.log.snapshotWrites());
    await append(rig, sequenced(1), { leaderEpoch: 4 });
    await rig.store.commit(rig.log.snapshotWrites());
    await append(rig, sequenced(2), { leaderEpoch: 4 });
    const value = new Uint8Array(20);
    await rig.store.commit([
      { type: 'put', log, name: snapshotName(2), value },
      { type: 'put', log, name: 'leader-epoch-checkpoint', value },
    ]);
    expect(remembered(await openLog(rig.store))).toEqual(remembered(rig.log));
  });

  test('a snapshot from before the log start says nothing of who wrote since', async () => {
    const rig = await openRig();
    await append(rig, sequenced(0));
    await rig.store.commit(rig.log.snapshotWrites());
    await append(rig, sequenced(1));
    await append(rig, batch());
    rig.log.highWatermark = 3;
    await rig.store.commit(rig.log.trimTo(2) as never);
    await rig.store.commit([{ type: 'put', log, name: snapshotName(3), value: new Uint8Array(20) }]);
    rig.log = await openLog(rig.store);
    expect(await append(rig, sequenced(2))).toMatchObject({ type: 'appended', baseOffset: 3 });
  });

  test('what lies beside the log but above its end is dropped', async () => {
    const rig = await openRig();
    await append(rig, sequenced(0));
    const checkpoint = new TextEncoder().encode('0\n2\n0 0\n1 9\n');
    await rig.store.commit([
      { type: 'put', log, name: snapshotName(9), value: encodeSnapshot(rig.log.producers, kernels) },
      { type: 'put', log, name: 'leader-epoch-checkpoint', value: checkpoint },
    ]);
    const opened = await openLog(rig.store);
    expect(await rig.store.names(log)).not.toContain(snapshotName(9));
    expect(opened.latestEpoch).toBe(0);
  });
});

describe('segments', () => {
  test('roll when the next batch would not fit, with producer state at the border', async () => {
    const size = batch().length;
    const rig = await openRig({ segmentBytes: 2 * size });
    const writes: string[][] = [];
    for (let i = 0; i < 5; i++) {
      const result = await append(rig, batch());
      if (result.type === 'appended') writes.push(kinds(result.writes));
    }
    expect(writes.slice(1)).toEqual([
      ['append'],
      [`put ${snapshotName(2)}`, 'roll', 'append'],
      ['append'],
      [`put ${snapshotName(4)}`, 'roll', 'append'],
    ]);
    expect(rig.store.segments(log).map(({ baseOffset }) => baseOffset)).toEqual([0, 2, 4]);
  });

  test('roll by the time of records, not of the clock', async () => {
    const rig = await openRig({ segmentMs: 1000 });
    for (const timestamp of [NOW, NOW + 1000, NOW + 500, NOW + 1001, NOW]) {
      await append(rig, batch({ timestamp }), { nowMs: NOW + 10_000_000 });
    }
    expect(rig.store.segments(log).map(({ baseOffset }) => baseOffset)).toEqual([0, 3]);
  });

  test('roll up to segment.jitter.ms earlier, not all together', async () => {
    const config = { segmentMs: 1000, segmentJitterMs: 600 };
    const rolledAtMs = async (baseOffset: number): Promise<number> => {
      const rig = await openRig(config);
      for (let at = 0; at < baseOffset; at++) {
        await append(rig, batch({ timestamp: NOW + at * 2_000 }));
      }
      await append(rig, batch({ timestamp: NOW + 100_000 }));
      for (let ageMs = 300; ; ageMs += 10) {
        await append(rig, batch({ timestamp: NOW + 100_000 + ageMs }));
        if ((rig.store.segments(NAME.log).at(-1)?.baseOffset ?? 0) > baseOffset) return ageMs;
      }
    };
    const ages = [await rolledAtMs(1), await rolledAtMs(2), await rolledAtMs(3), await rolledAtMs(4)];
    for (const ageMs of ages) {
      expect(ageMs).toBeGreaterThan(400 - 10);
      expect(ageMs).toBeLessThanOrEqual(1010);
    }
    expect(new Set(ages).size).toBeGreaterThan(1);
    expect(await rolledAtMs(1)).toBe(ages[0]);
  });

  test('roll when their index could be full', async () => {
    const rig = await openRig({ segmentIndexBytes: 12 * 4, indexIntervalBytes: 0 });
    for (let i = 0; i < 20; i++) await append(rig, batch());
    const sizes = rig.store.segments(log).map(({ baseOffset, nextOffset }) => nextOffset - baseOffset);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4);
  });

  test('two snapshots are kept, and none is written twice', async () => {
    const rig = await openRig();
    for (let i = 0; i < 4; i++) {
      await append(rig, sequenced(i));
      await rig.store.commit(rig.log.snapshotWrites());
    }
    const names = await rig.store.names(log);
    expect(names.filter((name) => name.endsWith('.snapshot'))).toEqual([snapshotName(3), snapshotName(4)]);
    expect(rig.log.snapshotWrites()).toEqual([]);
    expect((await openLog(rig.store)).snapshotWrites()).toEqual([]);
  });

  test('64 MiB without a roll are enough for a snapshot', async () => {
    const rig = await openRig();
    const value = new Uint8Array(1_000_000);
    const large = () => batch({ records: [{ timestamp: NOW, value }] });
    let puts = 0;
    for (let i = 0; i < 70; i++) {
      const result = rig.log.append(large(), { leaderEpoch: 0, origin: 'client', nowMs: NOW });
      if (result.type === 'appended')
        puts += kinds(result.writes).filter((kind) => kind.endsWith('.snapshot')).length;
    }
    expect(puts).toBe(1);
  });
});

describe('read', () => {
  test('gives whole batches below the end asked for, nothing outside the log', async () => {
    const rig = await openRig();
    for (let i = 0; i < 3; i++) await append(rig, batch({ count: 10 }));
    const size = batch({ count: 10 }).length;
    const read = async (fromOffset: number, endOffset = 30, maxBytes = 1e6) =>
      (await rig.log.read({ fromOffset, endOffset, maxBytes }))?.length;
    expect(await read(0)).toBe(3 * size);
    expect(await read(15)).toBe(2 * size);
    expect(await read(15, 25)).toBe(size);
    expect(await read(0, 30, 1)).toBe(size);
    expect(await read(30)).toBe(0);
    expect(await read(31)).toBeUndefined();
    rig.log.highWatermark = 30;
    rig.log.trimTo(5);
    expect(await read(4)).toBeUndefined();
    expect(await read(5)).toBe(3 * size);
  });
});

describe('trimTo', () => {
  test('moves the start forward, never back, never over the high watermark', async () => {
    const rig = await openRig();
    await append(rig, batch({ count: 10 }));
    expect(rig.log.trimTo(1)).toMatchObject({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE });
    rig.log.highWatermark = 10;
    expect(kinds(rig.log.trimTo(4) as never)).toEqual([
      `put ${snapshotName(10)}`,
      'trim',
      'put leader-epoch-checkpoint',
    ]);
    expect(rig.log.trimTo(3)).toEqual([]);
    expect(rig.log.logStartOffset).toBe(4);
    expect(rig.log.trimTo(11)).toMatchObject({ type: 'refused' });
  });
});

describe('truncateTo', () => {
  test('drops the batch it falls into, and the sequences in it', async () => {
    const rig = await openRig();
    await append(rig, sequenced(0, { count: 5 }));
    await append(rig, sequenced(5, { count: 5 }), { leaderEpoch: 2 });
    await rig.store.commit(rig.log.snapshotWrites());
    const writes = await rig.log.truncateTo(7);
    expect(kinds(writes)).toEqual(['truncate', `delete ${snapshotName(10)}`, 'put leader-epoch-checkpoint']);
    await rig.store.commit(writes);
    expect(rig.log.logEndOffset).toBe(5);
    expect(rig.log.latestEpoch).toBe(0);
    expect(await append(rig, sequenced(5, { count: 2 }))).toMatchObject({ type: 'appended', baseOffset: 5 });
    expect(await rig.log.truncateTo(99)).toEqual([]);
  });
});

test('a log that is not there cannot be opened', async () => {
  await expect(openLog(new MemoryLogStore())).rejects.toThrow('no such log');
});
