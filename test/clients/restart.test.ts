import { ConfigResourceTypes } from 'kafkajs';
import { beforeEach, describe, expect, test } from 'vitest';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { brokerForTest, type ClientBroker, type PlainRecord, RESTARTS } from './fixture.ts';
import { Group, connectAdmin, connectProducer, createTopic, readTopic } from './kafkajs.ts';
import { Line } from './line.ts';

const CONFIGS = { 'cleanup.policy': 'compact', 'segment.bytes': '1048576' };

let broker: ClientBroker;
beforeEach(async () => {
  broker = await brokerForTest('files');
});

describe.each(RESTARTS)('after %s', (_, restart) => {
  test('topics, their ids, settings and records are there', async () => {
    const before = await connectAdmin(broker);
    const topic = await createTopic(before, broker, { partitions: 2, configs: CONFIGS });
    const deleted = await createTopic(before, broker);
    const topicId = broker.topicId(topic);
    const { clusterId } = await before.describeCluster();
    const producer = await connectProducer(broker);
    const messages = Array.from({ length: 50 }, (__, index) => ({
      key: `k${index}`,
      value: index % 9 === 0 ? null : `value ${index}`,
      headers: { index: String(index) },
    }));
    for (const message of messages) await producer.send({ topic, messages: [message] });
    await before.deleteTopics({ topics: [deleted] });
    const read = await readTopic(broker, topic, 50);
    const offsets = await before.fetchTopicOffsets(topic);

    await restart(broker);
    const admin = await connectAdmin(broker);
    expect(broker.topicId(topic)).toBe(topicId);
    expect((await admin.describeCluster()).clusterId).toBe(clusterId);
    expect(await admin.listTopics()).not.toContain(deleted);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: Object.keys(CONFIGS) }],
    });
    const described = resources[0]?.configEntries.map(({ configName, configValue }) => [
      configName,
      configValue,
    ]);
    expect(Object.fromEntries(described ?? [])).toEqual(CONFIGS);
    expect(new Set(await admin.fetchTopicOffsets(topic))).toEqual(new Set(offsets));
    const byPlace = (records: PlainRecord[]) =>
      new Map(records.map((record) => [`${record.partition}/${record.offset}`, record]));
    expect(byPlace(await readTopic(broker, topic, 50))).toEqual(byPlace(read));
  });

  test('a topic of many segments is read whole, and by time', async () => {
    const before = await connectAdmin(broker);
    const topic = await createTopic(before, broker, { configs: { 'segment.bytes': '1048576' } });
    const producer = await connectProducer(broker);
    const startMs = 1_700_000_000_000;
    const sends = 40;
    for (let index = 0; index < sends; index++) {
      const timestamp = String(startMs + index * 1_000);
      const value = `${index} `.padEnd(25_000, 'x');
      await producer.send({ topic, messages: Array.from({ length: 4 }, () => ({ value, timestamp })) });
    }

    await restart(broker);
    const admin = await connectAdmin(broker);
    for (let index = 0; index < sends; index += 7) {
      const found = await admin.fetchTopicOffsetsByTimestamp(topic, startMs + index * 1_000 - 500);
      expect(found).toEqual([{ partition: 0, offset: String(index * 4) }]);
    }
    const records = await readTopic(broker, topic, sends * 4);
    expect(records.map(({ offset, value }) => [offset, parseInt(value ?? '', 10)])).toEqual(
      Array.from({ length: sends * 4 }, (__, offset) => [offset, Math.floor(offset / 4)]),
    );
  });

  test('a group goes on where it committed, and so do members that never noticed', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker, { partitions: 2 });
    const line = new Line(broker);
    const producer = await connectProducer(broker, { idempotent: true, patient: true }, line);
    const gone = new Group(broker, topic);
    const member = await gone.join();
    const staying = new Group(broker, topic);
    await staying.join({ line: new Line(broker), patient: true });
    const both = (value: string) =>
      [0, 1].map((partition) => ({ partition, value: `${value} ${partition}` }));
    await producer.send({ topic, messages: both('before') });
    await Promise.all([gone.seen(2), staying.seen(2)]);
    await gone.leave(member);

    await restart(broker);
    await producer.send({ topic, messages: both('after') });
    const values = (await staying.seen(4)).map(({ value }) => value);
    expect(new Set(values)).toEqual(new Set(['before 0', 'before 1', 'after 0', 'after 1']));
    const again = new Group(broker, topic, gone.groupId);
    await again.join();
    const resumed = (await again.seen(2)).map(({ value }) => value);
    expect(new Set(resumed)).toEqual(new Set(['after 0', 'after 1']));
  });

  test('an idempotent producer repeats what it has no answer to, and the log knows it', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const line = new Line(broker);
    const producer = await connectProducer(broker, { idempotent: true, patient: true }, line);
    await producer.send({ topic, messages: [{ value: 'first' }] });
    const answerLost = line.cutAtNextAnswer();
    const unanswered = producer.send({ topic, messages: [{ value: 'second' }] });
    await answerLost;
    await restart(broker);
    line.mend();
    expect(await unanswered).toMatchObject([{ baseOffset: '1' }]);
    expect(broker.requests(produceApi.key)).toBe(1);
    await producer.send({ topic, messages: [{ value: 'third' }] });
    const records = await readTopic(broker, topic, 3);
    expect(records.map(({ value }) => value)).toEqual(['first', 'second', 'third']);
  });
});
