import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import { consumerGroupHeartbeatApi } from '../../src/wire/apis/68-consumer-group-heartbeat.ts';
import { consumerGroupDescribeApi } from '../../src/wire/apis/69-consumer-group-describe.ts';
import { type RawClient, TestBroker } from './harness.ts';

let broker: TestBroker;
let client: RawClient;
let topic: { name: string; id: string };
let groupId: string;
let groups = 0;

beforeAll(async () => {
  broker = await TestBroker.start();
  client = await broker.client();
});
afterAll(() => broker.close());
beforeEach(async () => {
  topic = await broker.topic(client);
  groupId = `group-${++groups}`;
  // Asked for, its coordinator is there soon.
  while ((await client.send(findCoordinatorApi, 3, { key: groupId })).errorCode !== 0);
});

interface Committer {
  generationIdOrMemberEpoch: number;
  memberId: string;
  groupInstanceId?: string;
}

async function commit(by: Committer, committedOffset: number): Promise<number | undefined> {
  const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: '' }];
  const body = { groupId, ...by, topics: [{ name: topic.name, partitions }] };
  const answer = await client.send(offsetCommitApi, 9, body);
  return answer.topics[0]?.partitions[0]?.errorCode;
}

async function position(): Promise<number | undefined> {
  const { groups: found } = await client.send(offsetFetchApi, 8, { groups: [{ groupId, topics: null }] });
  return found[0]?.topics[0]?.partitions[0]?.committedOffset;
}

/** A member of a classic group that is alone in it, or comes back under its instance's name. */
async function join(groupInstanceId: string): Promise<Committer> {
  const protocols = [{ name: 'range', metadata: new Uint8Array(0) }];
  const times = { sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000 };
  const asked = { groupId, memberId: '', groupInstanceId, protocolType: 'consumer', protocols, ...times };
  const { errorCode, memberId, generationId } = await client.send(joinGroupApi, 5, asked);
  expect(errorCode).toBe(0);
  const assignments = [{ memberId, assignment: new Uint8Array(0) }];
  const synced = { groupId, generationId, memberId, groupInstanceId, assignments };
  expect((await client.send(syncGroupApi, 5, synced)).errorCode).toBe(0);
  return { generationIdOrMemberEpoch: generationId, memberId, groupInstanceId };
}

interface Beat {
  memberId: string;
  memberEpoch: number;
  subscribedTopicRegex?: string;
  subscribedTopicNames?: string[];
  instanceId?: string;
}

function beat(said: Beat) {
  const owned = said.memberEpoch === 0 ? [] : null;
  return client.send(consumerGroupHeartbeatApi, 1, {
    groupId,
    rebalanceTimeoutMs: said.memberEpoch === 0 ? 30_000 : -1,
    topicPartitions: owned,
    ...said,
  });
}

describe('a member that is fenced commits nothing', () => {
  test('static, classic: its instance has come back as another', async () => {
    const zombie = await join('a');
    expect(await commit(zombie, 1)).toBe(0);
    const owner = await join('a');
    expect(await commit(zombie, 99)).toBe(ErrorCode.FENCED_INSTANCE_ID);
    expect(await position()).toBe(1);
    expect(await commit(owner, 2)).toBe(0);
    expect(await position()).toBe(2);
  });

  test('classic: of another generation, of nobody, or without a name', async () => {
    const member = await join('a');
    const { generationIdOrMemberEpoch: generation } = member;
    const at = (by: Partial<Committer>) => commit({ ...member, ...by }, 99);
    expect(await at({ generationIdOrMemberEpoch: generation - 1 })).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(await at({ generationIdOrMemberEpoch: generation + 1 })).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(await at({ groupInstanceId: 'b' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    const nobody = { generationIdOrMemberEpoch: generation, memberId: 'nobody' };
    expect(await commit(nobody, 99)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    const unnamed = { generationIdOrMemberEpoch: -1, memberId: '' };
    expect(await commit(unnamed, 99)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await commit(member, 1)).toBe(0);
    expect(await position()).toBe(1);
  });

  test('by KIP-848: of an epoch that has not come or is over, and beats no more', async () => {
    const memberId = 'AAAAAAAAAAAAAAAAAAAAAA';
    const joined = await beat({ memberId, memberEpoch: 0, subscribedTopicNames: [topic.name] });
    expect(joined.errorCode).toBe(0);
    const { memberEpoch } = joined;
    const at = (epoch: number) => commit({ generationIdOrMemberEpoch: epoch, memberId }, 99);
    expect(await at(memberEpoch + 1)).toBe(ErrorCode.STALE_MEMBER_EPOCH);
    expect(await commit({ generationIdOrMemberEpoch: memberEpoch, memberId }, 1)).toBe(0);
    expect((await beat({ memberId, memberEpoch: memberEpoch + 5 })).errorCode).toBe(
      ErrorCode.FENCED_MEMBER_EPOCH,
    );
    expect((await beat({ memberId, memberEpoch: -1 })).errorCode).toBe(0);
    expect(await at(memberEpoch)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect((await beat({ memberId, memberEpoch })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await position()).toBe(1);
  });
});

describe('a pattern', () => {
  test.each(['(', '[a-', 'a{1001}', '(?=a)', String.raw`(a)\1`, '*', '(?z)'])(
    '%s is none: nobody has joined',
    async (subscribedTopicRegex) => {
      const memberId = 'AAAAAAAAAAAAAAAAAAAAAA';
      const { errorCode } = await beat({ memberId, memberEpoch: 0, subscribedTopicRegex });
      expect(errorCode).toBe(ErrorCode.INVALID_REGULAR_EXPRESSION);
      const { groups: found } = await client.send(consumerGroupDescribeApi, 1, {
        groupIds: [groupId],
        includeAuthorizedOperations: false,
      });
      expect(found[0]?.errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    },
  );

  test('that is none leaves a member what it had', async () => {
    const memberId = 'AAAAAAAAAAAAAAAAAAAAAA';
    const joined = await beat({ memberId, memberEpoch: 0, subscribedTopicRegex: `${topic.name}` });
    const { memberEpoch } = joined;
    const bad = await beat({ memberId, memberEpoch, subscribedTopicRegex: '(' });
    expect(bad.errorCode).toBe(ErrorCode.INVALID_REGULAR_EXPRESSION);
    const { groups: found } = await client.send(consumerGroupDescribeApi, 1, {
      groupIds: [groupId],
      includeAuthorizedOperations: false,
    });
    expect(found[0]?.members.map((one) => one.subscribedTopicRegex)).toEqual([topic.name]);
    expect((await beat({ memberId, memberEpoch })).errorCode).toBe(0);
  });

  test('that would keep another engine busy for ever is answered', async () => {
    const name = 'a'.repeat(200);
    await broker.topic(client, { name });
    const joined = await beat({
      memberId: 'AAAAAAAAAAAAAAAAAAAAAA',
      memberEpoch: 0,
      subscribedTopicRegex: '(a+)+b',
    });
    expect(joined.errorCode).toBe(0);
    expect(joined.assignment?.topicPartitions).toEqual([]);
  });
});
