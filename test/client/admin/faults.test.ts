import { describe, expect, test } from 'vitest';
import { listOffsetsApi } from '../../../src/wire/apis/02-list-offsets.ts';
import { createTopicsApi } from '../../../src/wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../../src/wire/apis/20-delete-topics.ts';
import type { Api } from '../../../src/wire/schema.ts';
import { clientOf } from '../fake-client.ts';
import { FakeCluster, type Mishap } from '../fake-cluster.ts';
import { FakeAdmin } from './fake-admin.ts';
// Loaded already: virtual time does not wait for the first call to load it.
import '../../../src/client/admin/nouns.ts';

/** Three brokers that move what they have, lose answers and die, in virtual time. */

const RETRY_FOR_MS = 10_000;

function begin(mishap?: (api: Api, node: number) => Mishap) {
  const cluster = new FakeCluster({ nodes: 3, ...(mishap && { mishap }) });
  const fake = new FakeAdmin(cluster);
  const client = clientOf(cluster, RETRY_FOR_MS);
  const run = <T>(work: Promise<T>) => cluster.run(work);
  const elapsedMs = () => cluster.scheduler.now() - startedAtMs;
  const startedAtMs = cluster.scheduler.now();
  return { cluster, fake, admin: client.admin, run, elapsedMs };
}

/** Goes wrong the first time. */
function once(wanted: Api, mishap: Mishap): (api: Api) => Mishap {
  let isDone = false;
  return (api) => {
    if (api !== wanted || isDone) return undefined;
    isDone = true;
    return mishap;
  };
}

const askedFor = (fake: FakeAdmin, api: string) => fake.asked.filter((line) => line.startsWith(api));

describe('each broker is asked for its part', () => {
  test('one request a leader, merged in order', async () => {
    const { fake, admin, run } = begin();
    fake.topic('orders', [1, 2, 3, 1, 2, 3]);
    const listed = await run(admin.offsets.list('orders'));
    expect(listed.map(({ partition, offset }) => [partition, offset])).toEqual(
      [0, 1, 2, 3, 4, 5].map((partition) => [partition, 10]),
    );
    expect(askedFor(fake, 'ListOffsets').sort()).toEqual([
      'ListOffsets 1: 0,3',
      'ListOffsets 2: 1,4',
      'ListOffsets 3: 2,5',
    ]);
  });

  test('groups of all coordinators, each described by its own', async () => {
    const { fake, admin, run } = begin();
    for (const [index, groupId] of ['a', 'b', 'c', 'd'].entries()) fake.groups.set(groupId, 1 + (index % 3));
    expect((await run(admin.groups.list())).map(({ groupId }) => groupId)).toEqual(['a', 'b', 'c', 'd']);
    const described = await run(admin.groups.describe(['d', 'c', 'b', 'a']));
    expect(described.map(({ groupId }) => groupId)).toEqual(['d', 'c', 'b', 'a']);
    const twice = await run(admin.groups.describe(['a', 'b', 'a']));
    expect(twice.map(({ groupId }) => groupId)).toEqual(['a', 'b', 'a']);
    fake.asked.splice(fake.asked.length - 2);
    expect(askedFor(fake, 'DescribeGroups').sort()).toEqual([
      'DescribeGroups 1: d,a',
      'DescribeGroups 2: b',
      'DescribeGroups 3: c',
    ]);
  });

  test('topics are made by the controller', async () => {
    const { fake, admin, run } = begin();
    fake.controllerId = 3;
    await run(admin.topics.create('orders', { partitions: 2 }));
    expect(fake.asked).toEqual(['CreateTopics 3: orders']);
  });
});

describe('what moves is followed', () => {
  test('a controller that is none any more', async () => {
    const { fake, admin, run } = begin();
    fake.unwilling.set('CreateTopics', 2);
    await run(admin.topics.create('orders'));
    expect(fake.topics.has('orders')).toBe(true);
    expect(askedFor(fake, 'CreateTopics')).toHaveLength(3);
  });

  test('a leader: only what failed is done again', async () => {
    const { fake, admin, run } = begin();
    fake.topic('orders', [1, 1, 2]);
    fake.unwilling.set('DeleteRecords', 1);
    const deleted = await run(admin.records.delete('orders', { before: 'latest' }));
    expect(deleted.map(({ partition, startOffset }) => [partition, startOffset])).toEqual([
      [0, 10],
      [1, 10],
      [2, 10],
    ]);
    const asked = askedFor(fake, 'DeleteRecords');
    expect(asked.slice(0, 2).sort()).toEqual(['DeleteRecords 1: 0,1', 'DeleteRecords 2: 2']);
    expect(asked.slice(2)).toEqual([expect.stringMatching(/^DeleteRecords (?:1: 0|2: 2)$/)]);
  });

  test('a leader that moves while it is looked for', async () => {
    const { fake, admin, run } = begin();
    fake.topic('orders', [1, 1]);
    await run(admin.offsets.list('orders'));
    fake.topic('orders', [2, 1]);
    expect(await run(admin.offsets.list('orders'))).toHaveLength(2);
    expect(askedFor(fake, 'ListOffsets').at(-1)).toBe('ListOffsets 2: 0');
  });

  test('a coordinator: only its groups are asked for again', async () => {
    const { fake, admin, run } = begin();
    fake.groups.set('a', 1).set('b', 1).set('c', 2);
    fake.unwilling.set('DescribeGroups', 1);
    const described = await run(admin.groups.describe(['a', 'b', 'c']));
    expect(described.map(({ state }) => state)).toEqual(['Empty', 'Empty', 'Empty']);
    const asked = askedFor(fake, 'DescribeGroups');
    expect(asked).toHaveLength(3);
    expect(asked[2]).toMatch(/^DescribeGroups [12]: (?:a|c)$/);
  });

  test('a coordinator that is loading is waited for', async () => {
    const { fake, admin, run } = begin();
    fake.groups.set('a', 1);
    fake.unwilling.set('ListGroups', 1);
    expect(await run(admin.groups.list())).toHaveLength(1);
  });
});

