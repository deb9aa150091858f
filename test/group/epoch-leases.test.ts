import { describe, expect, test } from 'vitest';
import { GroupMachine } from '../../src/group/index.ts';
import type { Ask, LeaseTerms, Reply } from '../../src/model/machine.ts';
import { consumerGroupHeartbeatApi } from '../../src/wire/apis/68-consumer-group-heartbeat.ts';
import { shareGroupHeartbeatApi } from '../../src/wire/apis/76-share-group-heartbeat.ts';
import { MachineHost } from '../support/machine-host.ts';
import { OTHERS } from './coordinator.ts';
import { FakeTopics } from './fake-topics.ts';

const LEASE_MS = 1_000_000;
const SESSION_MS = 45_000;

const NOTHING_NEW = {
  instanceId: null,
  rebalanceTimeoutMs: -1,
  subscribedTopicRegex: null,
  serverAssignor: null,
};

interface States {
  topics: { topicId: string; partitions: { partition: number }[] }[];
}

/** A group of KIP-848 or a share group, of members that say no more than they must. */
class Groups extends MachineHost<GroupMachine> {
  readonly topics: FakeTopics;
  readonly #isShare: boolean;
  readonly epochs = new Map<string, number>();
  #correlationId = 1_000;

  constructor(protocol: 'consumer' | 'share') {
    const topics = new FakeTopics();
    topics.set('t', 2);
    const config = { consumerAssignmentIntervalMs: 0, shareAssignmentIntervalMs: 0 };
    super(
      () =>
        new GroupMachine({
          ...OTHERS,
          id: () => 'x',
          config,
          cluster: topics,
          shareCoordinator: () => 's/0',
        }),
    );
    this.topics = topics;
    this.#isShare = protocol === 'share';
  }

  join(memberId: string): void {
    const who = { groupId: 'g', memberId, memberEpoch: 0, subscribedTopicNames: ['t'] };
    const { memberEpoch } = this.#isShare
      ? this.ask(shareGroupHeartbeatApi, who, { client: memberId })
      : this.ask(
          consumerGroupHeartbeatApi,
          { ...who, topicPartitions: [], rebalanceTimeoutMs: 1_000 },
          { client: memberId },
        );
    this.epochs.set(memberId, memberEpoch);
    for (const ask of this.asks.slice()) this.#settle(ask);
  }

  #settle(ask: Ask): void {
    const results = (ask.body as States).topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode: 0, errorMessage: null })),
    }));
    this.answer(ask, { body: { results } });
  }

  /** Once all know their part of the group's newest epoch. */
  calm(): void {
    for (let round = 0; round < 4; round++) for (const memberId of this.epochs.keys()) this.beat(memberId);
  }

  beat(memberId: string, about: { leaseUntilMs?: number; isResumed?: boolean } = {}): Reply[] {
    const isLeased = about.isResumed === true || about.leaseUntilMs !== undefined;
    const memberEpoch = this.epochs.get(memberId) ?? 0;
    const base = { groupId: 'g', memberId, memberEpoch, subscribedTopicNames: null, rackId: null };
    const { key } = this.#isShare ? shareGroupHeartbeatApi : consumerGroupHeartbeatApi;
    const decision = this.machine.decide(
      {
        from: { link: 5, correlationId: ++this.#correlationId },
        caller: { principal: 'User:ANONYMOUS', clientId: memberId, clientHost: '/127.0.0.1' },
        apiKey: key,
        apiVersion: 1,
        body: this.#isShare ? base : { ...NOTHING_NEW, ...base, topicPartitions: isLeased ? null : [] },
        ...about,
      },
      this.nowMs,
    );
    this.log.push(...decision.records);
    for (const record of decision.records) this.machine.apply(record, this.nowMs);
    for (const ask of decision.asks ?? []) this.#settle(ask);
    const own = decision.replies.find(({ to }) => to.correlationId === this.#correlationId);
    if (own === undefined) throw new Error('a heartbeat was not answered');
    const { memberEpoch: epoch, errorCode } = own.body as { memberEpoch: number; errorCode: number };
    if (errorCode !== 0) throw new Error(`a heartbeat was answered ${errorCode}`);
    if (!about.isResumed) this.epochs.set(memberId, epoch);
    return [...decision.replies];
  }

  lease(memberId: string, isResumed = false): LeaseTerms | undefined {
    return this.beat(memberId, { leaseUntilMs: LEASE_MS, isResumed }).at(-1)?.lease;
  }

  members(): number | undefined {
    return [...this.machine.groups()][0]?.members.size;
  }

  /** Replies to gateways are of no interest. */
  wait(untilMs: number): void {
    while (this.machine.wakeAtMs <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.machine.wakeAtMs);
      const { records } = this.machine.tick(this.nowMs);
      this.log.push(...records);
      for (const record of records) this.machine.apply(record, this.nowMs);
    }
    this.nowMs = untilMs;
  }
}

