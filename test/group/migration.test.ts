import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GroupConfig } from '../../src/group/index.ts';
import { describeGroupsApi } from '../../src/wire/apis/15-describe-groups.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { ClassicConsumer } from './classic-consumer.ts';
import { ConsumerClient, describeGroup, REBALANCE_MS, SESSION_MS } from './consumer-client.ts';
import { bytes, Coordinator } from './coordinator.ts';

const PARTITIONS = 4;

function world(config: Partial<GroupConfig> = {}) {
  const coordinator = new Coordinator(config);
  const topicId = coordinator.topics.set('t', PARTITIONS);
  const consumer = (name: string, instanceId?: string) =>
    new ConsumerClient({
      coordinator,
      name,
      topics: ['t'],
      ...(instanceId === undefined ? {} : { instanceId }),
    });
  const classic = (name: string, more: { instanceId?: string; userData?: Uint8Array } = {}) =>
    new ClassicConsumer({ coordinator, name, ...more });
  /** All partitions by number, as members of both protocols read them. */
  const numbers = (reads: readonly string[]) =>
    reads.map((title) => Number(title.split('/')[1])).sort((a, b) => a - b);
  const classicState = () =>
    coordinator.ask(describeGroupsApi, { groups: ['g'] }, { client: 'admin' }).groups[0]?.groupState;
  return { coordinator, topicId, consumer, classic, numbers, classicState };
}

function rounds(count: number, ...members: (ClassicConsumer | ConsumerClient)[]): void {
  for (let i = 0; i < count; i++) for (const each of members) move(each);
}

function move(member: ClassicConsumer | ConsumerClient): void {
  if (member instanceof ClassicConsumer) member.step();
  else member.beat();
}

describe('a classic group to which a member of KIP-848 comes', () => {
  test('keeps its members, with what they had, and shares out among all', () => {
    const { consumer, classic, numbers, coordinator, classicState } = world();
    const [a, b] = [classic('a'), classic('b')];
    rounds(8, a, b);
    expect([a.reads.length, b.reads.length]).toEqual([2, 2]);
    const c = consumer('c');
    expect(c.beat()).toMatchObject({ errorCode: 0, assignment: { topicPartitions: [] } });
    expect(classicState()).toBe('Dead');
    const described = describeGroup(coordinator).members.map(({ memberId, memberType }) => [
      memberId,
      memberType,
    ]);
    expect(described).toEqual([
      [a.memberId, 0],
      [b.memberId, 0],
      [c.memberId, 1],
    ]);
    rounds(8, a, b, c);
    expect(describeGroup(coordinator).groupState).toBe('Stable');
    expect(numbers([...a.reads, ...b.reads, ...c.reads])).toEqual([0, 1, 2, 3]);
    expect(c.reads).toHaveLength(1);
  });

  test('in the middle of a rebalance sends its members to join again', () => {
    const { consumer, classic, numbers } = world();
    const [a, b] = [classic('a'), classic('b')];
    rounds(8, a);
    rounds(2, b);
    expect(b.phase).toBe('joining');
    const c = consumer('c');
    c.beat();
    expect([b.phase, b.lastError]).toEqual(['out', 27]);
    rounds(10, a, b, c);
    expect(numbers([...a.reads, ...b.reads, ...c.reads])).toEqual([0, 1, 2, 3]);
  });

  test('is gone with its positions kept when nobody was in it', () => {
    const { consumer, classic, coordinator } = world();
    const a = classic('a');
    rounds(6, a);
    a.leave();
    expect(consumer('c').beat()).toMatchObject({ errorCode: 0, memberEpoch: 1 });
    expect(describeGroup(coordinator).members).toHaveLength(1);
  });

  test('a static member takes over from its last, classic run', () => {
    const { consumer, classic, coordinator } = world();
    const a = classic('a', { instanceId: 'one' });
    rounds(6, a);
    const c = consumer('c', 'one');
    expect(c.beat()).toMatchObject({ errorCode: 0 });
    expect(c.reads).toHaveLength(PARTITIONS);
    expect(describeGroup(coordinator).members.map(({ memberId }) => memberId)).toEqual([c.memberId]);
    a.step();
    expect(a.lastError).toBe(82);
  });

  const refused: [string, Partial<GroupConfig>, Uint8Array | undefined][] = [
    ['the policy does not let it', { consumerMigrationPolicy: 'disabled' }, undefined],
    ['the policy knows the way back alone', { consumerMigrationPolicy: 'downgrade' }, undefined],
    ['it would be too large', { consumerMaxSize: 1 }, undefined],
    ['its leader has said more in an assignment than partitions', {}, bytes('mine')],
  ];
  test.each(refused)('refuses it when %s (69)', (_, config, userData) => {
    const { consumer, classic, classicState } = world(config);
    const a = classic('a', userData === undefined ? {} : { userData });
    rounds(6, a);
    expect(consumer('c').beat().errorCode).toBe(69);
    expect(classicState()).toBe('Stable');
    rounds(2, a);
    expect([a.lastError, a.reads.length]).toEqual([0, PARTITIONS]);
  });

  test('refuses it when it is no group of consumers (69)', () => {
    const { consumer, coordinator } = world();
    const body = {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: '',
      protocolType: 'connect',
      protocols: [{ name: 'p', metadata: bytes('x') }],
    };
    coordinator.ask(joinGroupApi, body, { client: 'a', version: 3 });
    expect(consumer('c').beat().errorCode).toBe(69);
  });
});

