import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import type { Reply } from '../../src/model/machine.ts';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { heartbeatApi, type HeartbeatResponse } from '../../src/wire/apis/12-heartbeat.ts';
import { leaveGroupApi } from '../../src/wire/apis/13-leave-group.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import { describeGroupsApi } from '../../src/wire/apis/15-describe-groups.ts';
import { bytes, Coordinator } from './coordinator.ts';

const SESSION_MS = 10_000;
const LEASE_MS = 1_000_000;

/** A stable group with these members. Version 3 of JoinGroup: no round for an id. */
function stable(names: readonly string[]) {
  const coordinator = new Coordinator();
  const ids = new Map<string, string>();
  let generationId = -1;
  const join = (client: string) => {
    const protocols = [{ name: 'range', metadata: bytes(client) }];
    const about = { groupId: 'g', sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: 60_000 };
    const body = { ...about, memberId: ids.get(client) ?? '', protocolType: 'consumer', protocols };
    coordinator.send(joinGroupApi, body, { client, version: 3 }, (reply) => {
      ids.set(client, reply.memberId);
      ({ generationId } = reply);
    });
  };
  names.forEach(join);
  // Those that are in already learn that others came, and join again.
  names.slice(0, -1).forEach(join);
  for (const client of names)
    coordinator.ask(
      syncGroupApi,
      { groupId: 'g', generationId, memberId: ids.get(client) ?? '', assignments: [] },
      { client },
    );
  const beat = (client: string, leaseUntilMs: number | undefined, correlationId: number): Reply[] => {
    const decision = coordinator.machine.decide(
      {
        from: { link: 5, correlationId },
        caller: { principal: 'User:ANONYMOUS', clientId: client, clientHost: '/h' },
        apiKey: heartbeatApi.key,
        apiVersion: 4,
        body: { groupId: 'g', generationId, memberId: ids.get(client) ?? '', groupInstanceId: null },
        leaseUntilMs,
      },
      coordinator.nowMs,
    );
    expect(decision.records).toEqual([]);
    return [...decision.replies];
  };
  const members = () => {
    const { groups } = coordinator.ask(describeGroupsApi, { groups: ['g'] }, { client: 'admin' });
    return groups[0]?.members.length;
  };
  const id = (name: string) => ids.get(name) ?? '';
  return { coordinator, beat, members, id, generationId: () => generationId, join };
}

/** Time passes; what leased heartbeats are told meanwhile is not of interest. */
function pass(coordinator: Coordinator, untilMs: number): void {
  while (coordinator.machine.wakeAtMs <= untilMs) {
    coordinator.nowMs = Math.max(coordinator.nowMs, coordinator.machine.wakeAtMs);
    const { records, ...decision } = coordinator.machine.tick(coordinator.nowMs);
    coordinator.perform({
      records,
      ...decision,
      replies: decision.replies.filter(({ to }) => to.link !== 5),
    });
  }
  coordinator.nowMs = untilMs;
}

const codes = (replies: readonly Reply[]) =>
  replies.map(({ to, body, parked }) => [
    to.correlationId,
    (body as HeartbeatResponse).errorCode,
    parked ?? false,
  ]);

