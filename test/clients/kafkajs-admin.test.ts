import { ConfigResourceTypes, ConfigSource } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { PLACES, useBroker } from './fixture.ts';
import { connectAdmin, connectProducer, createTopic, errorsOf, readTopic } from './kafkajs.ts';

describe.each(PLACES)('kafkajs admin, on $home over $door', ({ home, door }) => {
  const broker = useBroker(home, {}, door);

  test('sees one broker, at the address it came in on', async () => {
    const admin = await connectAdmin(broker);
    const cluster = await admin.describeCluster();
    expect(cluster.brokers).toEqual([{ nodeId: 1, host: '127.0.0.1', port: broker.port }]);
    expect(cluster.controller).toBe(1);
    expect(cluster.clusterId).toMatch(/^[\w-]{22}$/);
  });

  test('creates topics with partitions and settings', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, {
      partitions: 3,
      configs: { 'cleanup.policy': 'compact', 'retention.ms': '3600000' },
    });
    expect(await admin.listTopics()).toContain(topic);
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]?.name).toBe(topic);
    expect(topics[0]?.partitions.toSorted((a, b) => a.partitionId - b.partitionId)).toMatchObject(
      [0, 1, 2].map((partitionId) => ({ partitionId, leader: 1, replicas: [1], isr: [1] })),
    );
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [
        { type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['cleanup.policy', 'retention.ms'] },
      ],
    });
    expect(
      resources[0]?.configEntries.toSorted((a, b) => (a.configName < b.configName ? -1 : 1)),
    ).toMatchObject([
      { configName: 'cleanup.policy', configValue: 'compact', configSource: ConfigSource.TOPIC_CONFIG },
      { configName: 'retention.ms', configValue: '3600000', configSource: ConfigSource.TOPIC_CONFIG },
    ]);
  });

  test('adds partitions, and never takes one away', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
    expect((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions).toHaveLength(4);
    const fewer = admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
    expect(await errorsOf(fewer)).toEqual(['INVALID_PARTITIONS']);
  });

  test('a topic made again under its name has a new id and no records', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const firstId = broker.topicId(topic);
    const producer = await connectProducer(broker);
    await producer.send({ topic, messages: [{ value: 'before' }, { value: 'before too' }] });
    await admin.deleteTopics({ topics: [topic] });
    expect(await admin.listTopics()).not.toContain(topic);
    await admin.createTopics({ topics: [{ topic }] });
    expect(broker.topicId(topic)).not.toBe(firstId);
    expect(await admin.fetchTopicOffsets(topic)).toEqual([
      { partition: 0, offset: '0', high: '0', low: '0' },
    ]);
    await producer.send({ topic, messages: [{ value: 'after' }] });
    expect(await readTopic(broker, topic, 1)).toMatchObject([{ offset: 0, value: 'after' }]);
  });
});

describe('kafkajs admin', () => {
  const broker = useBroker();

  test('creating a topic that is there says so and changes nothing', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { partitions: 2 });
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 5 }] })).toBe(false);
    expect((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions).toHaveLength(2);
  });

  test('validateOnly creates nothing', async () => {
    const admin = await connectAdmin(broker);
    const topic = broker.name('topic');
    expect(await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic }] })).toBe(
      true,
    );
    expect(await admin.listTopics()).not.toContain(topic);
  });

  test.each([
    ['a name with a slash', { topic: 'a/b' }, 'INVALID_TOPIC_EXCEPTION'],
    ['more replicas than brokers', { topic: 'replicas', replicationFactor: 2 }, 'INVALID_REPLICATION_FACTOR'],
    ['no partitions', { topic: 'none', numPartitions: 0 }, 'INVALID_PARTITIONS'],
    [
      'a bad setting',
      { topic: 'setting', configEntries: [{ name: 'retention.ms', value: 'long' }] },
      'INVALID_CONFIG',
    ],
  ])('refuses %s', async (_, topic, type) => {
    const admin = await connectAdmin(broker);
    expect(await errorsOf(admin.createTopics({ topics: [topic] }))).toEqual([type]);
    expect(await admin.listTopics()).not.toContain(topic.topic);
  });

  test('what is not there cannot be deleted or described', async () => {
    const admin = await connectAdmin(broker);
    const topic = broker.name('absent');
    const described = admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    expect(await errorsOf(described)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION']);
    expect(await errorsOf(admin.deleteTopics({ topics: [topic] }))).toEqual(['UNKNOWN_TOPIC_OR_PARTITION']);
  });

  test('describes the broker: what was set, and what Kafka would say without', async () => {
    const admin = await connectAdmin(broker);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ type: ConfigResourceTypes.BROKER, name: '1' }],
    });
    const entries = new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry]));
    expect(entries.get('offsets.topic.num.partitions')).toMatchObject({
      configValue: '4',
      configSource: ConfigSource.STATIC_BROKER_CONFIG,
    });
    expect(entries.get('log.retention.ms')).toBeDefined();
    expect(entries.get('message.max.bytes')).toMatchObject({
      configValue: '1048588',
      configSource: ConfigSource.DEFAULT_CONFIG,
    });
  });

  test('all settings of a topic are described, with their synonyms', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    const entries = resources[0]?.configEntries ?? [];
    expect(entries.length).toBeGreaterThan(20);
    expect(entries.find(({ configName }) => configName === 'max.message.bytes')).toMatchObject({
      configValue: '1048588',
      isDefault: true,
      configSynonyms: [{ configName: 'message.max.bytes', configValue: '1048588' }],
    });
  });

  test('topics appear when a producer asks for them, unless it asks not to', async () => {
    const producer = await connectProducer(broker);
    const topic = broker.name('auto');
    await producer.send({ topic, messages: [{ value: 'first' }] });
    expect(await readTopic(broker, topic, 1)).toMatchObject([{ value: 'first' }]);

    const strict = await connectProducer(broker, { allowAutoTopicCreation: false });
    const absent = broker.name('absent');
    const sent = strict.send({ topic: absent, messages: [{ value: 'lost' }] });
    expect(await errorsOf(sent)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION']);
    expect(broker.topicId(absent)).toBeUndefined();
  });

  test('replaces the settings of a topic; what is refused leaves them', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { configs: { 'segment.ms': '7' } });
    const replace = (values: Record<string, string>, validateOnly = false) => {
      const configEntries = Object.entries(values).map(([name, value]) => ({ name, value }));
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }];
      return admin.alterConfigs({ validateOnly, resources });
    };
    const own = async () => {
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }];
      const described = await admin.describeConfigs({ includeSynonyms: false, resources });
      const set = described.resources[0]?.configEntries.filter(({ isDefault }) => !isDefault) ?? [];
      return Object.fromEntries(set.map(({ configName, configValue }) => [configName, configValue]));
    };
    await replace({ 'max.message.bytes': '1' }, true);
    expect(await own()).toEqual({ 'segment.ms': '7' });
    await replace({ 'retention.ms': '5000', 'max.message.bytes': '100' });
    expect(await own()).toEqual({ 'retention.ms': '5000', 'max.message.bytes': '100' });
    const producer = await connectProducer(broker);
    const large = producer.send({ topic, messages: [{ value: 'x'.repeat(200) }] });
    expect(await errorsOf(large)).toEqual(['MESSAGE_TOO_LARGE']);
    expect(await errorsOf(replace({ 'retention.ms': '-2' }))).toEqual(['INVALID_CONFIG']);
    expect(await errorsOf(replace({ 'no.such': '1' }))).toEqual(['INVALID_CONFIG']);
    expect(await own()).toEqual({ 'retention.ms': '5000', 'max.message.bytes': '100' });
  });
});
