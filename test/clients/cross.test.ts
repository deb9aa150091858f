import { beforeAll, describe, expect, test } from 'vitest';
import { CompressionTypes } from 'kafkajs';
import { HOMES, useBroker } from './fixture.ts';
import { KAFKAJS_CODECS, registerCodecs } from './kafkajs-codecs.ts';
import * as kafkajs from './kafkajs.ts';
import * as platformatic from './platformatic.ts';

const CODECS = [['none', CompressionTypes.None], ...KAFKAJS_CODECS] as const;
const RECORDS = Array.from({ length: 200 }, (_, index) => ({
  key: index % 5 === 0 ? null : `key ${index % 7}`,
  value: index % 11 === 0 ? null : `value ${index} `.repeat(20),
  headers: { index: String(index), ünï: '✓' },
}));
const EXPECTED = RECORDS.map((record, offset) => ({ ...record, partition: 0, offset }));

beforeAll(registerCodecs);

/** What one client wrote, each other reads: also when the topic has repacked it. */
describe.each(HOMES)('one client to the other, on %s', (home) => {
  const broker = useBroker(home);

  test.each(CODECS)('%s', async (name, compression) => {
    const admin = await kafkajs.connectAdmin(broker);
    const topic = await kafkajs.createTopic(admin, broker);
    const producer = await kafkajs.connectProducer(broker);
    await producer.send({ topic, compression, messages: RECORDS });
    expect(await platformatic.readTopic(broker, topic, RECORDS.length)).toEqual(EXPECTED);

    const back = await kafkajs.createTopic(admin, broker);
    await platformatic.newProducer(broker, { compression: name }).send({
      messages: RECORDS.map(({ key, value, headers }) => ({
        topic: back,
        ...(key !== null && { key: Buffer.from(key) }),
        ...(value !== null && { value: Buffer.from(value) }),
        headers: new Map(
          Object.entries(headers).map(([header, text]) => [Buffer.from(header), Buffer.from(text)]),
        ),
      })),
    });
    expect(await kafkajs.readTopic(broker, back, RECORDS.length)).toEqual(EXPECTED);
  });
});

describe('one client to the other', () => {
  const broker = useBroker();

  test.each(KAFKAJS_CODECS)('a topic that repacks to %s', async (type) => {
    const admin = await kafkajs.connectAdmin(broker);
    const topic = await kafkajs.createTopic(admin, broker, { configs: { 'compression.type': type } });
    const producer = await kafkajs.connectProducer(broker);
    for (const [, compression] of CODECS) await producer.send({ topic, compression, messages: RECORDS });
    const count = RECORDS.length * CODECS.length;
    const expected = CODECS.flatMap(() => RECORDS).map((record, offset) => ({
      ...record,
      partition: 0,
      offset,
    }));
    expect(await platformatic.readTopic(broker, topic, count)).toEqual(expected);
  });

  test('one group goes on where the other client’s stopped', async () => {
    const admin = await kafkajs.connectAdmin(broker);
    const topic = await kafkajs.createTopic(admin, broker);
    const producer = await kafkajs.connectProducer(broker);
    await producer.send({ topic, messages: [{ value: 'first' }] });
    const before = new kafkajs.Group(broker, topic);
    const member = await before.join();
    await before.seen(1);
    await before.leave(member);
    await producer.send({ topic, messages: [{ value: 'second' }] });
    const after = new platformatic.Group(broker, topic, before.groupId);
    await after.join();
    expect(await after.seen(1)).toMatchObject([{ offset: 1, value: 'second' }]);
  });
});
