import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Marker } from '../../src/log/append.ts';
import { decodeSnapshot, encodeSnapshot } from '../../src/log/producer-snapshot.ts';
import { snapshotName } from '../../src/log/snapshots.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { forEachBatch } from '../../src/records/header.ts';
import { append, kernels, NAME, NOW, openLog, openRig, type Rig, sequenced } from './fixtures.ts';

const { log: KEY } = NAME;
const PRODUCERS = 3;

/** One batch as the oracle remembers it. */
interface Written {
  baseOffset: number;
  lastOffset: number;
  producerId: number;
  /** Of a record that counts once its transaction is committed: which one. */
  transaction: Transaction | undefined;
  isMarker: boolean;
}

interface Transaction {
  producerId: number;
  firstOffset: number;
  markerOffset: number;
  isCommitted: boolean | undefined;
}

type Step =
  | { type: 'data'; producer: number; count: number; isTransactional: boolean }
  | { type: 'end'; producer: number; isCommit: boolean }
  | { type: 'commit'; part: number }
  | { type: 'roll' | 'reopen' | 'loseIndex' };

const producer = fc.nat(PRODUCERS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('data' as const),
      producer,
      count: fc.integer({ min: 1, max: 3 }),
      isTransactional: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('end' as const), producer, isCommit: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('commit' as const),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('roll' as const, 'reopen', 'loseIndex') }) },
);

/** A log, and beside it all that was written, looked at as simply as can be. */
class World {
  rig!: Rig;
  readonly written: Written[] = [];
  readonly open = new Map<number, Transaction>();
  readonly ended: Transaction[] = [];
  readonly #sequences = new Map<number, number>();

  async start(): Promise<this> {
    this.rig = await openRig({ segmentBytes: 500 });
    return this;
  }

  async run(asked: Step): Promise<void> {
    switch (asked.type) {
      case 'data':
        return this.#write(asked);
      case 'end':
        return this.#end(asked.producer, asked.isCommit);
      case 'commit': {
        const { log } = this.rig;
        log.highWatermark += Math.round(asked.part * (log.logEndOffset - log.highWatermark));
        return;
      }
      case 'roll':
        return this.rig.store.commit(this.rig.log.snapshotWrites());
      case 'loseIndex':
      case 'reopen': {
        if (asked.type === 'loseIndex') await this.#loseIndex();
        this.rig.log = await openLog(this.rig.store, this.rig.config);
        // What is stored is committed, as its shard says.
        this.rig.log.highWatermark = this.rig.log.logEndOffset;
      }
    }
  }

