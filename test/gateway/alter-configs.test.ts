import { afterAll, beforeAll, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { incrementalAlterConfigsApi } from '../../src/wire/apis/44-incremental-alter-configs.ts';
import { fetchOne, produce, type RawClient, batch, TestBroker } from './harness.ts';

let broker: TestBroker;
let client: RawClient;
beforeAll(async () => {
  broker = await TestBroker.start();
  client = await broker.client();
});
afterAll(() => broker.close());

/** Sets, or with null lets go. */
async function alter(resourceType: number, resourceName: string, values: Record<string, string | null>) {
  const configs = Object.entries(values).map(([name, value]) => ({
    name,
    configOperation: value === null ? 1 : 0,
    value,
  }));
  const request = { resources: [{ resourceType, resourceName, configs }], validateOnly: false };
  const { responses } = await client.send(incrementalAlterConfigsApi, 1, request);
  expect(responses.map(({ errorCode, errorMessage }) => errorMessage ?? errorCode)).toEqual([0]);
}

const TOPIC = 2;
const BROKER = 4;

test('the next write is judged by what was set just before it', async () => {
  const topic = await broker.topic(client);
  const large = () => produce(client, topic, batch(['x'.repeat(500)]));
  expect((await large()).errorCode).toBe(0);
  await alter(BROKER, '', { 'message.max.bytes': '100' });
  expect((await large()).errorCode).toBe(ErrorCode.MESSAGE_TOO_LARGE);
  await alter(TOPIC, topic.name, { 'max.message.bytes': '1000' });
  expect((await large()).errorCode).toBe(0);
  await alter(BROKER, '', { 'message.max.bytes': null, 'log.message.timestamp.type': 'LogAppendTime' });
  expect((await produce(client, topic, batch(['x']))).logAppendTimeMs).toBeGreaterThan(1_000);
  await alter(BROKER, '', { 'log.message.timestamp.type': null });
  expect((await produce(client, topic, batch(['x']))).logAppendTimeMs).toBe(-1);
});

test('more replicas in sync than there are: writes that want all of them are refused, and others taken', async () => {
  const topic = await broker.topic(client, { configs: { 'min.insync.replicas': '2' } });
  expect(await produce(client, topic, batch(['x']))).toMatchObject({
    errorCode: ErrorCode.NOT_ENOUGH_REPLICAS,
    baseOffset: -1,
  });
  expect(await produce(client, topic, batch(['x']), { acks: 1 })).toMatchObject({
    errorCode: 0,
    baseOffset: 0,
  });
  await alter(TOPIC, topic.name, { 'min.insync.replicas': '1' });
  expect(await produce(client, topic, batch(['x']))).toMatchObject({ errorCode: 0, baseOffset: 1 });
});

test.each(['gzip', 'zstd'])('%s takes the effort it is told to', async (codec) => {
  const topic = await broker.topic(client, { configs: { 'compression.type': codec } });
  const text = Array.from({ length: 4_000 }, (_, at) => `${(at * at) % 977} says ${at % 7}`).join(' ');
  const sizeAt = async (level: string) => {
    await alter(TOPIC, topic.name, { [`compression.${codec}.level`]: level });
    const { baseOffset } = await produce(client, topic, batch([text]));
    return (await fetchOne(client, { topic, fetchOffset: baseOffset })).records?.length ?? 0;
  };
  const [low, high] = codec === 'gzip' ? ['1', '9'] : ['-50', '19'];
  expect(await sizeAt(high!)).toBeLessThan((await sizeAt(low!)) * 0.9);
});
