import { expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { joinGroupApi, type JoinGroupResponse } from '../../src/wire/apis/11-join-group.ts';
import { leaveGroupApi } from '../../src/wire/apis/13-leave-group.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import { listGroupsApi } from '../../src/wire/apis/16-list-groups.ts';
import { bytes, Coordinator, text } from './coordinator.ts';

interface Joining {
  memberId?: string;
  protocols?: string[];
  protocolType?: string;
  sessionTimeoutMs?: number;
  groupId?: string;
  version?: number;
  client?: string;
}

/** Metadata says who sent it. Version 3: no round for an id. */
function join(coordinator: Coordinator, joining: Joining): JoinGroupResponse[] {
  const { client = 'a', version = 3 } = joining;
  const replies: JoinGroupResponse[] = [];
  const body = {
    groupId: joining.groupId ?? 'g',
    sessionTimeoutMs: joining.sessionTimeoutMs ?? 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId: joining.memberId ?? '',
    protocolType: joining.protocolType ?? 'consumer',
    protocols: (joining.protocols ?? ['range']).map((name) => ({
      name,
      metadata: bytes(`${client} ${name}`),
    })),
  };
  coordinator.send(joinGroupApi, body, { client, version }, (reply) => replies.push(reply));
  return replies;
}

function errorOf(coordinator: Coordinator, joining: Joining): number | undefined {
  return join(coordinator, joining)[0]?.errorCode;
}

test('the protocol is the one most members prefer of those all know', () => {
  const coordinator = new Coordinator();
  join(coordinator, { client: 'a', protocols: ['x', 'range', 'rr'] });
  const b = join(coordinator, { client: 'b', protocols: ['rr', 'range', 'y'] });
  const c = join(coordinator, { client: 'c', protocols: ['rr', 'range'] });
  const a = join(coordinator, { client: 'a', memberId: 'a-1', protocols: ['x', 'range', 'rr'] });
  expect([a, b, c].map(([reply]) => reply?.protocolName)).toEqual(['rr', 'rr', 'rr']);
  expect(a[0]?.members.map(({ metadata }) => text(metadata))).toEqual(['a rr', 'b rr', 'c rr']);
  expect(b[0]?.members).toEqual([]);
});

test('who shares no protocol with the group is refused, and stays out of it', () => {
  const coordinator = new Coordinator();
  join(coordinator, { client: 'a', protocols: ['range', 'range'] });
  expect(errorOf(coordinator, { client: 'b', protocols: ['rr'] })).toBe(
    ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
  );
  expect(errorOf(coordinator, { client: 'b', protocolType: 'connect' })).toBe(23);
  expect(errorOf(coordinator, { client: 'b', protocols: [] })).toBe(23);
  expect(errorOf(coordinator, { client: 'b', groupId: 'other', protocols: [] })).toBe(23);
  expect(errorOf(coordinator, { client: 'b', groupId: 'other', protocolType: '' })).toBe(23);
  expect(coordinator.ask(listGroupsApi, {}, { client: 'admin' }).groups).toHaveLength(1);
});

test('a group that all have left before its first generation takes the next one that comes', () => {
  const coordinator = new Coordinator({ groupInitialRebalanceDelayMs: 3_000 });
  join(coordinator, { client: 'a' });
  coordinator.ask(leaveGroupApi, { groupId: 'g', members: [{ memberId: 'a-1' }] }, { client: 'a' });
  const b = join(coordinator, { client: 'b' });
  expect(b).toEqual([]);
  coordinator.pass(6_000);
  expect(b).toMatchObject([{ errorCode: ErrorCode.NONE, generationId: 1 }]);
});

test('requests outside the bounds are refused', () => {
  const coordinator = new Coordinator();
  expect(errorOf(coordinator, { groupId: '' })).toBe(ErrorCode.INVALID_GROUP_ID);
  expect(errorOf(coordinator, { sessionTimeoutMs: 5_999 })).toBe(ErrorCode.INVALID_SESSION_TIMEOUT);
  expect(errorOf(coordinator, { sessionTimeoutMs: 1_800_001 })).toBe(ErrorCode.INVALID_SESSION_TIMEOUT);
  expect(errorOf(coordinator, { memberId: 'nobody' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  expect(errorOf(coordinator, { sessionTimeoutMs: 6_000 })).toBe(ErrorCode.NONE);
  expect(errorOf(coordinator, { memberId: 'nobody' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
});

test('a full group takes no more members, and keeps those it has', () => {
  const coordinator = new Coordinator({ groupMaxSize: 2 });
  join(coordinator, { client: 'a' });
  const b = join(coordinator, { client: 'b' });
  const a = join(coordinator, { client: 'a', memberId: 'a-1' });
  expect([...a, ...b].map(({ generationId }) => generationId)).toEqual([2, 2]);
  expect(errorOf(coordinator, { client: 'c' })).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED);
  expect(errorOf(coordinator, { client: 'b', memberId: 'b-2' })).toBe(ErrorCode.NONE);
});

test('ids handed out are bounded, and come back when nobody uses them', () => {
  const coordinator = new Coordinator({ pendingMembersMax: 2 });
  expect(errorOf(coordinator, { version: 4, groupId: 'one' })).toBe(ErrorCode.MEMBER_ID_REQUIRED);
  expect(errorOf(coordinator, { version: 4, groupId: 'two' })).toBe(ErrorCode.MEMBER_ID_REQUIRED);
  expect(errorOf(coordinator, { version: 4, groupId: 'three' })).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  expect(coordinator.ask(listGroupsApi, {}, { client: 'admin' }).groups).toHaveLength(2);
  coordinator.pass(10_000);
  expect(coordinator.ask(listGroupsApi, {}, { client: 'admin' }).groups).toEqual([]);
  expect(coordinator.machine.wakeAtMs).toBe(Infinity);
  expect(errorOf(coordinator, { version: 4, groupId: 'three' })).toBe(ErrorCode.MEMBER_ID_REQUIRED);
});

test('an id given to a dynamic member cannot be used by a static one', () => {
  const coordinator = new Coordinator();
  join(coordinator, { version: 4 });
  const body = {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    memberId: 'a-1',
    groupInstanceId: 'one',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: bytes('') }],
  };
  expect(coordinator.ask(joinGroupApi, body, { client: 'a' }).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
});

test('the longest client id makes a member id that fits', () => {
  const coordinator = new Coordinator();
  const [reply] = join(coordinator, { client: '😀'.repeat(8_191) });
  expect(reply?.memberId.length).toBeLessThan(300);
  expect(join(coordinator, { client: 'x', memberId: reply?.memberId ?? '' })).toHaveLength(1);
});

test.each([0, 1, 6, 7, 9])('an error of JoinGroup can be written in version %i', (version) => {
  const coordinator = new Coordinator();
  const [reply] = join(coordinator, { version, groupId: '' });
  expect(reply).toMatchObject({ errorCode: 24, generationId: -1, leader: '', members: [] });
  expect(reply?.protocolName).toBe(version >= 7 ? null : '');
});

test('sync: who is unknown, fenced, late or of another protocol is told so', () => {
  const coordinator = new Coordinator();
  join(coordinator, { client: 'a' });
  const sync = (changes: object) => {
    const body = { groupId: 'g', generationId: 1, memberId: 'a-1', assignments: [], ...changes };
    return coordinator.ask(syncGroupApi, body, { client: 'a' }).errorCode;
  };
  expect(sync({ groupId: '' })).toBe(ErrorCode.INVALID_GROUP_ID);
  expect(sync({ groupId: 'other' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  expect(sync({ memberId: 'b' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  expect(sync({ groupInstanceId: 'one' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  expect(sync({ generationId: 0 })).toBe(ErrorCode.ILLEGAL_GENERATION);
  expect(sync({ protocolType: 'connect' })).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  expect(sync({ protocolName: 'rr' })).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  expect(sync({ protocolType: 'consumer', protocolName: 'range' })).toBe(ErrorCode.NONE);
});

test('an assignment too large for a record fails the generation, and the group goes on', () => {
  const coordinator = new Coordinator({ recordsMaxBytes: 1_000 });
  join(coordinator, { client: 'a' });
  const body = { groupId: 'g', generationId: 1, memberId: 'a-1' };
  const large = [{ memberId: 'a-1', assignment: new Uint8Array(2_000) }];
  const reply = coordinator.ask(syncGroupApi, { ...body, assignments: large }, { client: 'a' });
  expect(reply.errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
  expect(coordinator.log).toEqual([]);
  expect(join(coordinator, { client: 'a', memberId: 'a-1' })[0]?.generationId).toBe(2);
});

test('a leader that never syncs is dropped after the rebalance timeout, though its heart beats', () => {
  const coordinator = new Coordinator();
  join(coordinator, { client: 'a' });
  const beat = () =>
    coordinator.ask(heartbeatApi, { groupId: 'g', generationId: 1, memberId: 'a-1' }, { client: 'a' })
      .errorCode;
  for (let second = 5; second < 60; second += 5) {
    coordinator.pass(second * 1_000);
    expect(beat()).toBe(ErrorCode.NONE);
  }
  coordinator.pass(60_000);
  expect(beat()).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
});

test('leave: many at once, each with its own answer; one in the versions before', () => {
  const coordinator = new Coordinator();
  join(coordinator, { client: 'a' });
  const members = [
    { memberId: 'a-1' },
    { memberId: 'a-1' },
    { memberId: '' },
    { memberId: 'x', groupInstanceId: 'y' },
  ];
  const all = members.map((member) => ({ groupInstanceId: null, ...member }));
  const reply = coordinator.ask(leaveGroupApi, { groupId: 'g', members: all }, { client: 'a' });
  expect(reply.errorCode).toBe(0);
  expect(reply.members.map(({ errorCode }) => errorCode)).toEqual([0, 25, 25, 25]);
  const old = { client: 'a', version: 2 };
  expect(coordinator.ask(leaveGroupApi, { groupId: 'g', memberId: 'a-1' }, old).errorCode).toBe(25);
  const absent = coordinator.ask(leaveGroupApi, { groupId: 'none', members: all }, { client: 'a' });
  expect(absent.members.map(({ errorCode }) => errorCode)).toEqual([25, 25, 25, 25]);
  expect(coordinator.ask(leaveGroupApi, { groupId: '', members: [] }, { client: 'a' }).errorCode).toBe(24);
});

test('a rebalance timeout of nothing ends at once, and never spins', () => {
  const coordinator = new Coordinator();
  const body = {
    groupId: 'g',
    sessionTimeoutMs: 6_000,
    rebalanceTimeoutMs: 0,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: bytes('') }],
  };
  const fixed = { ...body, memberId: '', groupInstanceId: 'one' };
  const { memberId } = coordinator.ask(joinGroupApi, fixed, { client: 'a' });
  const sync = { groupId: 'g', generationId: 1, memberId, assignments: [] };
  coordinator.ask(syncGroupApi, sync, { client: 'a' });
  // Someone comes and goes, and only the static member, which is away, is left to wait for.
  const b = coordinator.ask(joinGroupApi, { ...body, memberId: '' }, { client: 'b' });
  coordinator.send(joinGroupApi, { ...body, memberId: b.memberId }, { client: 'b' }, () => undefined);
  const leaving = [{ memberId: b.memberId, groupInstanceId: null }];
  coordinator.ask(leaveGroupApi, { groupId: 'g', members: leaving }, { client: 'b' });
  let ticks = 0;
  coordinator.pass(60_000, () => ticks++);
  expect(ticks).toBeLessThan(20);
  expect(coordinator.ask(listGroupsApi, {}, { client: 'admin' }).groups[0]?.groupState).toBe('Empty');
});

test('groups that all end at once are written a batch at a time', () => {
  const coordinator = new Coordinator({ recordsMaxBytes: 1_000 });
  for (let index = 0; index < 200; index++) {
    const [reply] = join(coordinator, { groupId: `g${index}` });
    const body = { groupId: `g${index}`, generationId: 1, memberId: reply?.memberId ?? '', assignments: [] };
    coordinator.ask(syncGroupApi, body, { client: 'a' });
  }
  const batches: number[] = [];
  coordinator.pass(10_000, (_atMs, records) => batches.push(records.length));
  expect(Math.max(...batches)).toBeLessThan(30);
  expect(batches.reduce((sum, count) => sum + count, 0)).toBe(200);
});
