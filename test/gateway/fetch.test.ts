import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import {
  type RawClient,
  TestBroker,
  batch,
  batchesIn,
  fetchAll,
  fetchBody,
  fetchOne,
  produce,
} from './harness.ts';
import { until } from './until.ts';

let server: TestBroker;
let client: RawClient;
let producer: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  client = await server.client();
  producer = await server.client();
});
afterAll(() => server.close());

const NOBODY = { name: 'nobody', id: 'AAAAAAAAAAAAAAAAAAAAZw' };
const LONG_MS = 20_000;

/** Fetches asked of the broker so far, whoever asked. */
function fetches(): number {
  return server.broker.gateway.counters.requestsByApi.get(fetchApi.key) ?? 0;
}

/** Resolves when as many fetches more than `before` have started. */
function started(before: number, count = 1): Promise<void> {
  return until('the fetch has started', () => fetches() >= before + count);
}

const baseOffsets = (records: Uint8Array | null) => batchesIn(records).map(({ baseOffset }) => baseOffset);

describe('what a fetch returns', () => {
  test('whole batches from the one that holds the offset', async () => {
    const topic = await server.topic(client);
    for (const values of [['a', 'b', 'c'], ['d', 'e'], ['f']]) await produce(client, topic, batch(values));
    expect(baseOffsets((await fetchOne(client, { topic })).records)).toEqual([0, 3, 5]);
    const middle = await fetchOne(client, { topic, fetchOffset: 4 });
    expect(baseOffsets(middle.records)).toEqual([3, 5]);
    expect([middle.highWatermark, middle.lastStableOffset, middle.logStartOffset]).toEqual([6, 6, 0]);
    expect(middle.abortedTransactions).toBeNull();
  });

  test("the producer's bytes, but for base offset and leader epoch", async () => {
    const topic = await server.topic(client);
    await produce(client, topic, batch(['first']));
    const sent = batch(['second'], { producerId: 4, producerEpoch: 1, baseSequence: 0 });
    await produce(client, topic, sent);
    const { records } = await fetchOne(client, { topic, fetchOffset: 1 });
    const expected = Buffer.from(sent);
    expected.writeBigInt64BE(1n, 0);
    expected.writeInt32BE(0, 12);
    expect(Buffer.from(records ?? [])).toEqual(expected);
  });

  test('the first batch whole, even when it is larger than every limit', async () => {
    const topic = await server.topic(client);
    await produce(client, topic, batch([new Uint8Array(5_000)]));
    await produce(client, topic, batch(['small']));
    for (const [maxBytes, partitionMaxBytes] of [
      [0, 0],
      [1, 1],
      [1_000, 1_000],
      [1 << 20, 1],
    ] as const) {
      const fetched = await fetchOne(client, { topic, partitionMaxBytes }, { maxBytes });
      expect(baseOffsets(fetched.records)).toEqual([0]);
    }
  });

  test('as many whole batches as partitionMaxBytes holds', async () => {
    const topic = await server.topic(client);
    for (let i = 0; i < 4; i++) await produce(client, topic, batch([new Uint8Array(1_000)]));
    const { sizeBytes } = batchesIn((await fetchOne(client, { topic })).records)[0] ?? { sizeBytes: 0 };
    const within = (partitionMaxBytes: number) => fetchOne(client, { topic, partitionMaxBytes });
    expect(baseOffsets((await within(2 * sizeBytes)).records)).toEqual([0, 1]);
    expect(baseOffsets((await within(3 * sizeBytes - 1)).records)).toEqual([0, 1]);
  });

  test('maxBytes is one budget for all partitions, spent in request order', async () => {
    const topic = await server.topic(client, { partitions: 4 });
    const sent = batch([new Uint8Array(1_000)]);
    for (let partition = 0; partition < 4; partition++) await produce(client, topic, sent, { partition });
    const all = async (order: number[], maxBytes: number) => {
      const wanted = order.map((partition) => ({ topic, partition }));
      const fetched = await fetchAll(client, wanted, { maxBytes });
      return fetched.map(({ partitionIndex, records }) => [partitionIndex, batchesIn(records).length]);
    };
    const has = (order: number[], counts: number[]) => order.map((partition, at) => [partition, counts[at]]);
    expect(await all([0, 1, 2, 3], 4 * sent.length)).toEqual(has([0, 1, 2, 3], [1, 1, 1, 1]));
    expect(await all([2, 0, 3, 1], 2 * sent.length)).toEqual(has([2, 0, 3, 1], [1, 1, 0, 0]));
    // The first partition that has data gives a whole batch, the others fill what is left.
    expect(await all([3, 1], 1)).toEqual(has([3, 1], [1, 0]));
  });

  test('an offset at the end is empty, one beyond is out of range', async () => {
    const topic = await server.topic(client);
    await produce(client, topic, batch(['a', 'b']));
    const atEnd = await fetchOne(client, { topic, fetchOffset: 2 });
    expect([atEnd.errorCode, atEnd.records?.length]).toEqual([0, 0]);
    for (const fetchOffset of [3, -1, 2 ** 40]) {
      const beyond = await fetchOne(client, { topic, fetchOffset });
      expect([beyond.errorCode, beyond.highWatermark]).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE, 2]);
    }
  });

  test('unknown topics and partitions', async () => {
    const topic = await server.topic(client);
    const code = async (wanted: { topic: typeof topic; partition?: number }, version: number) =>
      (await fetchOne(client, wanted, { version, maxWaitMs: LONG_MS })).errorCode;
    expect(await code({ topic: NOBODY }, 12)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await code({ topic: NOBODY }, 13)).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
    expect(await code({ topic, partition: 1 }, 13)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await code({ topic, partition: -1 }, 12)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('leader epochs', async () => {
    const topic = await server.topic(client);
    await produce(client, topic, batch(['a']));
    const code = async (epochs: object) => (await fetchOne(client, { topic, ...epochs })).errorCode;
    expect(await code({ currentLeaderEpoch: 0 })).toBe(0);
    expect(await code({ currentLeaderEpoch: 1 })).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH);
    expect(await code({ lastFetchedEpoch: 3 })).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
    const beyond = await fetchOne(client, { topic, fetchOffset: 2, lastFetchedEpoch: 0 });
    expect(beyond.divergingEpoch).toEqual({ epoch: 0, endOffset: 1 });
    expect(
      (await fetchOne(client, { topic, fetchOffset: 1, lastFetchedEpoch: 0 })).divergingEpoch.epoch,
    ).toBe(-1);
  });

  test.each([0, 1])(
    'isolation level %i: all is decided where nothing is transactional',
    async (isolationLevel) => {
      const topic = await server.topic(client);
      await produce(client, topic, batch(['a', 'b']));
      const fetched = await fetchOne(client, { topic }, { isolationLevel });
      expect([baseOffsets(fetched.records), fetched.lastStableOffset]).toEqual([[0], 2]);
    },
  );

  test('a request for nothing is answered at once', async () => {
    const response = await client.send(fetchApi, 12, fetchBody([], { maxWaitMs: LONG_MS }));
    expect(response.responses).toEqual([]);
  });
});

