import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { listGroupsApi } from '../../src/wire/apis/16-list-groups.ts';
import { deleteRecordsApi } from '../../src/wire/apis/21-delete-records.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { deleteGroupsApi } from '../../src/wire/apis/42-delete-groups.ts';
import { incrementalAlterConfigsApi } from '../../src/wire/apis/44-incremental-alter-configs.ts';
import { shareGroupDescribeApi } from '../../src/wire/apis/77-share-group-describe.ts';
import { describeShareGroupOffsetsApi } from '../../src/wire/apis/90-describe-share-group-offsets.ts';
import { alterShareGroupOffsetsApi } from '../../src/wire/apis/91-alter-share-group-offsets.ts';
import { deleteShareGroupOffsetsApi } from '../../src/wire/apis/92-delete-share-group-offsets.ts';
import { batch as recordBatch, produce, type RawClient, TestBroker } from './harness.ts';
import { ACCEPT, batch, REJECT, RELEASE, RENEW, ShareMember } from './share-member.ts';

const SETTINGS = new Map([
  ['offsets.topic.num.partitions', '2'],
  ['share.coordinator.state.topic.num.partitions', '2'],
  ['log.retention.ms', '-1'],
  ['group.share.assignment.interval.ms', '0'],
  ['group.share.min.record.lock.duration.ms', '1000'],
  ['group.share.min.session.timeout.ms', '1'],
  ['group.share.min.heartbeat.interval.ms', '1'],
]);

let server: TestBroker;
let client: RawClient;
let directory: string;
let topic: { name: string; id: string };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'milena-share-'));
  await start();
  topic = await server.topic(client);
});

afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

async function start(): Promise<void> {
  server = await TestBroker.start({ directory, settings: SETTINGS });
  client = await server.client();
  await client.send(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: ['workers'] });
}

async function restart(): Promise<void> {
  await server.close();
  await start();
}

async function configure(groupId: string, configs: Record<string, string>): Promise<void> {
  const changes = Object.entries(configs).map(([name, value]) => ({ name, value, configOperation: 0 }));
  const resources = [{ resourceType: 32, resourceName: groupId, configs: changes }];
  const { responses } = await client.send(incrementalAlterConfigsApi, 1, { resources, validateOnly: false });
  expect(responses[0]?.errorCode).toBe(0);
}

/** A member on a connection of its own, in a group that begins at the beginning. */
async function member(memberId: string, groupId = 'workers'): Promise<ShareMember> {
  const one = new ShareMember(await server.client(), { topic, groupId, memberId });
  await configure(groupId, { 'share.auto.offset.reset': 'earliest' });
  expect((await one.beat()).errorCode).toBe(0);
  return one;
}

async function offsets(groupId = 'workers') {
  const asked = { groups: [{ groupId, topics: null }] };
  const { groups } = await client.send(describeShareGroupOffsetsApi, 1, asked);
  const found = groups[0]?.topics[0]?.partitions[0];
  return found && { startOffset: found.startOffset, lag: found.lag };
}

const values = (...from: number[]) => recordBatch(from.map(String));