  /** A crash takes what was written of the index behind the newest snapshot. */
  async #loseIndex(): Promise<void> {
    const { store } = this.rig;
    const names = await store.names(KEY);
    const offsets = names
      .filter((name) => name.endsWith('.snapshot'))
      .map((name) => Number.parseInt(name, 10));
    const fromOffset = Math.max(0, ...offsets);
    await store.commit([{ type: 'aborted', log: KEY, fromOffset, transactions: [] }]);
  }

  async #write({ producer: producerId, count, isTransactional }: Step & { type: 'data' }): Promise<void> {
    const baseSequence = this.#sequences.get(producerId) ?? 0;
    const isOpen = this.open.has(producerId);
    const result = await append(this.rig, sequenced(baseSequence, { producerId, count, isTransactional }));
    if (isOpen && !isTransactional) {
      if (result.type === 'refused' && result.errorCode === ErrorCode.INVALID_TXN_STATE) return;
      throw new Error(`taken outside the transaction: ${JSON.stringify(result)}`);
    }
    if (result.type !== 'appended') throw new Error(`not taken: ${JSON.stringify(result)}`);
    this.#sequences.set(producerId, baseSequence + count);
    const { baseOffset, lastOffset } = result;
    if (isTransactional && !isOpen) {
      const begun = { producerId, firstOffset: baseOffset, markerOffset: Infinity, isCommitted: undefined };
      this.open.set(producerId, begun);
    }
    const transaction = isTransactional ? this.open.get(producerId) : undefined;
    this.written.push({ baseOffset, lastOffset, producerId, transaction, isMarker: false });
  }

  async #end(producerId: number, isCommit: boolean): Promise<void> {
    const { log, store } = this.rig;
    const result = log.appendMarker(marker({ producerId, isCommit }), { leaderEpoch: 0, nowMs: NOW });
    if (result?.type !== 'appended') throw new Error(`not taken: ${JSON.stringify(result)}`);
    await store.commit(result.writes);
    const { baseOffset, lastOffset } = result;
    this.written.push({ baseOffset, lastOffset, producerId, transaction: undefined, isMarker: true });
    const transaction = this.open.get(producerId);
    if (transaction === undefined) return;
    this.open.delete(producerId);
    this.ended.push(Object.assign(transaction, { markerOffset: baseOffset, isCommitted: isCommit }));
  }

  get lastStableOffset(): number {
    const { highWatermark } = this.rig.log;
    const undecided = [
      ...this.open.values(),
      ...this.ended.filter(({ markerOffset }) => markerOffset >= highWatermark),
    ];
    return Math.min(highWatermark, ...undecided.map(({ firstOffset }) => firstOffset));
  }

  /** Offsets of data that reads from `from` on may show whoever wants committed records. */
  committedFrom(from: number): number[] {
    const stable = this.lastStableOffset;
    return this.written.flatMap(({ baseOffset, lastOffset, transaction, isMarker }) => {
      const counts = !isMarker && (transaction === undefined || transaction.isCommitted === true);
      const offsets = Array.from({ length: lastOffset - baseOffset + 1 }, (_, number) => baseOffset + number);
      return counts && lastOffset < stable ? offsets.filter((offset) => offset >= from) : [];
    });
  }

  /** What a client makes of answers of `maxBytes` each: it knows batches, markers, and the list in each answer. */
  async readAsClient(from: number, maxBytes: number): Promise<number[]> {
    const { log } = this.rig;
    const seen: number[] = [];
    for (let fromOffset = from; ;) {
      const endOffset = log.lastStableOffset;
      const bytes = fromOffset < endOffset ? await log.read({ fromOffset, endOffset, maxBytes }) : undefined;
      if (bytes === undefined || bytes.length === 0) return seen;
      let nextOffset = fromOffset;
      forEachBatch(bytes, ({ lastOffset }) => (nextOffset = lastOffset + 1));
      const listed = [...log.aborted({ fromOffset, endOffset: nextOffset })];
      const isSorted = listed.every(
        ({ firstOffset }, at) => firstOffset >= (listed[at - 1]?.firstOffset ?? 0),
      );
      if (!isSorted) throw new Error(`not in the order of first offsets: ${JSON.stringify(listed)}`);
      const aborting = new Set<number>();
      forEachBatch(bytes, ({ producerId, baseOffset, lastOffset, isControl, isTransactional }) => {
        while (listed[0] !== undefined && listed[0].firstOffset <= lastOffset)
          aborting.add(listed.shift()?.producerId ?? -1);
        if (isControl) aborting.delete(producerId);
        if (isControl || (isTransactional && aborting.has(producerId))) return;
        for (let offset = baseOffset; offset <= lastOffset; offset++) if (offset >= from) seen.push(offset);
      });
      fromOffset = nextOffset;
    }
  }
}

function marker(spec: Partial<Marker> = {}): Marker {
  const usual = {
    producerId: 7,
    producerEpoch: 0,
    coordinatorEpoch: 0,
    transactionVersion: 1,
    isCommit: true,
  };
  return { ...usual, ...spec };
}