function calm(protocol: 'consumer' | 'share', names = ['a', 'b']): Groups {
  const groups = new Groups(protocol);
  for (const name of names) groups.join(name);
  groups.calm();
  return groups;
}

describe.each(['consumer', 'share'] as const)('a lease of a member of a %s group', (protocol) => {
  test('is given where the group stands still, and keeps its member in it', () => {
    const groups = calm(protocol);
    expect(groups.lease('a')).toEqual({ untilMs: LEASE_MS, silenceMs: SESSION_MS / 2 });
    groups.lease('b');
    groups.wait(LEASE_MS + SESSION_MS - 1);
    expect(groups.members()).toBe(2);
    groups.wait(LEASE_MS + SESSION_MS);
    expect(groups.members()).toBe(0);
  });

  test('is not given while somebody has to hear of something', () => {
    const groups = calm(protocol);
    groups.join('c');
    expect(groups.lease('c')).toBeUndefined();
  });

  test('ends when somebody joins: the members have sessions again', () => {
    const groups = calm(protocol);
    groups.lease('a');
    groups.lease('b');
    const told = groups.machine.decide(
      {
        from: { link: 6, correlationId: 1 },
        caller: { principal: 'User:ANONYMOUS', clientId: 'c', clientHost: '/127.0.0.1' },
        apiKey: (protocol === 'share' ? shareGroupHeartbeatApi : consumerGroupHeartbeatApi).key,
        apiVersion: 1,
        body: {
          ...NOTHING_NEW,
          groupId: 'g',
          memberId: 'c',
          memberEpoch: 0,
          rackId: null,
          subscribedTopicNames: ['t'],
          topicPartitions: [],
          rebalanceTimeoutMs: 1,
        },
      },
      groups.nowMs,
    );
    expect(told.replies.map(({ to, parked }) => [to.link, parked])).toEqual([
      [6, undefined],
      [5, undefined],
      [5, undefined],
    ]);
    expect(groups.machine.wakeAtMs).toBeLessThanOrEqual(groups.nowMs + SESSION_MS);
  });

  test('that is given back leaves its member one session', () => {
    const groups = calm(protocol, ['a']);
    const [reply] = groups.beat('a', { leaseUntilMs: LEASE_MS });
    expect(groups.machine.cancel(reply?.to ?? { link: 0, correlationId: 0 }, groups.nowMs)).toBe(true);
    groups.wait(SESSION_MS - 1);
    expect(groups.members()).toBe(1);
    groups.wait(SESSION_MS);
    expect(groups.members()).toBe(0);
  });

  test('goes on after a sleep, and moves nobody when topics have changed meanwhile', () => {
    const groups = calm(protocol);
    groups.reload();
    expect(groups.lease('a', true)).toMatchObject({ untilMs: LEASE_MS });
    groups.reload();
    groups.topics.set('t', 3);
    const records = groups.log.length;
    expect(groups.lease('a', true)).toBeUndefined();
    expect(groups.log).toHaveLength(records);
    groups.calm();
    expect(groups.lease('a')).toBeDefined();
    expect(groups.log.length).toBeGreaterThan(records);
  });
});