describe('members of a share group', () => {
  test('have different records of the same partition, and each once', async () => {
    await produce(client, topic, values(0, 1, 2));
    await produce(client, topic, values(3, 4));
    const [a, b] = [await member('a'), await member('b')];
    expect(await a.read({ maxRecords: 3 })).toEqual(['0', '1', '2']);
    expect(await b.read()).toEqual(['3', '4']);
    expect(await a.acknowledge([batch(0, 2, ACCEPT)])).toBe(0);
    expect(await b.acknowledge([batch(3, 4, ACCEPT)])).toBe(0);
    expect(await a.fetch({ maxWaitMs: 0 })).toEqual([]);
    expect(await offsets()).toEqual({ startOffset: 5, lag: 0 });
  });

  test('wait for what is still to be written', async () => {
    const a = await member('a');
    const waiting = a.read();
    await produce(client, topic, values(7));
    expect(await waiting).toEqual(['7']);
  });

  test('are given what another releases while they wait', async () => {
    await produce(client, topic, values(0, 1));
    const [a, b] = [await member('a'), await member('b')];
    await a.fetch();
    const waiting = b.fetch();
    await a.acknowledge([batch(0, 1, ACCEPT, RELEASE)]);
    expect(await waiting).toEqual([[1, 1, 2]]);
  });

  test('acknowledge with their next fetch, which is answered when that is stored', async () => {
    await produce(client, topic, values(0));
    await produce(client, topic, values(1));
    const a = await member('a');
    await a.fetch({ maxRecords: 1 });
    const { responses } = await a.send([batch(0, 0, ACCEPT)]);
    expect(responses[0]?.partitions[0]).toMatchObject({
      acknowledgeErrorCode: 0,
      acquiredRecords: [{ firstOffset: 1, lastOffset: 1, deliveryCount: 1 }],
    });
    expect(await offsets()).toEqual({ startOffset: 1, lag: 1 });
  });

  test('are given again what another rejected not, as often as is allowed', async () => {
    await configure('workers', { 'share.delivery.count.limit': '2' });
    await produce(client, topic, values(0, 1));
    const a = await member('a');
    expect(await a.fetch()).toEqual([[0, 1, 1]]);
    await a.acknowledge([batch(0, 1, REJECT, RELEASE)]);
    expect(await a.fetch()).toEqual([[1, 1, 2]]);
    await a.acknowledge([batch(1, 1, RELEASE)]);
    expect(await a.fetch({ maxWaitMs: 0 })).toEqual([]);
    expect(await offsets()).toEqual({ startOffset: 2, lag: 0 });
  });

  test('lose what they do not acknowledge in time, and may ask for more of it', async () => {
    await produce(client, topic, values(0, 1));
    const [a, b] = [await member('a'), await member('b')];
    await configure('workers', { 'share.record.lock.duration.ms': '1000' });
    expect(await a.fetch()).toEqual([[0, 1, 1]]);
    await configure('workers', { 'share.record.lock.duration.ms': '30000' });
    expect(await b.fetch()).toEqual([[0, 1, 2]]);
    expect(await a.acknowledge([batch(0, 0, ACCEPT)])).toBe(ErrorCode.INVALID_RECORD_STATE);
    expect(await b.acknowledge([batch(0, 1, RENEW)], { isRenewAck: true })).toBe(0);
  });

  test('release all they have when they close, and when their connection goes', async () => {
    await produce(client, topic, values(0, 1, 2));
    const a = await member('a');
    await a.fetch();
    const b = await member('b');
    const waiting = b.fetch();
    expect(await a.close([batch(0, 0, ACCEPT)])).toBe(0);
    expect(await waiting).toEqual([[1, 2, 2]]);
    const connection = await server.client();
    const c = new ShareMember(connection, { topic, groupId: 'workers', memberId: 'c' });
    await b.acknowledge([batch(1, 2, RELEASE)]);
    expect(await c.fetch()).toEqual([[1, 2, 3]]);
    const last = b.fetch();
    connection.destroy();
    // What failed so often is given one by one.
    expect(await last).toEqual([[1, 1, 4]]);
  });

  test('release all they have when they hear that they are out', async () => {
    await produce(client, topic, values(0, 1));
    const [a, b] = [await member('a'), await member('b')];
    expect(await a.fetch()).toEqual([[0, 1, 1]]);
    const second = b.fetch();
    expect((await a.beat(7)).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH);
    expect(await second).toEqual([[0, 1, 2]]);
    expect(await a.acknowledge([batch(0, 1, ACCEPT)])).toBe(ErrorCode.SHARE_SESSION_NOT_FOUND);
  });

  test('read by themselves what another group reads, too', async () => {
    await produce(client, topic, values(0));
    const [a, b] = [await member('a', 'one'), await member('a', 'two')];
    expect(await a.read()).toEqual(['0']);
    expect(await b.read()).toEqual(['0']);
  });

  test('begin at the end, if nothing else is said', async () => {
    await produce(client, topic, values(0));
    const a = new ShareMember(await server.client(), { topic, groupId: 'late', memberId: 'a' });
    await a.beat();
    const waiting = a.read();
    // Once it is known where the group begins.
    await expect.poll(() => offsets('late')).toMatchObject({ startOffset: 1 });
    await produce(client, topic, values(1));
    expect(await waiting).toEqual(['1']);
  });

  test('go on where the log begins when the rest of it is deleted', async () => {
    await produce(client, topic, values(0, 1, 2));
    await produce(client, topic, values(3));
    const a = await member('a');
    const partitions = [{ partitionIndex: 0, offset: 3 }];
    await client.send(deleteRecordsApi, 2, { topics: [{ name: topic.name, partitions }], timeoutMs: 5_000 });
    expect(await a.fetch()).toEqual([[3, 3, 1]]);
  });
});