describe('a lease', () => {
  test('is given to a member of a group that stands still, where it is asked for', () => {
    const { beat } = stable(['a']);
    expect(beat('a', undefined, 1)[0]?.lease).toBeUndefined();
    expect(beat('a', LEASE_MS, 2)).toMatchObject([
      { parked: true, lease: { untilMs: LEASE_MS, silenceMs: SESSION_MS / 2 }, body: { errorCode: 0 } },
    ]);
  });

  test('keeps its member in the group, silent, until a session after its end', () => {
    const { coordinator, beat, members } = stable(['a']);
    beat('a', LEASE_MS, 1);
    pass(coordinator, LEASE_MS + SESSION_MS - 1);
    expect(members()).toBe(1);
    pass(coordinator, LEASE_MS + SESSION_MS);
    expect(members()).toBe(0);
  });

  test('is not shortened by what else its member does', () => {
    const { coordinator, beat, members, id, generationId } = stable(['a']);
    beat('a', LEASE_MS, 1);
    const topics = [
      { name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] },
    ];
    const body = { groupId: 'g', generationIdOrMemberEpoch: generationId(), memberId: id('a'), topics };
    coordinator.ask(offsetCommitApi, body, { client: 'a', version: 8 });
    pass(coordinator, LEASE_MS);
    expect(members()).toBe(1);
  });

  test('that is given back leaves its member one session', () => {
    const { coordinator, beat, members } = stable(['a']);
    beat('a', LEASE_MS, 1);
    expect(coordinator.machine.cancel({ link: 5, correlationId: 9 }, coordinator.nowMs)).toBe(false);
    expect(coordinator.machine.cancel({ link: 5, correlationId: 1 }, coordinator.nowMs)).toBe(true);
    pass(coordinator, SESSION_MS - 1);
    expect(members()).toBe(1);
    pass(coordinator, SESSION_MS);
    expect(members()).toBe(0);
  });

  test('of a member that came back by another way is not touched by the end of the old one', () => {
    const { coordinator, beat, members } = stable(['a']);
    beat('a', LEASE_MS, 1);
    beat('a', LEASE_MS, 2);
    expect(coordinator.machine.cancel({ link: 5, correlationId: 1 }, coordinator.nowMs)).toBe(true);
    pass(coordinator, LEASE_MS);
    expect(members()).toBe(1);
  });

  test('ends for all when somebody joins: each hears of the rebalance', () => {
    const { coordinator, beat } = stable(['a', 'b']);
    beat('a', LEASE_MS, 1);
    beat('b', LEASE_MS, 2);
    const joining = coordinator.machine.decide(
      {
        from: { link: 6, correlationId: 3 },
        caller: { principal: 'User:ANONYMOUS', clientId: 'c', clientHost: '/h' },
        apiKey: joinGroupApi.key,
        apiVersion: 3,
        body: {
          groupId: 'g',
          sessionTimeoutMs: SESSION_MS,
          rebalanceTimeoutMs: 60_000,
          memberId: '',
          groupInstanceId: null,
          protocolType: 'consumer',
          protocols: [{ name: 'range', metadata: bytes('c') }],
        },
      },
      coordinator.nowMs,
    );
    expect(codes(joining.replies)).toEqual([
      [1, ErrorCode.REBALANCE_IN_PROGRESS, false],
      [2, ErrorCode.REBALANCE_IN_PROGRESS, false],
    ]);
    expect(codes(beat('a', LEASE_MS, 4))).toEqual([[4, ErrorCode.REBALANCE_IN_PROGRESS, false]]);
    // None of the old leases holds anybody any more.
    expect(coordinator.machine.wakeAtMs).toBeLessThanOrEqual(coordinator.nowMs + SESSION_MS);
  });

  test('ends when its member leaves', () => {
    const { coordinator, beat, id } = stable(['a']);
    beat('a', LEASE_MS, 1);
    const leaving = coordinator.machine.decide(
      {
        from: { link: 6, correlationId: 3 },
        caller: { principal: 'User:ANONYMOUS', clientId: 'a', clientHost: '/h' },
        apiKey: leaveGroupApi.key,
        apiVersion: 5,
        body: { groupId: 'g', memberId: '', members: [{ memberId: id('a'), groupInstanceId: null }] },
      },
      coordinator.nowMs,
    );
    const [, told] = leaving.replies;
    expect(told && codes([told])).toEqual([[1, ErrorCode.UNKNOWN_MEMBER_ID, false]]);
  });

  test('is asked for again after a sleep: the log has none', () => {
    const { coordinator, beat, members } = stable(['a']);
    beat('a', LEASE_MS, 1);
    coordinator.reload();
    expect(beat('a', LEASE_MS, 2)).toMatchObject([{ parked: true }]);
    pass(coordinator, LEASE_MS);
    expect(members()).toBe(1);
    expect(codes(beat('a', LEASE_MS, 3))).toEqual([[3, ErrorCode.NONE, false]]);
  });
});
