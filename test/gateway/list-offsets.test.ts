import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { recompress } from '../../src/records/builder.ts';
import { listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import { type RawClient, TestBroker, batch, produce } from './harness.ts';
import type { TopicName } from './session-client.ts';

const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;
const EARLIEST_PENDING_UPLOAD = -6;

let server: TestBroker;
let client: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  client = await server.client();
});
afterAll(() => server.close());

/** Code, offset, timestamp and leader epoch. */
async function lookUp(topic: TopicName, timestamp: number, { version = 11, isolationLevel = 0 } = {}) {
  const partitions = [{ partitionIndex: 0, timestamp }];
  const body = { replicaId: -1, isolationLevel, topics: [{ name: topic.name, partitions }] };
  const found = (await client.send(listOffsetsApi, version, body)).topics[0]?.partitions[0];
  return [found?.errorCode, found?.offset, found?.timestamp, found?.leaderEpoch];
}

const at = (...timestamps: number[]) => batch(timestamps.map((timestamp) => ({ timestamp })));

test.each([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
  [-7, Infinity],
  [-(2 ** 40), Infinity],
])('the time %i means something from v%d on', async (timestamp, since) => {
  const topic = await server.topic(client);
  for (let version = 1; version <= 11; version++) {
    const [errorCode] = await lookUp(topic, timestamp, { version });
    expect([version, errorCode]).toEqual([version, version < since ? ErrorCode.UNSUPPORTED_VERSION : 0]);
  }
});

describe.each([0, 1])('isolation level %i, where nothing is transactional', (isolationLevel) => {
  const find = (topic: TopicName, timestamp: number) => lookUp(topic, timestamp, { isolationLevel });

  test('what has no tiered storage has nothing there and nothing to upload', async () => {
    const topic = await server.topic(client);
    await produce(client, topic, at(1, 2));
    expect(await find(topic, LATEST_TIERED)).toEqual([0, -1, -1, -1]);
    expect(await find(topic, EARLIEST_PENDING_UPLOAD)).toEqual([0, -1, -1, -1]);
    expect(await find(topic, EARLIEST_LOCAL)).toEqual(await find(topic, EARLIEST));
  });

  test('of equal times the first record, of equal largest times too', async () => {
    const topic = await server.topic(client);
    for (const records of [at(5, 9, 9), at(9, 5), at(7)]) await produce(client, topic, records);
    expect(await find(topic, 5)).toEqual([0, 0, 5, 0]);
    expect(await find(topic, 9)).toEqual([0, 1, 9, 0]);
    expect(await find(topic, MAX_TIMESTAMP)).toEqual([0, 1, 9, 0]);
  });

  test('later than all there is nothing', async () => {
    const topic = await server.topic(client);
    await produce(client, topic, at(5, 9));
    for (const timestamp of [10, Date.now() + 1e9, 2 ** 53 - 1]) {
      expect(await find(topic, timestamp)).toEqual([0, -1, -1, -1]);
    }
  });
});

test('records in the future are found like others', async () => {
  const soon = Date.now() + 60_000;
  const topic = await server.topic(client, { configs: { 'message.timestamp.after.max.ms': '3600000' } });
  for (const records of [at(soon), at(1)]) await produce(client, topic, records);
  expect(await lookUp(topic, soon)).toEqual([0, 0, soon, 0]);
  expect(await lookUp(topic, 2)).toEqual([0, 0, soon, 0]);
  expect(await lookUp(topic, MAX_TIMESTAMP)).toEqual([0, 0, soon, 0]);
});

test('under LogAppendTime all records of a batch have the time at which it came', async () => {
  const topic = await server.topic(client, { configs: { 'message.timestamp.type': 'LogAppendTime' } });
  const first = (await produce(client, topic, at(5, 9))).logAppendTimeMs;
  const second = (await produce(client, topic, at(7, 3))).logAppendTimeMs;
  expect(await lookUp(topic, first)).toEqual([0, 0, first, 0]);
  expect(await lookUp(topic, second)).toEqual(second === first ? [0, 0, first, 0] : [0, 2, second, 0]);
  expect(await lookUp(topic, MAX_TIMESTAMP)).toEqual(await lookUp(topic, second));
  expect(await lookUp(topic, second + 1)).toEqual([0, -1, -1, -1]);
});

test.each([
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
])('within a batch packed with %s', async (_, codec) => {
  const topic = await server.topic(client);
  const kernels = new TwinKernels();
  const parts = { kernels, codecs: nodeCodecs(kernels) };
  for (const records of [at(5, 9, 7), at(20, 8, 30)]) {
    await produce(client, topic, await recompress(parts, records, codec));
  }
  const found = [6, 8, 10, 21, MAX_TIMESTAMP].map((timestamp) => lookUp(topic, timestamp));
  expect((await Promise.all(found)).map((answer) => answer.slice(0, 3))).toEqual([
    [0, 1, 9],
    [0, 1, 9],
    [0, 3, 20],
    [0, 5, 30],
    [0, 5, 30],
  ]);
});