describe('what was acknowledged', () => {
  test('is not delivered again after a restart, and nothing else is lost', async () => {
    for (const at of [0, 1, 2, 3]) await produce(client, topic, values(at));
    const a = await member('a');
    expect(await a.fetch()).toEqual([[0, 3, 1]]);
    const types = [RELEASE, ACCEPT, RELEASE, REJECT];
    expect(await a.acknowledge([batch(0, 3, ...types)])).toBe(0);
    await restart();
    const again = new ShareMember(client, { topic, groupId: 'workers', memberId: 'a' });
    expect(await again.read()).toEqual(['0', '2']);
    expect(await again.acknowledge([batch(0, 0, ACCEPT), batch(2, 2, ACCEPT)])).toBe(0);
    await restart();
    expect(await offsets()).toEqual({ startOffset: 4, lag: 0 });
  });

  test('counts deliveries over a restart', async () => {
    await produce(client, topic, values(0));
    const a = await member('a');
    await a.fetch();
    await a.acknowledge([batch(0, 0, RELEASE)]);
    await restart();
    const again = new ShareMember(client, { topic, groupId: 'workers', memberId: 'b' });
    expect(await again.fetch()).toEqual([[0, 0, 2]]);
  });

  test('the group is still there, with who is in it', async () => {
    const a = await member('a');
    await restart();
    const again = new ShareMember(client, { topic, groupId: 'workers', memberId: 'a' });
    expect(await again.beat(a.epoch)).toMatchObject({ errorCode: 0, memberEpoch: a.epoch });
  });
});

