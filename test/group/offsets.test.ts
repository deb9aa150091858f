import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { offsetCommitApi, type OffsetCommitRequest } from '../../src/wire/apis/08-offset-commit.ts';
import { offsetFetchApi, type OffsetFetchRequest } from '../../src/wire/apis/09-offset-fetch.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import { describeGroupsApi } from '../../src/wire/apis/15-describe-groups.ts';
import { listGroupsApi } from '../../src/wire/apis/16-list-groups.ts';
import { deleteGroupsApi } from '../../src/wire/apis/42-delete-groups.ts';
import { offsetDeleteApi } from '../../src/wire/apis/47-offset-delete.ts';
import { bytes, Coordinator } from './coordinator.ts';

const ADMIN = { client: 'admin' };
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAQQ';
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAQg';
const HOUR_MS = 3_600_000;

interface Committing {
  group?: string;
  topic?: string;
  offset?: number;
  metadata?: string | null;
  version?: number;
  generationId?: number;
  memberId?: string;
  groupInstanceId?: string | null;
  retentionTimeMs?: number;
}

function commit(coordinator: Coordinator, committing: Committing = {}): number | undefined {
  const { version = 9 } = committing;
  const partition = {
    partitionIndex: 0,
    committedOffset: committing.offset ?? 5,
    committedLeaderEpoch: version >= 6 ? 3 : -1,
    committedMetadata: committing.metadata ?? null,
  };
  const body = {
    groupId: committing.group ?? 'g',
    generationIdOrMemberEpoch: committing.generationId ?? -1,
    memberId: committing.memberId ?? '',
    groupInstanceId: committing.groupInstanceId ?? null,
    retentionTimeMs: committing.retentionTimeMs ?? -1,
    topics: [{ name: committing.topic ?? 't', partitions: [partition] }],
  };
  return coordinator.ask(offsetCommitApi, body, { client: 'a', version }).topics[0]?.partitions[0]?.errorCode;
}

function positions(coordinator: Coordinator, group = 'g'): string[] {
  const { groups } = coordinator.ask(
    offsetFetchApi,
    { groups: [{ groupId: group, topics: null }] },
    { ...ADMIN, version: 9 },
  );
  return (groups[0]?.topics ?? []).flatMap(({ name, partitions }) =>
    partitions.map((each) => `${name}-${each.partitionIndex}=${each.committedOffset}`),
  );
}

/** A stable group of one, whose member is `a-1` in generation 1 and reads topic `t`. */
function stableGroup(coordinator: Coordinator): void {
  const identity = { groupId: 'g', memberId: '', sessionTimeoutMs: 1_800_000, protocolType: 'consumer' };
  const subscription = Uint8Array.from([0, 0, 0, 0, 0, 1, 0, 1, ...bytes('t'), 0xff, 0xff, 0xff, 0xff]);
  const protocols = [{ name: 'range', metadata: subscription }];
  coordinator.send(joinGroupApi, { ...identity, protocols }, { client: 'a', version: 0 }, () => undefined);
}

function sync(coordinator: Coordinator): void {
  const body = { groupId: 'g', generationId: 1, memberId: 'a-1', assignments: [] };
  coordinator.ask(syncGroupApi, body, { client: 'a' });
}

test('a position comes back with epoch and metadata; what nobody committed is -1 without an error', () => {
  const coordinator = new Coordinator();
  expect(commit(coordinator, { metadata: 'mine', offset: 42 })).toBe(0);
  const topics = [
    { name: 't', partitionIndexes: [0, 1] },
    { name: 'u', partitionIndexes: [0] },
  ];
  const { groups } = coordinator.ask(
    offsetFetchApi,
    {
      groups: [
        { groupId: 'g', topics },
        { groupId: 'none', topics },
        { groupId: 'none', topics: null },
      ],
    },
    { ...ADMIN, version: 9 },
  );
  expect(groups[0]?.topics[0]?.partitions).toEqual([
    { partitionIndex: 0, committedOffset: 42, committedLeaderEpoch: 3, metadata: 'mine', errorCode: 0 },
    { partitionIndex: 1, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 },
  ]);
  expect(groups[1]?.topics[1]?.partitions[0]).toMatchObject({ committedOffset: -1, errorCode: 0 });
  expect(groups[2]).toMatchObject({ topics: [], errorCode: 0 });
});

