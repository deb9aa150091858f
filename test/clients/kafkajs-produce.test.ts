import { randomBytes } from 'node:crypto';
import { CompressionTypes, type Message } from 'kafkajs';
import { beforeAll, describe, expect, test } from 'vitest';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { PLACES, sortedValues, useBroker } from './fixture.ts';
import { KAFKAJS_CODECS, registerCodecs, writeSnappyAs } from './kafkajs-codecs.ts';
import { connectAdmin, connectProducer, createTopic, errorsOf, readTopic } from './kafkajs.ts';
import { Line } from './line.ts';

const MAX_MESSAGE_BYTES = 1_048_588;
/** A batch header, and the lengths around one value of a megabyte without key or headers. */
const ONE_RECORD_OVERHEAD = 61 + 11;

beforeAll(registerCodecs);

/** Messages that compress, with keys and headers, larger together than one xerial block. */
function messages(count: number): Message[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${index % 7}`,
    value: `${index} `.repeat(100),
    headers: { index: String(index) },
  }));
}

describe.each(PLACES)('kafkajs produces, on $home over $door', ({ home, door }) => {
  const broker = useBroker(home, {}, door);

  test.each([1, -1])('with acks %i', async (acks) => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    const first = await producer.send({ topic, acks, messages: [{ value: 'a' }, { value: 'b' }] });
    expect(first).toMatchObject([{ topicName: topic, partition: 0, errorCode: 0, baseOffset: '0' }]);
    const second = await producer.send({ topic, acks, messages: [{ value: 'c' }] });
    expect(second).toMatchObject([{ baseOffset: '2' }]);
    const records = await readTopic(broker, topic, 3);
    expect(records).toMatchObject(['a', 'b', 'c'].map((value, offset) => ({ offset, value })));
  });

  test('without acks, and what it sent before it left arrives', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    const sent = Array.from({ length: 20 }, (_, index) => ({ value: String(index) }));
    for (const message of sent) await producer.send({ topic, acks: 0, messages: [message] });
    await producer.disconnect();
    expect(await readTopic(broker, topic, 20)).toMatchObject(sent);
  });

  test('keys, values and headers of every shape', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    await producer.send({
      topic,
      messages: [
        { key: 'key', value: 'value' },
        { key: null, value: 'no key' },
        { key: 'tombstone', value: null },
        { key: '', value: '' },
        { value: 'ünï✓', headers: { one: '1', buffer: Buffer.from('2'), empty: '' } },
        { key: Buffer.from([0xff, 0]), value: Buffer.from([0, 0xfe]) },
      ],
    });
    const records = await readTopic(broker, topic, 6);
    expect(records.map(({ key, value, headers }) => [key, value, headers])).toEqual([
      ['key', 'value', {}],
      [null, 'no key', {}],
      ['tombstone', null, {}],
      ['', '', {}],
      [null, 'ünï✓', { one: '1', buffer: '2', empty: '' }],
      [Buffer.from([0xff, 0]).toString(), Buffer.from([0, 0xfe]).toString(), {}],
    ]);
  });

  test.each(KAFKAJS_CODECS)('compressed with %s', async (_, compression) => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    const sent = messages(300);
    await producer.send({ topic, compression, messages: sent });
    expect(await readTopic(broker, topic, 300)).toEqual(
      sent.map((message, offset) => ({ ...message, partition: 0, offset })),
    );
  });

  test('an idempotent producer that never heard the answer repeats itself, and the log does not', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const line = new Line(broker);
    const producer = await connectProducer(broker, { idempotent: true }, line);
    await producer.send({ topic, messages: [{ value: 'first' }] });
    const requestsBefore = broker.requests(produceApi.key);
    const answerLost = line.cutAtNextAnswer();
    const unanswered = producer.send({ topic, messages: [{ value: 'second' }, { value: 'third' }] });
    await answerLost;
    line.mend();
    expect(await unanswered).toMatchObject([{ baseOffset: '1' }]);
    expect(broker.requests(produceApi.key) - requestsBefore).toBe(2);
    await producer.send({ topic, messages: [{ value: 'fourth' }] });
    const records = await readTopic(broker, topic, 4);
    expect(records.map(({ value }) => value)).toEqual(['first', 'second', 'third', 'fourth']);
  });

  test('a batch at max.message.bytes is taken, one a byte larger is not', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    const largest = 'x'.repeat(MAX_MESSAGE_BYTES - ONE_RECORD_OVERHEAD);
    const larger = producer.send({ topic, messages: [{ value: `${largest}x` }] });
    expect(await errorsOf(larger)).toEqual(['MESSAGE_TOO_LARGE']);
    await producer.send({ topic, messages: [{ value: largest }] });
    const [record] = await readTopic(broker, topic, 1);
    expect(record?.value).toBe(largest);
  });
});

describe('kafkajs produces', () => {
  const broker = useBroker();

  test('snappy as Java frames it', async () => {
    writeSnappyAs('xerial');
    try {
      const admin = await connectAdmin(broker);
      const producer = await connectProducer(broker);
      const sent = messages(500);
      for (const configs of [{}, { 'compression.type': 'zstd' }] as Record<string, string>[]) {
        const topic = await createTopic(admin, broker, { configs });
        await producer.send({ topic, compression: CompressionTypes.Snappy, messages: sent });
        expect((await readTopic(broker, topic, 500)).map(({ value }) => value)).toEqual(
          sent.map(({ value }) => value),
        );
      }
    } finally {
      writeSnappyAs('raw');
    }
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed'])(
    'a topic with compression.type=%s repacks what each codec sends',
    async (type) => {
      const admin = await connectAdmin(broker);
      const topic = await createTopic(admin, broker, { configs: { 'compression.type': type } });
      const producer = await connectProducer(broker);
      const sent = messages(60);
      await producer.send({ topic, messages: sent });
      for (const [, compression] of KAFKAJS_CODECS)
        await producer.send({ topic, compression, messages: sent });
      const expected = Array.from({ length: 5 }, () => sent).flat();
      expect(await readTopic(broker, topic, 300)).toEqual(
        expected.map((message, offset) => ({ ...message, partition: 0, offset })),
      );
    },
  );

  test('many sends at once keep their order within a partition', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { partitions: 3 });
    const producer = await connectProducer(broker, { idempotent: true });
    const sends = Array.from({ length: 60 }, (_, index) =>
      producer.send({ topic, messages: [{ partition: index % 3, value: String(index) }] }),
    );
    await Promise.all(sends);
    const records = await readTopic(broker, topic, 60);
    for (const partition of [0, 1, 2]) {
      const values = records
        .filter((record) => record.partition === partition)
        .map(({ value }) => Number(value));
      expect(values).toEqual(Array.from({ length: 20 }, (_, turn) => turn * 3 + partition));
    }
  });

  test('one request for many topics and partitions', async () => {
    const admin = await connectAdmin(broker);
    const topics = [await createTopic(admin, broker, { partitions: 2 }), await createTopic(admin, broker)];
    const producer = await connectProducer(broker);
    const answered = await producer.sendBatch({
      topicMessages: topics.map((topic, at) => ({
        topic,
        messages: [0, 1].map((index) => ({ partition: at === 0 ? index : 0, value: `${at}.${index}` })),
      })),
    });
    expect(answered.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0]);
    const [two = '', one = ''] = topics;
    expect(sortedValues(await readTopic(broker, two, 2))).toEqual(['0.0', '0.1']);
    expect((await readTopic(broker, one, 2)).map(({ value }) => value)).toEqual(['1.0', '1.1']);
  });

  test('a record near the limit that does not compress passes through each codec', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    const value = randomBytes(600_000).toString('base64');
    for (const [, compression] of KAFKAJS_CODECS) {
      await producer.send({ topic, compression, messages: [{ value }] });
    }
    const records = await readTopic(broker, topic, KAFKAJS_CODECS.length);
    expect(records.every((record) => record.value === value)).toBe(true);
  });

  test('a topic of its own size refuses more', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { configs: { 'max.message.bytes': '2000' } });
    const producer = await connectProducer(broker);
    const large = (length: number) => producer.send({ topic, messages: [{ value: 'x'.repeat(length) }] });
    expect(await errorsOf(large(2_000))).toEqual(['MESSAGE_TOO_LARGE']);
    expect(await errorsOf(large(1_000))).toEqual([]);
  });

  test('a compacted topic refuses records without a key, compressed or not', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { configs: { 'cleanup.policy': 'compact' } });
    const producer = await connectProducer(broker);
    for (const compression of [CompressionTypes.None, ...KAFKAJS_CODECS.map(([, type]) => type)]) {
      const keyless = producer.send({
        topic,
        compression,
        messages: [{ key: 'has one', value: '1' }, { value: 'has none' }],
      });
      expect(await errorsOf(keyless)).toEqual(['INVALID_RECORD']);
    }
    await producer.send({ topic, messages: [{ key: 'kept', value: null }] });
    expect(await readTopic(broker, topic, 1)).toMatchObject([{ offset: 0, key: 'kept', value: null }]);
  });

  test('timestamps are the producer’s, or the broker’s when the topic says so', async () => {
    const admin = await connectAdmin(broker);
    const producer = await connectProducer(broker);
    const timestamp = '1700000000000';
    const created = await createTopic(admin, broker);
    const appended = await createTopic(admin, broker, {
      configs: { 'message.timestamp.type': 'LogAppendTime' },
    });
    const startedMs = Date.now();
    const sent = await producer.sendBatch({
      topicMessages: [created, appended].map((topic) => ({ topic, messages: [{ value: 'v', timestamp }] })),
    });
    const logAppendTime = (topic: string) =>
      Number(sent.find(({ topicName }) => topicName === topic)?.logAppendTime);
    expect(logAppendTime(created)).toBe(-1);
    expect(logAppendTime(appended)).toBeGreaterThanOrEqual(startedMs);
    expect(await admin.fetchTopicOffsetsByTimestamp(created, Number(timestamp))).toEqual([
      { partition: 0, offset: '0' },
    ]);
    expect(await admin.fetchTopicOffsetsByTimestamp(appended, logAppendTime(appended))).toEqual([
      { partition: 0, offset: '0' },
    ]);
  });

  test('a timestamp too far in the future is refused', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    const nextWeek = String(Date.now() + 7 * 24 * 3_600_000);
    const late = producer.send({ topic, messages: [{ value: 'v', timestamp: nextWeek }] });
    expect(await errorsOf(late)).toEqual(['INVALID_TIMESTAMP']);
  });
});