describe('an answer that is lost', () => {
  test('a topic that was made meanwhile is made', async () => {
    const { fake, admin, run } = begin(once(createTopicsApi, 'answer-lost'));
    await run(admin.topics.create('orders'));
    expect(askedFor(fake, 'CreateTopics')).toHaveLength(2);
    await expect(run(admin.topics.create('orders'))).rejects.toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' });
  });

  test('a topic that was deleted meanwhile is deleted', async () => {
    const { fake, admin, run } = begin(once(deleteTopicsApi, 'answer-lost'));
    fake.topic('orders', [1]);
    await run(admin.topics.delete('orders'));
    expect(fake.topics.has('orders')).toBe(false);
    await expect(run(admin.topics.delete('orders'))).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
  });

  test('a request that is lost is made again', async () => {
    const { fake, admin, run } = begin(once(createTopicsApi, 'request-lost'));
    await run(admin.topics.create('orders'));
    expect(askedFor(fake, 'CreateTopics')).toEqual(['CreateTopics 1: orders']);
  });
});

describe('the budget is bounded', () => {
  test('a broker that is down: its part fails, the others are done', async () => {
    const { cluster, fake, admin, run, elapsedMs } = begin();
    fake.topic('orders', [1, 3]);
    const before = await run(admin.offsets.list('orders'));
    expect(before).toHaveLength(2);
    cluster.stop(3);
    await expect(run(admin.offsets.list('orders'))).rejects.toMatchObject({ retriable: true });
    expect(elapsedMs()).toBeLessThan(2 * RETRY_FOR_MS);
    const { problems, leaderless, brokers } = await run(admin.cluster.health());
    expect(leaderless).toEqual([{ topic: 'orders', partition: 1 }]);
    expect(brokers.map(({ isAnswering }) => isAnswering)).toEqual([true, true, false]);
    expect(problems).toEqual([
      'broker 3 at fake:3 does not answer',
      '1 partition without a leader: orders-1',
      '1 partition with replicas that are not in sync: orders-1',
    ]);
  });

  test('a broker that is connected and says nothing is not well', async () => {
    const asked: number[] = [];
    let silentNode = 0;
    const { fake, admin, run, elapsedMs } = begin((_, node) => {
      asked.push(node);
      return node === silentNode ? 'silence' : undefined;
    });
    fake.topic('orders', [1, 2, 3]);
    expect((await run(admin.cluster.health())).isHealthy).toBe(true);
    // Not the one that is asked for the others.
    silentNode = 1 + ((asked[0] ?? 0) % 3);
    const { problems } = await run(admin.cluster.health());
    expect(problems).toEqual([`broker ${silentNode} at fake:${silentNode} does not answer`]);
    expect(elapsedMs()).toBeLessThan(RETRY_FOR_MS);
  });

  test('a list of groups with holes is none', async () => {
    const { cluster, fake, admin, run } = begin();
    fake.groups.set('a', 1);
    cluster.stop(2);
    await expect(run(admin.groups.list())).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test('nobody answers: that is the error, in time', async () => {
    const { admin, run, elapsedMs } = begin((api) => (api === createTopicsApi ? 'request-lost' : undefined));
    await expect(run(admin.topics.create('orders'))).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(elapsedMs()).toBeLessThan(RETRY_FOR_MS + 1_000);
  });

  test('a signal ends the waiting, also for an answer that does not come', async () => {
    const { cluster, fake, admin, run, elapsedMs } = begin((api) =>
      api === listOffsetsApi ? 'silence' : undefined,
    );
    fake.topic('orders', [1]);
    const controller = new AbortController();
    const reason = new Error('enough');
    cluster.scheduler.after(500, 'abort', () => controller.abort(reason));
    await expect(run(admin.offsets.list('orders', { signal: controller.signal }))).rejects.toBe(reason);
    expect(elapsedMs()).toBe(500);
  });

  test('a signal ends the waiting between attempts', async () => {
    const { cluster, admin, run } = begin((api) => (api === createTopicsApi ? 'request-lost' : undefined));
    const controller = new AbortController();
    const reason = new Error('enough');
    cluster.scheduler.after(500, 'abort', () => controller.abort(reason));
    const creating = admin.topics.create('orders', { signal: controller.signal });
    await expect(run(creating)).rejects.toBe(reason);
  });
});
