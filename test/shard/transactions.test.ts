import { beforeEach, describe, expect, test } from 'vitest';
import { LookupTime } from '../../src/log/lookup.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import type { ShardRequest } from '../../src/ports/shard-link.ts';
import type { AddPartitionsToTxnRequest } from '../../src/wire/apis/24-add-partitions-to-txn.ts';
import {
  type DescribeProducersResponse,
  describeProducersApi,
} from '../../src/wire/apis/61-describe-producers.ts';
import { until } from '../gateway/until.ts';
import { COMMITTED, OLD, TransactionBench, UNCOMMITTED, V1, V2 } from './transaction-bench.ts';

let bench: TransactionBench;
beforeEach(() => {
  bench = new TransactionBench('t/3');
});

describe('before the first batch of a transaction', () => {
  test.each([
    ['has the partition verified', V1, true],
    ['adds the partition for transactions v2', V2, false],
  ])('its coordinator %s, and no other batch of it asks again', async (_, apiVersion, verifyOnly) => {
    expect(await bench.begin({ apiVersion })).toBe(0);
    const { shard, body } = bench.asked[0] as ShardRequest & { body: AddPartitionsToTxnRequest };
    const topics = [{ name: 'orders', partitions: [0] }];
    expect(shard).toBe('t/3');
    expect(body.transactions).toEqual([
      { transactionalId: 'tx', producerId: 7, producerEpoch: 0, verifyOnly, topics },
    ]);
    expect(await bench.produced(bench.produce({ apiVersion, baseSequence: 1 }))).toEqual({
      errorCode: 0,
      baseOffset: 1,
    });
    expect(bench.asked).toHaveLength(1);
  });

  test('those behind it wait, in order; other producers do not', async () => {
    const first = bench.produce();
    const second = bench.produce({ baseSequence: 1 });
    const other = bench.produce({ producerId: 8, baseSequence: 3, transactionalId: null });
    expect(await bench.produced(other)).toMatchObject({
      errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    });
    await until('the coordinator is asked', () => bench.asked.length === 1);
    expect([bench.answers(first), bench.answers(second)]).toEqual([[], []]);
    bench.says(ErrorCode.NONE);
    expect((await bench.produced(first)).baseOffset).toBe(0);
    expect((await bench.produced(second)).baseOffset).toBe(1);
  });

  test.each([
    [
      'not part of it',
      ErrorCode.TRANSACTION_ABORTABLE,
      { [OLD]: ErrorCode.INVALID_TXN_STATE, [V1]: ErrorCode.TRANSACTION_ABORTABLE },
    ],
    [
      'fenced',
      ErrorCode.PRODUCER_FENCED,
      { [V1]: ErrorCode.INVALID_PRODUCER_EPOCH, [V2]: ErrorCode.INVALID_PRODUCER_EPOCH },
    ],
    [
      'still ending the one before',
      ErrorCode.CONCURRENT_TRANSACTIONS,
      { [V1]: ErrorCode.NOT_ENOUGH_REPLICAS, [V2]: ErrorCode.CONCURRENT_TRANSACTIONS },
    ],
    ['loading', ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, { [V1]: ErrorCode.NOT_ENOUGH_REPLICAS }],
    [
      'of another producer',
      ErrorCode.INVALID_PRODUCER_ID_MAPPING,
      { [V1]: ErrorCode.INVALID_PRODUCER_ID_MAPPING },
    ],
  ])('told that it is %s nothing is written, and each client hears what it knows', async (_, said, told) => {
    for (const [apiVersion, errorCode] of Object.entries(told)) {
      const number = bench.asked.length;
      const sent = bench.produce({ apiVersion: Number(apiVersion) });
      await until('the coordinator is asked', () => bench.asked.length > number);
      bench.says(said, number);
      expect((await bench.produced(sent)).errorCode).toBe(errorCode);
    }
    expect(bench.shard.log?.logEndOffset).toBe(0);
  });

  test('where there is no coordinator clients try again', async () => {
    bench = new TransactionBench(undefined);
    expect((await bench.produced(bench.produce())).errorCode).toBe(ErrorCode.NOT_ENOUGH_REPLICAS);
  });

  test('a batch behind one that could not be verified is not taken before it', async () => {
    const first = bench.produce();
    await until('the coordinator is asked', () => bench.asked.length === 1);
    bench.says(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    await bench.produced(first);
    const behind = bench.produce({ baseSequence: 1 });
    await until('the coordinator is asked', () => bench.asked.length === 2);
    bench.says(ErrorCode.NONE, 1);
    expect((await bench.produced(behind)).errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(await bench.begin()).toBe(0);
  });

  test('a marker that comes between question and answer makes the answer worthless', async () => {
    const sent = bench.produce();
    await until('the coordinator is asked', () => bench.asked.length === 1);
    expect(await bench.mark(false)).toBe(ErrorCode.NONE);
    bench.says(ErrorCode.NONE);
    expect((await bench.produced(sent)).errorCode).toBe(ErrorCode.INVALID_TXN_STATE);
    expect(await bench.begin()).toBe(1);
  });

  test('nobody is asked about a batch that no log takes', async () => {
    const sent = bench.produce({ baseSequence: -1 });
    expect((await bench.produced(sent)).errorCode).toBe(ErrorCode.INVALID_RECORD);
    expect(bench.asked).toEqual([]);
  });

  test('who waits when the topic goes hears of it, and nothing is asked any more', async () => {
    const sent = bench.produce();
    await until('the coordinator is asked', () => bench.asked.length === 1);
    bench.shard.drop();
    expect(bench.answers(sent)).toMatchObject([{ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }]);
    expect(bench.clock.waiting).toBe(0);
  });
});

describe('a reader of committed records', () => {
  test('sees nothing behind the first transaction that is open, and is told what was aborted', async () => {
    await bench.begin();
    await bench.mark(false);
    await bench.begin({ producerId: 8 });
    await bench.begin({ producerId: 9 });
    await bench.mark(false, { producerId: 9 });
    expect(await bench.fetched(bench.fetch(0, COMMITTED))).toEqual({
      offsets: [0, 1],
      highWatermark: 5,
      lastStableOffset: 2,
      aborted: [{ producerId: 7, firstOffset: 0 }],
    });
    expect(await bench.fetched(bench.fetch(0, UNCOMMITTED))).toEqual({
      offsets: [0, 1, 2, 3, 4],
      highWatermark: 5,
      lastStableOffset: 2,
      aborted: null,
    });
    await bench.mark(true, { producerId: 8 });
    const { offsets, aborted } = await bench.fetched(bench.fetch(2, COMMITTED));
    expect([offsets, aborted]).toEqual([[2, 3, 4, 5], [{ producerId: 9, firstOffset: 3 }]]);
  });

  test('has the list in the order of first offsets, and none without records', async () => {
    await bench.begin();
    await bench.begin({ producerId: 8 });
    await bench.mark(false, { producerId: 8 });
    await bench.mark(false);
    const { aborted } = await bench.fetched(bench.fetch(0, COMMITTED));
    expect(aborted?.map(({ firstOffset }) => firstOffset)).toEqual([0, 1]);
    expect((await bench.fetched(bench.fetch(4, COMMITTED))).aborted).toEqual([]);
  });

  test('that waits is answered when what was open is decided, not before', async () => {
    await bench.begin();
    const parked = bench.fetch(0, COMMITTED, { maxWaitMs: 1000 });
    expect((await bench.fetched(parked)).offsets).toEqual([]);
    await bench.begin({ producerId: 8 });
    expect(bench.answers(parked).slice(1)).toMatchObject([{ parked: true, body: undefined }]);
    await bench.mark(true, { producerId: 8 });
    expect(bench.answers(parked)).toHaveLength(2);
    await bench.mark(false);
    expect((await bench.fetched(parked, 3)).offsets).toEqual([0, 1, 2, 3]);
    expect(bench.answers(parked).map((answer) => answer.parked ?? false)).toEqual([true, true, false]);
  });

  test('that wants more than there is waits on', async () => {
    await bench.begin();
    const parked = bench.fetch(0, COMMITTED, { maxWaitMs: 1000, minBytes: 10_000 });
    await bench.mark(true);
    expect(bench.answers(parked).map(({ body }) => body === undefined)).toEqual([false, true]);
  });

  test('hears from a log of a marker once that is committed', async () => {
    await bench.begin();
    bench.store.holds = true;
    const marked = bench.mark(true);
    await until('it is written', () => bench.store.waiting === 1);
    expect(await bench.fetched(bench.fetch(0, COMMITTED))).toMatchObject({
      offsets: [],
      lastStableOffset: 0,
    });
    bench.store.holds = false;
    bench.store.settle();
    expect(await marked).toBe(ErrorCode.NONE);
    expect(await bench.fetched(bench.fetch(0, COMMITTED))).toMatchObject({
      offsets: [0, 1],
      lastStableOffset: 2,
    });
  });

  test('finds by time and at the end what is stable', async () => {
    bench.clock.nowMs = 1000;
    await bench.begin();
    await bench.mark(true);
    bench.clock.nowMs = 2000;
    await bench.begin({ producerId: 8 });
    const both = async (timestamp: number) => [
      await bench.offsetAt(timestamp, UNCOMMITTED),
      await bench.offsetAt(timestamp, COMMITTED),
    ];
    expect(await both(LookupTime.latest)).toEqual([3, 2]);
    expect(await both(1000)).toEqual([0, 0]);
    expect(await both(1500)).toEqual([2, -1]);
    expect(await both(LookupTime.earliest)).toEqual([0, 0]);
    expect(await both(LookupTime.maxTimestamp)).toEqual([2, 0]);
  });
});

test('markers of a coordinator that was replaced are fenced; told again a marker does no harm', async () => {
  await bench.begin();
  expect(await bench.mark(true, { coordinatorEpoch: 5 })).toBe(ErrorCode.NONE);
  expect(await bench.mark(true, { coordinatorEpoch: 5 })).toBe(ErrorCode.NONE);
  expect(await bench.mark(false, { coordinatorEpoch: 4 })).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED);
  const { aborted } = await bench.fetched(bench.fetch(0, COMMITTED));
  expect(aborted).toEqual([]);
});

test('producers are described as the log knows them', async () => {
  await bench.begin({ producerEpoch: 2 });
  await bench.begin({ producerId: 8 });
  await bench.mark(true, { producerId: 8, coordinatorEpoch: 3 });
  const body = { topics: [{ name: 'orders', partitionIndexes: [0] }] };
  const described = (await bench.answer(
    bench.send(describeProducersApi.key, 0, body),
  )) as DescribeProducersResponse;
  const lastTimestamp = bench.clock.nowMs;
  expect(described.topics[0]?.partitions[0]?.activeProducers).toEqual([
    {
      producerId: 7,
      producerEpoch: 2,
      lastSequence: 0,
      lastTimestamp,
      coordinatorEpoch: -1,
      currentTxnStartOffset: 0,
    },
    {
      producerId: 8,
      producerEpoch: 0,
      lastSequence: 0,
      lastTimestamp,
      coordinatorEpoch: 3,
      currentTxnStartOffset: -1,
    },
  ]);
});