test.each([1, 2, 5, 7])('before v8 one group is fetched (v%i)', (version) => {
  const coordinator = new Coordinator();
  commit(coordinator);
  const topics = [{ name: 't', partitionIndexes: [0] }];
  const one = coordinator.ask(offsetFetchApi, { groupId: 'g', topics }, { ...ADMIN, version });
  expect(one.topics[0]?.partitions[0]?.committedOffset).toBe(5);
  if (version === 1) return;
  const all = coordinator.ask(offsetFetchApi, { groupId: 'g', topics: null }, { ...ADMIN, version });
  expect(all.topics).toEqual(one.topics);
});

test('by topic id: the name decides, the id tells a new topic from a deleted one', () => {
  const coordinator = new Coordinator();
  const named = (name: string) => (body: unknown) => {
    const { topics, groups } = body as Partial<OffsetCommitRequest & OffsetFetchRequest>;
    for (const topic of [...(topics ?? []), ...(groups ?? []).flatMap((group) => group.topics ?? [])])
      topic.name = name;
  };
  const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: null }];
  const body = { groupId: 'g', memberId: '', topics: [{ topicId: TOPIC_ID, partitions }] };
  const commitAs = (name: string) =>
    coordinator.ask(offsetCommitApi, body, { client: 'a', version: 10, prepare: named(name) }).topics[0];
  expect(commitAs('t')).toMatchObject({ topicId: TOPIC_ID, partitions: [{ errorCode: 0 }] });
  expect(commitAs('')?.partitions[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
  const fetchAs = (name: string, topicId: string) => {
    const groups = [{ groupId: 'g', topics: [{ topicId, partitionIndexes: [0] }] }];
    const asking = { ...ADMIN, version: 10, prepare: named(name) };
    return coordinator.ask(offsetFetchApi, { groups }, asking).groups[0]?.topics[0]?.partitions[0];
  };
  expect(fetchAs('t', TOPIC_ID)).toMatchObject({ committedOffset: 5, errorCode: 0 });
  expect(fetchAs('t', OTHER_ID)).toMatchObject({ committedOffset: -1, errorCode: 0 });
  expect(fetchAs('', TOPIC_ID)).toMatchObject({ committedOffset: -1, errorCode: ErrorCode.UNKNOWN_TOPIC_ID });
  const all = coordinator.ask(
    offsetFetchApi,
    { groups: [{ groupId: 'g', topics: null }] },
    { ...ADMIN, version: 10 },
  );
  expect(all.groups[0]?.topics[0]?.topicId).toBe(TOPIC_ID);
  coordinator.reload();
  expect(fetchAs('t', OTHER_ID)?.committedOffset).toBe(-1);
});