describe('a log with transactions', () => {
  test('is stable up to the first undecided one and lists what was aborted, even after a loss', async () => {
    expect.hasAssertions();
    const reads = fc.record({
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      maxBytes: fc.constantFrom(1, 150, 1e6),
    });
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 50, size: 'max' }),
      fc.array(reads, { minLength: 1, maxLength: 4, size: 'max' }),
      async (steps, asked) => {
        const world = await new World().start();
        for (const one of steps) {
          await world.run(one);
          expect(world.rig.log.lastStableOffset).toBe(world.lastStableOffset);
        }
        for (const { from, maxBytes } of asked) {
          const offset = Math.round(from * world.lastStableOffset);
          expect(await world.readAsClient(offset, maxBytes)).toEqual(world.committedFrom(offset));
        }
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  test('knows at any offset, again from its snapshot, what is open', async () => {
    const rig = await openRig();
    await append(rig, sequenced(0, { isTransactional: true, producerId: 8 }));
    await append(rig, sequenced(0, { isTransactional: true, producerId: 7, producerEpoch: 3 }));
    const result = rig.log.appendMarker(marker({ producerId: 8, coordinatorEpoch: 5, isCommit: false }), {
      leaderEpoch: 0,
      nowMs: NOW + 5,
    });
    if (result?.type !== 'appended') throw new Error('not taken');
    await rig.store.commit([...result.writes, ...rig.log.snapshotWrites()]);
    expect(await rig.store.names(KEY)).toContain(snapshotName(3));
    const again = await openLog(rig.store);
    again.highWatermark = 3;
    expect([again.lastStableOffset, again.producers.firstUnstableOffset]).toEqual([1, 1]);
    expect(again.producers.get(8)).toMatchObject({ coordinatorEpoch: 5, txnFirstOffset: -1 });
    expect(again.producers.get(7)).toMatchObject({ epoch: 3, txnFirstOffset: 1 });
  });

  test('forgets no producer whose transaction is open', async () => {
    const DAY_MS = 24 * 60 * 60 * 1000;
    const rig = await openRig();
    await append(rig, sequenced(0, { isTransactional: true }));
    await append(rig, sequenced(0, { producerId: 8 }));
    await append(rig, sequenced(0, { producerId: 9 }), { nowMs: NOW + 2 * DAY_MS });
    expect(rig.log.producers.all().map(({ producerId }) => producerId)).toEqual([7, 9]);
    rig.log.highWatermark = rig.log.logEndOffset;
    expect(rig.log.lastStableOffset).toBe(0);
  });
});

describe('a marker', () => {
  const at = { leaderEpoch: 0, nowMs: NOW };

  test('of an older coordinator is fenced, of a newer one it is not', async () => {
    const { log } = await openRig();
    expect(log.appendMarker(marker({ coordinatorEpoch: 4 }), at)).toMatchObject({ type: 'appended' });
    expect(log.appendMarker(marker({ coordinatorEpoch: 3 }), at)).toMatchObject({
      errorCode: ErrorCode.TRANSACTION_COORDINATOR_FENCED,
    });
    expect(log.appendMarker(marker({ coordinatorEpoch: 5 }), at)).toMatchObject({ type: 'appended' });
  });

  test('of transactions v1 ends what its own epoch has written, and nothing of a newer one', async () => {
    const rig = await openRig();
    await append(rig, sequenced(0, { isTransactional: true, producerEpoch: 2 }));
    const older = rig.log.appendMarker(marker({ producerEpoch: 1 }), at);
    expect(older).toMatchObject({ errorCode: ErrorCode.INVALID_PRODUCER_EPOCH });
    expect(rig.log.appendMarker(marker({ producerEpoch: 2 }), at)).toMatchObject({ type: 'appended' });
    expect(rig.log.producers.firstUnstableOffset).toBeUndefined();
  });

  test('of transactions v2 has an epoch above what it ends; told again it is written once', async () => {
    const rig = await openRig();
    const v2 = (spec: Partial<Marker>) =>
      rig.log.appendMarker(marker({ transactionVersion: 2, ...spec }), at);
    await append(rig, sequenced(0, { isTransactional: true, producerEpoch: 2 }));
    expect(v2({ producerEpoch: 2 })).toMatchObject({ errorCode: ErrorCode.INVALID_PRODUCER_EPOCH });
    expect(v2({ producerEpoch: 3 })).toMatchObject({ type: 'appended', baseOffset: 1 });
    expect(v2({ producerEpoch: 3 })).toBeUndefined();
    expect(v2({ producerEpoch: 2 })).toMatchObject({ errorCode: ErrorCode.INVALID_PRODUCER_EPOCH });
    await append(rig, sequenced(0, { isTransactional: true, producerEpoch: 3 }));
    // The delayed end of the one before does not end this one.
    expect(v2({ producerEpoch: 3 })).toMatchObject({ errorCode: ErrorCode.INVALID_PRODUCER_EPOCH });
    expect(rig.log.producers.firstUnstableOffset).toBe(2);
    expect(v2({ producerEpoch: 4 })).toMatchObject({ type: 'appended', baseOffset: 3 });
  });

  test('is a control batch as Kafka writes it', async () => {
    const rig = await openRig();
    const result = rig.log.appendMarker(marker({ coordinatorEpoch: 258, isCommit: false }), at);
    if (result?.type !== 'appended') throw new Error('not taken');
    const [write] = result.writes.filter(({ type }) => type === 'append');
    if (write?.type !== 'append') throw new Error('nothing written');
    // Attributes: transactional, control. Then one record: key version 0, type 0; value version 0, epoch 258.
    expect(Buffer.from(write.bytes.subarray(21, 23)).toString('hex')).toBe('0030');
    expect(Buffer.from(write.bytes.subarray(61)).toString('hex')).toBe('2000000008000000000c00000000010200');
  });
});

describe('a batch', () => {
  const transactional = (baseSequence: number, producerEpoch = 0) =>
    sequenced(baseSequence, { isTransactional: true, producerEpoch });

  test('that is not the first of a producer nobody knows is refused under transactions v2 alone', async () => {
    const rig = await openRig();
    const refused = { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER };
    expect(await append(rig, transactional(5), { apiVersion: 12 })).toMatchObject(refused);
    expect(await append(rig, sequenced(5, { producerId: 8 }), { apiVersion: 12 })).toMatchObject({
      type: 'appended',
    });
    expect(await append(rig, transactional(5), { apiVersion: 11 })).toMatchObject({ type: 'appended' });
  });

  test('of an epoch that is over is refused as one that its producer may abort', async () => {
    const rig = await openRig();
    await append(rig, transactional(0, 1));
    const refused = { errorCode: ErrorCode.INVALID_PRODUCER_EPOCH };
    expect(await append(rig, transactional(1, 0))).toMatchObject(refused);
  });

  test('outside the transaction that its producer has open is refused, after it is not', async () => {
    const rig = await openRig();
    await append(rig, transactional(0));
    const refused = { errorCode: ErrorCode.INVALID_TXN_STATE };
    expect(await append(rig, sequenced(1))).toMatchObject(refused);
    rig.log.appendMarker(marker(), { leaderEpoch: 0, nowMs: NOW });
    expect(await append(rig, sequenced(1))).toMatchObject({ type: 'appended' });
    expect(await append(rig, transactional(2))).toMatchObject({ type: 'appended' });
  });
});

test('a snapshot tells of open transactions and coordinators, in Kafka’s layout', async () => {
  const rig = await openRig();
  await append(rig, sequenced(0, { isTransactional: true, producerEpoch: 3, count: 2 }));
  rig.log.appendMarker(marker({ producerEpoch: 3, coordinatorEpoch: 9 }), { leaderEpoch: 0, nowMs: NOW });
  await append(rig, sequenced(2, { isTransactional: true, producerEpoch: 3 }));
  const bytes = encodeSnapshot(rig.log.producers, kernels);
  const entry = Buffer.from(bytes.subarray(bytes.length - 46)).toString('hex');
  const time = NOW.toString(16).padStart(16, '0');
  const fields = ['0000000000000007', '0003', '00000002', '0000000000000003', '00000000', time, '00000009'];
  expect(entry).toBe([...fields, '0000000000000003'].join(''));
  expect(decodeSnapshot(bytes, kernels)?.firstUnstableOffset).toBe(3);
});