describe('long poll', () => {
  test('wakes when data comes', async () => {
    const topic = await server.topic(client, { partitions: 2 });
    const before = fetches();
    const wanted = [0, 1].map((partition) => ({ topic, partition }));
    const waiting = fetchAll(client, wanted, { maxWaitMs: LONG_MS });
    await started(before);
    await produce(producer, topic, batch(['news']), { partition: 1 });
    expect((await waiting).map(({ records }) => batchesIn(records).length)).toEqual([0, 1]);
  });

  test('wakes every reader of a partition, and nobody else', async () => {
    const [topic, quiet] = [await server.topic(client), await server.topic(client)];
    const readers = await Promise.all([server.client(), server.client(), server.client()]);
    const before = fetches();
    const waiting = readers.map((reader) => fetchOne(reader, { topic }, { maxWaitMs: LONG_MS }));
    const asleep = await server.client();
    let woken = false;
    const sleeping = fetchOne(asleep, { topic: quiet }, { maxWaitMs: LONG_MS }).then(
      () => (woken = true),
      () => undefined,
    );
    await started(before, 4);
    await produce(producer, topic, batch(['news']));
    expect((await Promise.all(waiting)).map(({ records }) => baseOffsets(records))).toEqual([[0], [0], [0]]);
    expect(woken).toBe(false);
    asleep.destroy();
    await sleeping;
  });

  test('is empty when the time is up', async () => {
    const topic = await server.topic(client);
    const fetched = await fetchOne(client, { topic }, { maxWaitMs: 20 });
    expect([fetched.errorCode, fetched.records?.length, fetched.highWatermark]).toEqual([0, 0, 0]);
  });

  test('waits until minBytes have come, over several batches', async () => {
    const topic = await server.topic(client);
    const sent = batch([new Uint8Array(1_000)]);
    await produce(producer, topic, sent);
    const before = fetches();
    const waiting = fetchOne(client, { topic }, { maxWaitMs: LONG_MS, minBytes: 3 * sent.length });
    let answered = false;
    void waiting.then(() => (answered = true));
    await started(before);
    await produce(producer, topic, sent);
    expect(answered).toBe(false);
    await produce(producer, topic, sent);
    expect(baseOffsets((await waiting).records)).toEqual([0, 1, 2]);
  });

  test('counts what has come to all partitions together', async () => {
    const topic = await server.topic(client, { partitions: 3 });
    const sent = batch([new Uint8Array(1_000)]);
    const before = fetches();
    const wanted = [0, 1, 2].map((partition) => ({ topic, partition }));
    const waiting = fetchAll(client, wanted, { maxWaitMs: LONG_MS, minBytes: 4 * sent.length });
    let answered = false;
    void waiting.then(() => (answered = true));
    await started(before);
    for (const partition of [2, 0, 2]) await produce(producer, topic, sent, { partition });
    expect(answered).toBe(false);
    await produce(producer, topic, sent, { partition: 1 });
    expect((await waiting).map(({ records }) => batchesIn(records).length)).toEqual([1, 1, 2]);
  });

  test('what came before minBytes were there is given in full, once they are or time is up', async () => {
    const topic = await server.topic(client, { partitions: 2 });
    const sent = batch([new Uint8Array(1_000)]);
    const wanted = [0, 1].map((partition) => ({ topic, partition, partitionMaxBytes: 3 * sent.length }));
    const bounds = { minBytes: 4 * sent.length, maxBytes: 4 * sent.length };
    const before = fetches();
    const waiting = fetchAll(client, wanted, { ...bounds, maxWaitMs: LONG_MS });
    await started(before);
    for (const partition of [0, 0, 0, 0, 1]) await produce(producer, topic, sent, { partition });
    expect((await waiting).map(({ records }) => batchesIn(records).length)).toEqual([3, 1]);
    const alone = [
      { topic, partition: 0, fetchOffset: 3 },
      { topic, partition: 1 },
    ];
    const rest = await fetchAll(client, alone, { ...bounds, maxWaitMs: 20 });
    expect(rest.map(({ records }) => batchesIn(records).length)).toEqual([1, 1]);
  });

  test('gives what there is when the time is up before minBytes are there', async () => {
    const topic = await server.topic(client);
    await produce(producer, topic, batch(['little']));
    const fetched = await fetchOne(client, { topic }, { maxWaitMs: 20, minBytes: 1_000_000 });
    expect(baseOffsets(fetched.records)).toEqual([0]);
  });

  test('an error ends the wait of all partitions', async () => {
    const topic = await server.topic(client);
    const [empty, unknown] = await fetchAll(client, [{ topic }, { topic, partition: 7 }], {
      maxWaitMs: LONG_MS,
    });
    expect([empty?.errorCode, unknown?.errorCode]).toEqual([0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
  });

  test('answers stay in order behind one that waits', async () => {
    const topic = await server.topic(client);
    const before = fetches();
    const waiting = fetchOne(client, { topic }, { maxWaitMs: LONG_MS });
    const behind = fetchOne(client, { topic: NOBODY });
    await started(before, 2);
    await produce(producer, topic, batch(['news']));
    expect((await waiting).records?.length).toBeGreaterThan(0);
    expect((await behind).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('a topic that is deleted meanwhile wakes its readers', async () => {
    const topic = await server.topic(client);
    await produce(producer, topic, batch(['a']));
    const before = fetches();
    const waiting = fetchOne(client, { topic, fetchOffset: 1 }, { maxWaitMs: LONG_MS });
    await started(before);
    await server.deleteTopic(producer, topic);
    expect((await waiting).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });
});
