import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { incrementalAlterConfigsApi } from '../../src/wire/apis/44-incremental-alter-configs.ts';
import { batch as recordBatch, produce, type RawClient, TestBroker } from './harness.ts';
import { ShareMember } from './share-member.ts';

const SETTINGS = new Map([
  ['log.retention.ms', '-1'],
  ['group.share.assignment.interval.ms', '0'],
  ['group.share.min.heartbeat.interval.ms', '1'],
]);

let server: TestBroker;
let client: RawClient;
let topic: { name: string; id: string };

beforeEach(async () => {
  server = await TestBroker.start({ settings: SETTINGS });
  client = await server.client();
  await client.send(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: ['workers'] });
  topic = await server.topic(client);
});
afterEach(() => server.close());

/** On a connection of its own, in a group that begins at the beginning. */
async function member(memberId: string, groupId = 'workers'): Promise<ShareMember> {
  const one = new ShareMember(await server.client(), { topic, groupId, memberId });
  const configs = [{ name: 'share.auto.offset.reset', value: 'earliest', configOperation: 0 }];
  const resources = [{ resourceType: 32, resourceName: groupId, configs }];
  const { responses } = await client.send(incrementalAlterConfigsApi, 1, { resources, validateOnly: false });
  expect(responses[0]?.errorCode).toBe(0);
  expect((await one.beat()).errorCode).toBe(0);
  return one;
}

const values = (...from: number[]) => recordBatch(from.map(String));

describe('members of a share group that wait for several bytes', () => {
  test('may wait until there is so much', async () => {
    const a = await member('a');
    const one = recordBatch(['x'.repeat(500)]);
    let isAnswered = false;
    const waiting = a.fetch({ minBytes: 1_200, maxWaitMs: 60_000 }).finally(() => (isAnswered = true));
    await produce(client, topic, one);
    await produce(client, topic, one);
    // Another group reads what is there, and so would this one if it were enough.
    const b = await member('b', 'others');
    expect(await b.fetch()).toEqual([[0, 1, 1]]);
    expect(isAnswered).toBe(false);
    await produce(client, topic, one);
    expect(await waiting).toEqual([[0, 2, 1]]);
  });

  test('are given in the end what there is, be it less', async () => {
    const a = await member('a');
    await produce(client, topic, values(0));
    expect(await a.fetch({ minBytes: 10_000, maxWaitMs: 50 })).toEqual([[0, 0, 1]]);
    await produce(client, topic, values(1));
    expect(await a.fetch({ minBytes: 10_000, maxWaitMs: 0 })).toEqual([[1, 1, 1]]);
  });

  test('may wait for it from several partitions, and are given what each has by then', async () => {
    topic = await server.topic(client, { partitions: 2 });
    const a = await member('a');
    const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, acknowledgementBatches: [] }));
    const topics = [{ topicId: topic.id, partitions }];
    const waiting = a.send([], { topics, minBytes: 1_200, maxWaitMs: 60_000 });
    await produce(client, topic, values(0), { partition: 0 });
    await produce(client, topic, recordBatch(['x'.repeat(1_100)]), { partition: 1 });
    const { responses } = await waiting;
    const given = responses[0]?.partitions.map(({ partitionIndex, acquiredRecords }) => [
      partitionIndex,
      acquiredRecords.length,
    ]);
    expect(given).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  test('do not hold up those that want less', async () => {
    const [a, b] = [await member('a'), await member('b')];
    const waiting = a.fetch({ minBytes: 100_000, maxWaitMs: 60_000 });
    await produce(client, topic, values(0));
    expect(await b.fetch()).toEqual([[0, 0, 1]]);
    const big = recordBatch(Array.from({ length: 100 }, () => 'x'.repeat(2_000)));
    await produce(client, topic, big);
    expect(await waiting).toEqual([[1, 100, 1]]);
  });
});