describe('what a client gets wrong', () => {
  test('a session that is not there, or is elsewhere', async () => {
    await produce(client, topic, values(0));
    const a = await member('a');
    expect((await a.send([], { shareSessionEpoch: 3 })).errorCode).toBe(ErrorCode.SHARE_SESSION_NOT_FOUND);
    expect(await a.acknowledge([], { epoch: 3 })).toBe(ErrorCode.SHARE_SESSION_NOT_FOUND);
    await a.fetch();
    expect((await a.send([], { shareSessionEpoch: 3 })).errorCode).toBe(
      ErrorCode.INVALID_SHARE_SESSION_EPOCH,
    );
    expect(await a.acknowledge([], { epoch: 7 })).toBe(ErrorCode.INVALID_SHARE_SESSION_EPOCH);
    expect(await a.acknowledge([], { epoch: 0 })).toBe(ErrorCode.INVALID_SHARE_SESSION_EPOCH);
    expect(await a.acknowledge([batch(0, 0, ACCEPT)])).toBe(0);
  });

  test('records it does not have', async () => {
    await produce(client, topic, values(0, 1));
    const [a, b] = [await member('a'), await member('b')];
    await b.fetch({ maxWaitMs: 0 });
    await b.close();
    await a.fetch();
    await b.fetch({ maxWaitMs: 0 });
    expect(await b.acknowledge([batch(0, 0, ACCEPT)])).toBe(ErrorCode.INVALID_RECORD_STATE);
    expect(await a.acknowledge([batch(1, 2, ACCEPT)])).toBe(ErrorCode.INVALID_RECORD_STATE);
    expect(await a.acknowledge([batch(0, 1, ACCEPT)])).toBe(0);
    expect(await a.acknowledge([batch(7, 7, ACCEPT)])).toBe(ErrorCode.INVALID_RECORD_STATE);
  });

  test('requests that say nothing, or too much', async () => {
    await produce(client, topic, values(0, 1));
    const a = await member('a');
    const invalid = ErrorCode.INVALID_REQUEST;
    expect((await a.send([batch(0, 0, ACCEPT)])).errorCode).toBe(invalid);
    expect((await a.send([], { groupId: null })).errorCode).toBe(invalid);
    expect((await a.send([], { memberId: '' })).errorCode).toBe(invalid);
    await a.fetch();
    expect((await a.send([], { shareSessionEpoch: -1 })).errorCode).toBe(invalid);
    expect((await a.send([], { isRenewAck: true })).errorCode).toBe(invalid);
    expect(await a.acknowledge([batch(1, 0, ACCEPT)])).toBe(invalid);
    expect(await a.acknowledge([batch(0, 1, ACCEPT, ACCEPT, ACCEPT)])).toBe(invalid);
    expect(await a.acknowledge([batch(0, 1, 5)])).toBe(invalid);
    expect(await a.acknowledge([batch(0, 1, RENEW)])).toBe(invalid);
    expect(await a.acknowledge([batch(0, 0, ACCEPT), batch(0, 1, ACCEPT)])).toBe(invalid);
    expect(await a.acknowledge([batch(0, 1, ACCEPT)])).toBe(0);
  });

  test('a topic that is not there', async () => {
    const a = await member('a');
    const partitions = [{ partitionIndex: 0, acknowledgementBatches: [] }];
    const { responses } = await a.send([], { topics: [{ topicId: 'A'.repeat(21) + 'w', partitions }] });
    expect(responses[0]?.partitions[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
  });

  test('an epoch that is not its own, or none at all', async () => {
    const a = await member('a');
    expect((await a.beat(9)).errorCode).toBe(ErrorCode.FENCED_MEMBER_EPOCH);
    const b = new ShareMember(client, { topic, groupId: 'workers', memberId: 'b' });
    expect((await b.beat(1)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect((await b.beat(-1)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect((await b.beat(-2)).errorCode).toBe(ErrorCode.INVALID_REQUEST);
  });

  test('another protocol', async () => {
    await member('a');
    const joined = await client.send(joinGroupApi, 3, {
      groupId: 'workers',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: new Uint8Array(0) }],
    });
    expect(joined.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  });
});

describe('a group', () => {
  test('is listed and described', async () => {
    const a = await member('a');
    const { groups } = await client.send(listGroupsApi, 5, { statesFilter: [], typesFilter: ['share'] });
    expect(groups).toMatchObject([{ groupId: 'workers', groupState: 'Stable', groupType: 'share' }]);
    const asked = { groupIds: ['workers'], includeAuthorizedOperations: false };
    const [described] = (await client.send(shareGroupDescribeApi, 1, asked)).groups;
    expect(described).toMatchObject({ errorCode: 0, groupState: 'Stable', assignorName: 'simple' });
    expect(described?.members).toMatchObject([
      { memberId: a.memberId, assignment: { topicPartitions: [{ topicName: topic.name, partitions: [0] }] } },
    ]);
  });

  const altered = async (startOffset: number) => {
    const partitions = [{ partitionIndex: 0, startOffset }];
    const asked = { groupId: 'workers', topics: [{ topicName: topic.name, partitions }] };
    const { errorCode, responses } = await client.send(alterShareGroupOffsetsApi, 0, asked);
    return errorCode || responses[0]?.partitions[0]?.errorCode;
  };

  test('is moved once it is empty, and whoever still reads is fenced', async () => {
    for (const at of [0, 1, 2]) await produce(client, topic, values(at));
    const a = await member('a');
    await a.fetch();
    await a.acknowledge([batch(0, 1, ACCEPT)]);
    expect(await altered(0)).toBe(ErrorCode.NON_EMPTY_GROUP);
    await a.beat(-1);
    expect(await altered(1)).toBe(0);
    expect(await offsets()).toEqual({ startOffset: 1, lag: 2 });
    expect(await a.acknowledge([batch(2, 2, ACCEPT)])).toBe(ErrorCode.FENCED_STATE_EPOCH);
    const b = await member('b');
    expect(await b.fetch()).toEqual([[1, 2, 1]]);
  });

  test('forgets a topic, and is deleted, once it is empty', async () => {
    await produce(client, topic, values(0));
    const a = await member('a');
    await a.fetch();
    await a.acknowledge([batch(0, 0, ACCEPT)]);
    const removed = async () => {
      const asked = { groupId: 'workers', topics: [{ topicName: topic.name }] };
      const { errorCode, responses } = await client.send(deleteShareGroupOffsetsApi, 0, asked);
      return errorCode || responses[0]?.errorCode;
    };
    const deleted = async () =>
      (await client.send(deleteGroupsApi, 2, { groupsNames: ['workers'] })).results[0]?.errorCode;
    expect(await removed()).toBe(ErrorCode.NON_EMPTY_GROUP);
    expect(await deleted()).toBe(ErrorCode.NON_EMPTY_GROUP);
    await a.close();
    await a.beat(-1);
    expect(await removed()).toBe(0);
    expect(await removed()).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await offsets()).toBeUndefined();
    const b = await member('b');
    expect(await b.read()).toEqual(['0']);
    await b.close();
    await b.beat(-1);
    expect(await deleted()).toBe(0);
    expect(await deleted()).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    await restart();
    const c = await member('c');
    expect(await c.read()).toEqual(['0']);
  });

  test('gives up a member that says nothing', async () => {
    await configure('workers', { 'share.heartbeat.interval.ms': '100', 'share.session.timeout.ms': '300' });
    await member('a');
    const state = async () => {
      const asked = { groupIds: ['workers'], includeAuthorizedOperations: false };
      return (await client.send(shareGroupDescribeApi, 1, asked)).groups[0]?.groupState;
    };
    await expect.poll(state, { timeout: 20_000 }).toBe('Empty');
  });
});
