import { afterAll, beforeAll, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { deleteRecordsApi } from '../../src/wire/apis/21-delete-records.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { type RawClient, TestBroker, batch, produce } from './harness.ts';

let server: TestBroker;
let client: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  client = await server.client();
});
afterAll(() => server.close());

async function filled(configs: Record<string, string> = {}) {
  const topic = await server.topic(client, { configs });
  const record = { key: Uint8Array.of(1), value: Uint8Array.of(1), timestamp: Date.now() };
  await produce(client, topic, batch([record, record, record, record]));
  return topic;
}

/** Code and log start. */
async function deleteBelow(name: string, offset: number, { version = 2, partition = 0 } = {}) {
  const topics = [{ name, partitions: [{ partitionIndex: partition, offset }] }];
  const answer = await client.send(deleteRecordsApi, version, { topics, timeoutMs: 1_000 });
  const found = answer.topics[0]?.partitions[0];
  return [found?.errorCode, found?.lowWatermark];
}

async function fetchAt(topic: { name: string }, fetchOffset: number) {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }];
  const topics = [{ topic: topic.name, partitions }];
  const answer = await client.send(fetchApi, 12, { maxWaitMs: 0, minBytes: 0, topics });
  const found = answer.responses[0]?.partitions[0];
  return [found?.errorCode, found?.logStartOffset];
}

test.each([0, 1, 2])('v%i moves the start within a batch; what is below is out of range', async (version) => {
  const topic = await filled();
  expect(await deleteBelow(topic.name, 2, { version })).toEqual([0, 2]);
  expect(await fetchAt(topic, 1)).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE, 2]);
  expect(await fetchAt(topic, 2)).toEqual([0, 2]);
  expect(await deleteBelow(topic.name, 1, { version })).toEqual([0, 2]);
  expect(await deleteBelow(topic.name, -1, { version })).toEqual([0, 4]);
  expect(await fetchAt(topic, 4)).toEqual([0, 4]);
});

test('an offset above the high watermark, or below zero, is none', async () => {
  const { name } = await filled();
  expect(await deleteBelow(name, 5)).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE, -1]);
  expect(await deleteBelow(name, -2)).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE, -1]);
  expect(await deleteBelow(name, 4)).toEqual([0, 4]);
});

test('a topic that is compacted and nothing else keeps its records; one with both policies does not', async () => {
  const compacted = await filled({ 'cleanup.policy': 'compact' });
  expect(await deleteBelow(compacted.name, 2)).toEqual([ErrorCode.POLICY_VIOLATION, -1]);
  const both = await filled({ 'cleanup.policy': 'compact,delete' });
  expect(await deleteBelow(both.name, 2)).toEqual([0, 2]);
});

test('partitions that are not there, and those of coordinators', async () => {
  const { name } = await filled();
  expect(await deleteBelow('nowhere', 0)).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1]);
  expect(await deleteBelow(name, 0, { partition: 1 })).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1]);
  await client.send(findCoordinatorApi, 3, { key: 'group', keyType: 0 });
  expect(await deleteBelow('__consumer_offsets', 0)).toEqual([ErrorCode.INVALID_TOPIC_EXCEPTION, -1]);
});