test('who may commit', () => {
  const coordinator = new Coordinator();
  expect(commit(coordinator, { group: 'none', generationId: 1 })).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
  expect(commit(coordinator, { group: 'none', generationId: 1, version: 8 })).toBe(
    ErrorCode.ILLEGAL_GENERATION,
  );
  stableGroup(coordinator);
  const member = { memberId: 'a-1', generationId: 1 };
  expect(commit(coordinator, member)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  sync(coordinator);
  expect(commit(coordinator, member)).toBe(ErrorCode.NONE);
  expect(commit(coordinator, { ...member, generationId: 2 })).toBe(ErrorCode.ILLEGAL_GENERATION);
  expect(commit(coordinator, { ...member, generationId: -1 })).toBe(ErrorCode.ILLEGAL_GENERATION);
  expect(commit(coordinator, { ...member, memberId: 'b' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  expect(commit(coordinator, { ...member, groupInstanceId: 'one' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  expect(commit(coordinator)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
});

test('what cannot be kept is refused', () => {
  const coordinator = new Coordinator({ recordsMaxBytes: 6_000 });
  expect(commit(coordinator, { metadata: 'x'.repeat(4_096) })).toBe(ErrorCode.NONE);
  expect(commit(coordinator, { metadata: 'x'.repeat(4_097), offset: 6 })).toBe(
    ErrorCode.OFFSET_METADATA_TOO_LARGE,
  );
  expect(commit(coordinator, { topic: '' })).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  expect(positions(coordinator)).toEqual(['t-0=5']);
  const long = { partitionIndex: 0, committedOffset: 7, committedMetadata: 'x'.repeat(4_000) };
  const body = {
    groupId: 'g',
    memberId: '',
    topics: ['t', 'u'].map((name) => ({ name, partitions: [long] })),
  };
  const reply = coordinator.ask(offsetCommitApi, body, { client: 'a', version: 9 });
  expect(reply.topics.map(({ partitions }) => partitions[0]?.errorCode)).toEqual([28, 28]);
  expect(positions(coordinator)).toEqual(['t-0=5']);
});

test('positions of no group expire from their own commit', () => {
  const coordinator = new Coordinator({ offsetsRetentionMinutes: 60 });
  commit(coordinator);
  coordinator.pass(HOUR_MS / 2);
  commit(coordinator, { topic: 'u' });
  coordinator.pass(HOUR_MS - 1);
  expect(positions(coordinator)).toEqual(['t-0=5', 'u-0=5']);
  coordinator.pass(HOUR_MS);
  expect(positions(coordinator)).toEqual(['u-0=5']);
  coordinator.pass(HOUR_MS * 2);
  expect(coordinator.ask(listGroupsApi, {}, ADMIN).groups).toEqual([]);
  expect(coordinator.machine.wakeAtMs).toBe(Infinity);
});

test('positions of a group live as long as its members, and a week from when it became empty', () => {
  const coordinator = new Coordinator({ offsetsRetentionMinutes: 60 });
  stableGroup(coordinator);
  sync(coordinator);
  commit(coordinator, { memberId: 'a-1', generationId: 1 });
  commit(coordinator, { memberId: 'a-1', generationId: 1, topic: 'unread' });
  // The member's session ends after half an hour: beat by commits, then stop.
  for (let minute = 20; minute <= 180; minute += 20) {
    coordinator.pass(minute * 60_000);
    commit(coordinator, { memberId: 'a-1', generationId: 1, topic: 'beat' });
  }
  expect(positions(coordinator)).toEqual(['t-0=5', 'beat-0=5']);
  const emptyAtMs = 3.5 * HOUR_MS;
  coordinator.pass(emptyAtMs + HOUR_MS - 1);
  expect(positions(coordinator)).toEqual(['t-0=5', 'beat-0=5']);
  coordinator.pass(emptyAtMs + HOUR_MS + 600_000);
  expect(coordinator.ask(listGroupsApi, {}, ADMIN).groups).toEqual([]);
});

test('a retention the client asks for comes first (v2-4)', () => {
  const coordinator = new Coordinator();
  commit(coordinator, { version: 4, retentionTimeMs: HOUR_MS });
  commit(coordinator, { version: 4, retentionTimeMs: Number.MAX_SAFE_INTEGER, topic: 'u' });
  coordinator.pass(HOUR_MS - 1);
  expect(positions(coordinator)).toEqual(['t-0=5', 'u-0=5']);
  coordinator.reload();
  coordinator.pass(HOUR_MS + 600_000);
  expect(positions(coordinator)).toEqual(['u-0=5']);
});

test('what expires at once is written a batch at a time', () => {
  const coordinator = new Coordinator({ offsetsRetentionMinutes: 1, recordsMaxBytes: 1_000 });
  for (let index = 0; index < 200; index++) commit(coordinator, { topic: `t${index}` });
  const batches: number[] = [];
  coordinator.pass(24 * HOUR_MS, (_atMs, records) => batches.push(records.length));
  expect(positions(coordinator)).toEqual([]);
  expect(Math.max(...batches)).toBeLessThan(100);
});

test('list: by state and type, in any case', () => {
  const coordinator = new Coordinator();
  stableGroup(coordinator);
  sync(coordinator);
  commit(coordinator, { group: 'offsets only' });
  const list = (statesFilter: string[], typesFilter: string[] = []) =>
    coordinator.ask(listGroupsApi, { statesFilter, typesFilter }, ADMIN).groups;
  expect(list([])).toEqual([
    { groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' },
    { groupId: 'offsets only', protocolType: '', groupState: 'Empty', groupType: 'classic' },
  ]);
  expect(list(['stable'], ['Classic']).map(({ groupId }) => groupId)).toEqual(['g']);
  expect(list([], ['consumer'])).toEqual([]);
});

test('describe: members of a stable group; what does not exist is Dead, and an error from v6 on', () => {
  const coordinator = new Coordinator();
  stableGroup(coordinator);
  const describe = (group: string, version: number) =>
    coordinator.ask(describeGroupsApi, { groups: [group] }, { ...ADMIN, version }).groups[0];
  expect(describe('g', 6)).toMatchObject({ groupState: 'CompletingRebalance', protocolData: '' });
  expect(describe('g', 6)?.members[0]?.memberMetadata).toHaveLength(0);
  sync(coordinator);
  expect(describe('g', 6)).toMatchObject({
    errorCode: 0,
    groupState: 'Stable',
    protocolType: 'consumer',
    protocolData: 'range',
    members: [{ memberId: 'a-1', groupInstanceId: null, clientId: 'a', clientHost: '/127.0.0.1' }],
    authorizedOperations: -2147483648,
  });
  expect(describe('g', 6)?.members[0]?.memberMetadata.length).toBeGreaterThan(0);
  expect(describe('none', 5)).toMatchObject({ errorCode: 0, groupState: 'Dead' });
  expect(describe('none', 6)).toMatchObject({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, groupState: 'Dead' });
});

test('delete: empty groups only, with their positions', () => {
  const coordinator = new Coordinator();
  stableGroup(coordinator);
  sync(coordinator);
  commit(coordinator, { group: 'old' });
  commit(coordinator, { group: 'old', topic: 'u' });
  const groupsNames = ['g', 'old', 'old', 'none', ''];
  const { results } = coordinator.ask(deleteGroupsApi, { groupsNames }, ADMIN);
  expect(results.map(({ errorCode }) => errorCode)).toEqual([68, 0, 69, 69, 24]);
  expect(positions(coordinator, 'old')).toEqual([]);
  coordinator.reload();
  expect(coordinator.ask(listGroupsApi, {}, ADMIN).groups.map(({ groupId }) => groupId)).toEqual(['g']);
});

describe('deleting positions', () => {
  const forget = (coordinator: Coordinator, topics: Record<string, number[]>, groupId = 'g') => {
    const body = {
      groupId,
      topics: Object.entries(topics).map(([name, partitions]) => ({
        name,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex })),
      })),
    };
    const { errorCode, topics: answered } = coordinator.ask(offsetDeleteApi, body, ADMIN);
    const codes = answered.flatMap(({ name, partitions }) =>
      partitions.map((each) => `${name}-${each.partitionIndex}:${each.errorCode}`),
    );
    return [errorCode, ...codes];
  };

  test('those that are there go, those that are not are gone already, also after a replay', () => {
    const coordinator = new Coordinator();
    commit(coordinator);
    commit(coordinator, { topic: 'u' });
    expect(forget(coordinator, { t: [0, 0, 1], v: [7] })).toEqual([0, 't-0:0', 't-0:0', 't-1:0', 'v-7:0']);
    coordinator.reload();
    expect(positions(coordinator)).toEqual(['u-0=5']);
  });

  test('not of topics that members read', () => {
    const coordinator = new Coordinator();
    commit(coordinator);
    commit(coordinator, { topic: 'u' });
    stableGroup(coordinator);
    sync(coordinator);
    expect(forget(coordinator, { t: [0], u: [0] })).toEqual([
      0,
      `t-0:${ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC}`,
      'u-0:0',
    ]);
    expect(positions(coordinator)).toEqual(['t-0=5']);
  });

  test('not of a group of another kind while it has members, nor of none', () => {
    const coordinator = new Coordinator();
    commit(coordinator, { group: 'c' });
    const identity = { groupId: 'c', memberId: '', sessionTimeoutMs: 10_000, protocolType: 'connect' };
    const protocols = [{ name: 'sessioned', metadata: new Uint8Array(4) }];
    coordinator.send(joinGroupApi, { ...identity, protocols }, { client: 'c', version: 0 }, () => undefined);
    expect(forget(coordinator, { t: [0] }, 'c')).toEqual([ErrorCode.NON_EMPTY_GROUP]);
    expect(positions(coordinator, 'c')).toEqual(['t-0=5']);
    expect(forget(coordinator, { t: [0] }, 'none')).toEqual([ErrorCode.GROUP_ID_NOT_FOUND]);
    expect(forget(coordinator, { t: [0] }, '')).toEqual([ErrorCode.INVALID_GROUP_ID]);
  });
});