describe('a group of KIP-848 to which a classic member comes', () => {
  test('shares out with it', () => {
    const { consumer, classic, numbers, coordinator } = world();
    const [c, a] = [consumer('c'), classic('a')];
    rounds(2, c);
    rounds(8, a, c);
    expect(describeGroup(coordinator).groupState).toBe('Stable');
    expect(numbers([...a.reads, ...c.reads])).toEqual([0, 1, 2, 3]);
    expect(a.reads).toHaveLength(2);
  });

  test('becomes a classic one when its last member of KIP-848 leaves, and shares out anew', () => {
    const { consumer, classic, numbers, classicState, coordinator } = world();
    const [c, a, b] = [consumer('c'), classic('a'), classic('b')];
    rounds(2, c);
    rounds(10, a, b, c);
    expect(numbers([...a.reads, ...b.reads, ...c.reads])).toEqual([0, 1, 2, 3]);
    c.leave();
    expect(describeGroup(coordinator).errorCode).toBe(69);
    expect(classicState()).toBe('PreparingRebalance');
    rounds(8, a, b);
    expect(classicState()).toBe('Stable');
    expect(numbers([...a.reads, ...b.reads])).toEqual([0, 1, 2, 3]);
  });

  test('likewise when that member goes silent', () => {
    const { consumer, classic, numbers, classicState, coordinator } = world();
    const [c, a] = [consumer('c'), classic('a')];
    rounds(2, c);
    rounds(8, a, c);
    while (coordinator.nowMs < SESSION_MS + 10_000) {
      coordinator.pass(coordinator.nowMs + 3_000);
      rounds(3, a);
    }
    expect(classicState()).toBe('Stable');
    expect(numbers(a.reads)).toEqual([0, 1, 2, 3]);
  });

  test('stays what it is if the policy says so', () => {
    const { consumer, classic, coordinator } = world({ consumerMigrationPolicy: 'upgrade' });
    const [c, a] = [consumer('c'), classic('a')];
    rounds(2, c);
    rounds(8, a, c);
    c.leave();
    rounds(4, a);
    expect(describeGroup(coordinator)).toMatchObject({ errorCode: 0, groupState: 'Stable' });
    expect(a.reads).toHaveLength(PARTITIONS);
  });

  test('puts out who joined and does not sync, or was told to join again and does not', () => {
    const { consumer, classic, coordinator } = world();
    const [c, a] = [consumer('c'), classic('a')];
    rounds(2, c);
    rounds(2, a);
    expect(a.phase).toBe('joined');
    coordinator.pass(16_000);
    expect(describeGroup(coordinator).members).toHaveLength(1);
    rounds(1, a);
    expect(a.lastError).toBe(25);
    rounds(8, a, c);
    expect(a.phase).toBe('in');
    const d = consumer('d');
    const untilMs = coordinator.nowMs + 18_000;
    while (coordinator.nowMs < untilMs) {
      rounds(1, c, d);
      a.beat();
      coordinator.pass(coordinator.nowMs + 3_000);
    }
    expect(a.lastError).toBe(25);
  });

  test('is a classic one for whoever comes once all have left', () => {
    const { consumer, classic, classicState } = world();
    const [c, a] = [consumer('c'), classic('a')];
    rounds(2, c);
    c.leave();
    rounds(6, a);
    expect(classicState()).toBe('Stable');
    expect(a.reads).toHaveLength(PARTITIONS);
  });
});

test('whatever members of both protocols do, in the end each partition has one reader', () => {
  const step = fc.record({ who: fc.nat(3), what: fc.constantFrom('move', 'move', 'move', 'leave', 'pass') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const { consumer, classic, numbers, coordinator } = world();
      const members = [classic('a'), consumer('b'), classic('c'), consumer('d')] as const;
      for (const { who, what } of steps) {
        const member = members[who];
        if (what === 'pass') coordinator.pass(coordinator.nowMs + 4_000);
        else if (what === 'move' || member === undefined) move(member ?? members[0]);
        else if (member instanceof ConsumerClient || member.memberId !== '') member.leave();
      }
      const untilMs = coordinator.nowMs + SESSION_MS + 2 * REBALANCE_MS;
      while (coordinator.nowMs < untilMs) {
        rounds(2, ...members);
        coordinator.pass(coordinator.nowMs + 3_000);
      }
      expect(describeGroup(coordinator).groupState).toBe('Stable');
      expect(numbers(members.flatMap(({ reads }) => reads))).toEqual([0, 1, 2, 3]);
      const live = [...coordinator.machine.snapshot()].length;
      coordinator.reload();
      expect([...coordinator.machine.snapshot()]).toHaveLength(live);
    }),
    { numRuns: 200 },
  );
});
