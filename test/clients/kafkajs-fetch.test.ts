import type { Batch, ConsumerConfig } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { Changes, type ClientBroker, PLACES, eventually, useBroker } from './fixture.ts';
import { Group, connectAdmin, connectConsumer, connectProducer, createTopic, readTopic } from './kafkajs.ts';
import { Line } from './line.ts';

/** Longer than a test may take: who waits this long was not woken. */
const FOR_EVER_MS = 600_000;

/** A consumer that keeps whole batches, as they were fetched. */
async function readBatches(broker: ClientBroker, topic: string, config: Omit<ConsumerConfig, 'groupId'>) {
  const line = new Line(broker);
  const groupId = broker.name('group');
  const consumer = await connectConsumer(broker, { groupId, retry: { retries: 0 }, ...config }, line);
  const batches: Batch[] = [];
  const changes = new Changes();
  const fetchesBefore = broker.requests(fetchApi.key);
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      batches.push(batch);
      changes.changed();
    },
  });
  return {
    batches,
    line,
    /** Resolves when it has asked for records and the broker lets it wait. */
    parked: () => eventually(() => broker.requests(fetchApi.key) > fetchesBefore),
    batch: async (at: number) => {
      await changes.until(() => batches.length > at);
      return batches[at] as Batch;
    },
  };
}

function values({ messages }: Batch): (string | undefined)[] {
  return messages.map(({ value }) => value?.toString());
}

describe.each(PLACES)('kafkajs fetches, on $home over $door', ({ home, door }) => {
  const broker = useBroker(home, {}, door);

  test('a fetch that waits is answered as soon as there is something', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    const reader = await readBatches(broker, topic, { maxWaitTimeInMs: FOR_EVER_MS });
    await reader.parked();
    expect(reader.batches).toEqual([]);
    await producer.send({ topic, messages: [{ value: 'wake up' }] });
    expect(values(await reader.batch(0))).toEqual(['wake up']);
    reader.line.cut();
  });

  test('and not before there is as much as it asked for', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    const reader = await readBatches(broker, topic, { maxWaitTimeInMs: FOR_EVER_MS, minBytes: 1_000 });
    await reader.parked();
    await producer.send({ topic, messages: [{ value: 'too little' }] });
    await producer.send({ topic, messages: [{ value: 'still too little' }] });
    await producer.send({ topic, messages: [{ value: 'x'.repeat(1_000) }] });
    expect(values(await reader.batch(0))).toEqual(['too little', 'still too little', 'x'.repeat(1_000)]);
    reader.line.cut();
  });

  test('a batch larger than a reader allows still comes', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { partitions: 3 });
    const producer = await connectProducer(broker);
    for (let index = 0; index < 12; index++)
      await producer.send({ topic, messages: [{ partition: index % 3, value: 'x'.repeat(10_000 + index) }] });
    const group = new Group(broker, topic);
    await group.join({ maxBytes: 100, maxBytesPerPartition: 50 });
    const sizes = (await group.seen(12)).map(({ value }) => value?.length);
    expect(new Set(sizes)).toEqual(new Set(Array.from({ length: 12 }, (_, index) => 10_000 + index)));
  });

  test('a reader that begins within a batch gets the records from there', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    await producer.send({ topic, messages: Array.from({ length: 50 }, (_, at) => ({ value: String(at) })) });
    const group = new Group(broker, topic);
    const member = await group.join();
    await group.seen(50);
    member.records.length = 0;
    member.consumer.seek({ topic, partition: 0, offset: '37' });
    const records = await group.seen(13);
    expect(records.map(({ offset }) => offset)).toEqual(Array.from({ length: 13 }, (_, at) => 37 + at));
  });
});

describe('kafkajs fetches', () => {
  const broker = useBroker();

  test('pause, resume', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker, { partitions: 2 });
    const producer = await connectProducer(broker);
    const group = new Group(broker, topic);
    const member = await group.join();
    await group.shared(2);
    member.consumer.pause([{ topic, partitions: [0] }]);
    await producer.send({ topic, messages: [{ partition: 0, value: 'held back' }] });
    await producer.send({ topic, messages: [{ partition: 1, value: 'through' }] });
    expect((await group.seen(1)).map(({ value }) => value)).toEqual(['through']);
    member.consumer.resume([{ topic, partitions: [0] }]);
    expect((await group.seen(2)).map(({ value }) => value)).toEqual(['through', 'held back']);
  });

  test('an offset beyond the end is answered with where to begin again', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    await producer.send({ topic, messages: [{ value: 'first' }, { value: 'second' }] });
    const group = new Group(broker, topic);
    const member = await group.join();
    await group.seen(2);
    member.records.length = 0;
    member.consumer.seek({ topic, partition: 0, offset: '1000' });
    expect((await group.seen(2)).map(({ value }) => value)).toEqual(['first', 'second']);
  });

  test('readers of many partitions see each partition in order', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker, { partitions: 5 });
    const producer = await connectProducer(broker);
    for (let round = 0; round < 10; round++) {
      const messages = Array.from({ length: 20 }, (_, at) => ({ key: `k${at}`, value: `${round}` }));
      await producer.send({ topic, messages });
    }
    const records = await readTopic(broker, topic, 200);
    const rounds = Map.groupBy(records, ({ key }) => key);
    expect(rounds.size).toBe(20);
    for (const [, of] of rounds)
      expect(of.map(({ value }) => Number(value))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('a reader that waits does not hold up another on its connection, nor an admin', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const other = await createTopic(admin, broker);
    const waiting = await readBatches(broker, topic, { maxWaitTimeInMs: FOR_EVER_MS });
    await waiting.parked();
    const producer = await connectProducer(broker);
    await producer.send({ topic: other, messages: [{ value: 'elsewhere' }] });
    expect(await readTopic(broker, other, 1)).toMatchObject([{ value: 'elsewhere' }]);
    expect(waiting.batches).toEqual([]);
    waiting.line.cut();
  });

  test('a topic that is deleted under a waiting reader lets it go', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const reader = await readBatches(broker, topic, { maxWaitTimeInMs: FOR_EVER_MS });
    await reader.parked();
    const fetches = broker.requests(fetchApi.key);
    await admin.deleteTopics({ topics: [topic] });
    await admin.createTopics({ topics: [{ topic }] });
    await eventually(() => broker.requests(fetchApi.key) > fetches);
    expect(reader.batches).toEqual([]);
    reader.line.cut();
  });
});
