import { describe, expect, test } from 'vitest';
import { HOMES, useBroker } from './fixture.ts';
import { createTopic, errorsOf, newAdmin, newConsumer, newProducer, readTopic } from './platformatic.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

function records(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${index % 7}`,
    value: `${index} `.repeat(100),
    headers: { index: String(index) },
  }));
}

function toProduce(topic: string, { key, value, headers }: ReturnType<typeof records>[number]) {
  return {
    topic,
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
  };
}

/** As Kafka prints an id; this client prints it with dashes. */
function kafkaUuid(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
}

describe.each(HOMES)('@platformatic/kafka, on %s', (home) => {
  const broker = useBroker(home);

  test.each(CODECS)('produces and reads %s', async (compression) => {
    const topic = await createTopic(broker);
    const producer = newProducer(broker, { compression });
    const sent = records(300);
    const { offsets } = await producer.send({ messages: sent.map((record) => toProduce(topic, record)) });
    expect(offsets).toEqual([{ topic, partition: 0, offset: 0n }]);
    expect(await readTopic(broker, topic, 300)).toEqual(
      sent.map((record, offset) => ({ ...record, partition: 0, offset })),
    );
  });

  test('an idempotent producer numbers its batches', async () => {
    const topic = await createTopic(broker);
    const producer = newProducer(broker, { idempotent: true });
    for (const record of records(20)) await producer.send({ messages: [toProduce(topic, record)] });
    expect(producer.producerId).toBeGreaterThanOrEqual(0n);
    const read = await readTopic(broker, topic, 20);
    expect(read.map(({ offset, headers }) => [offset, headers['index']])).toEqual(
      Array.from({ length: 20 }, (_, index) => [index, String(index)]),
    );
  });

  test('keys and values that are not there, or empty', async () => {
    const topic = await createTopic(broker);
    const empty = Buffer.alloc(0);
    await newProducer(broker).send({
      messages: [
        { topic, value: Buffer.from('no key') },
        { topic, key: Buffer.from('no value') },
        { topic, key: empty, value: empty },
      ],
    });
    const read = await readTopic(broker, topic, 3);
    expect(read.map(({ key, value }) => [key, value])).toEqual([
      [null, 'no key'],
      ['no value', null],
      ['', ''],
    ]);
  });
});

describe('@platformatic/kafka', () => {
  const broker = useBroker();

  test('acks 0, 1 and all', async () => {
    const topic = await createTopic(broker);
    const producer = newProducer(broker);
    for (const acks of [0, 1, -1]) {
      await producer.send({ acks, messages: [{ topic, value: Buffer.from(String(acks)) }] });
    }
    expect((await readTopic(broker, topic, 3)).map(({ value }) => value)).toEqual(['0', '1', '-1']);
  });

  test('many sends at once, each with its offset', async () => {
    const topic = await createTopic(broker);
    const producer = newProducer(broker);
    const results = await Promise.all(
      records(50).map((record) => producer.send({ messages: [toProduce(topic, record)] })),
    );
    expect(results.map(({ offsets }) => offsets?.[0]?.offset)).toEqual(
      Array.from({ length: 50 }, (_, index) => BigInt(index)),
    );
  });

  test('offsets by time', async () => {
    const topic = await createTopic(broker);
    const admin = newAdmin(broker);
    const producer = newProducer(broker);
    const startMs = 1_700_000_000_000n;
    // The latest is in the middle.
    for (const at of [0n, 100n, 300n, 200n]) {
      await producer.send({ messages: [{ topic, value: Buffer.from('v'), timestamp: startMs + at }] });
    }
    const consumer = newConsumer(broker, broker.name('group'));
    const lookUp = async (timestamp: bigint) => {
      const found = await consumer.listOffsetsWithTimestamps({ topics: [topic], timestamp });
      const { offset, timestamp: foundAt } = found.get(topic)?.get(0) ?? {};
      return [offset, foundAt];
    };
    expect(await lookUp(startMs)).toEqual([0n, startMs]);
    expect(await lookUp(startMs + 150n)).toEqual([2n, startMs + 300n]);
    expect(await lookUp(startMs + 301n)).toEqual([-1n, -1n]);
    expect(await lookUp(-1n)).toEqual([4n, -1n]);
    expect(await lookUp(-2n)).toEqual([0n, -1n]);
    const latest = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -3n }] }];
    expect(await admin.listOffsets({ topics: latest })).toMatchObject([
      { name: topic, partitions: [{ partitionIndex: 0, offset: 2n, timestamp: startMs + 300n }] },
    ]);
  });

  test('admin: topics', async () => {
    const admin = newAdmin(broker);
    const topic = broker.name('topic');
    const [created] = await admin.createTopics({
      topics: [topic],
      partitions: 2,
      replicas: 1,
      configs: [{ name: 'cleanup.policy', value: 'compact' }],
    });
    expect(created).toMatchObject({ name: topic, partitions: 2, replicas: 1 });
    expect(kafkaUuid(created?.id ?? '')).toBe(broker.topicId(topic));
    expect(created?.configuration['cleanup.policy']).toBe('compact');
    expect(await admin.listTopics()).toContain(topic);
    expect(await errorsOf(admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 }))).toEqual([
      'TOPIC_ALREADY_EXISTS',
    ]);
    await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: [{ brokerIds: [1] }] }] });
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true });
    expect(metadata.topics.get(topic)).toMatchObject({ id: created?.id, partitionsCount: 3 });
    expect(metadata.brokers.get(1)).toMatchObject({ host: '127.0.0.1', port: broker.port });
    const [described] = await admin.describeConfigs({
      resources: [{ resourceType: 2, resourceName: topic, configurationKeys: ['cleanup.policy'] }],
    });
    expect(described?.configs).toMatchObject([{ name: 'cleanup.policy', value: 'compact', configSource: 1 }]);
    await admin.deleteTopics({ topics: [topic] });
    expect(await admin.listTopics()).not.toContain(topic);
    expect(await errorsOf(admin.deleteTopics({ topics: [topic] }))).toEqual(['UNKNOWN_TOPIC_OR_PARTITION']);
  });

  test('a consumer without a stream: fetch, commit, look up', async () => {
    const topic = broker.name('topic');
    const [created] = await newAdmin(broker).createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    await newProducer(broker).send({ messages: records(3).map((record) => toProduce(topic, record)) });
    const consumer = newConsumer(broker, broker.name('group'));
    const fetched = await consumer.fetch({
      node: 1,
      topics: [
        {
          topicId: created?.id ?? '',
          partitions: [
            {
              partition: 0,
              currentLeaderEpoch: -1,
              fetchOffset: 1n,
              lastFetchedEpoch: -1,
              partitionMaxBytes: 1,
            },
          ],
        },
      ],
    });
    const [batch] = fetched.responses[0]?.partitions[0]?.records ?? [];
    expect(batch?.records).toHaveLength(3);
    consumer.topics.track(topic);
    await consumer.joinGroup();
    await consumer.commit({ offsets: [{ topic, partition: 0, offset: 2n, leaderEpoch: 0 }] });
    const committed = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0] }] });
    expect(committed.get(topic)).toEqual([2n]);
  });

  test('a record above max.message.bytes is refused', async () => {
    const topic = await createTopic(broker);
    const producer = newProducer(broker);
    const send = (bytes: number) => producer.send({ messages: [{ topic, value: Buffer.alloc(bytes, 'x') }] });
    expect(await errorsOf(send(1_048_588))).toEqual(['MESSAGE_TOO_LARGE']);
    expect(await errorsOf(send(1_048_000))).toEqual([]);
  });

  test('quotas: set, described, removed', async () => {
    const admin = newAdmin(broker);
    const entities = [{ entityType: 'client-id' as const, entityName: 'platformatic' }];
    const key = 'producer_byte_rate' as const;
    const alter = (op: { key: typeof key; value: number; remove: boolean }) =>
      admin.alterClientQuotas({ entries: [{ entities, ops: [op] }], validateOnly: false });
    const components = [{ entityType: 'client-id' as const, matchType: 0 as const, match: 'platformatic' }];
    await alter({ key, value: 1024, remove: false });
    expect(await admin.describeClientQuotas({ components, strict: true })).toEqual([
      { entity: entities, values: [{ key, value: 1024 }] },
    ]);
    await alter({ key, value: 0, remove: true });
    expect(await admin.describeClientQuotas({ components, strict: true })).toEqual([]);
  });
});
