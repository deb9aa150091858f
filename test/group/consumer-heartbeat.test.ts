import { describe, expect, test } from 'vitest';
import { decodeRecord } from '../../src/group/records.ts';
import { consumerWorld, describeGroup, HEARTBEAT_MS, REBALANCE_MS, SESSION_MS } from './consumer-client.ts';

const wrote = (types: (string | undefined)[], type: string) => types.filter((each) => each === type).length;

describe('sharing out', () => {
  test('who comes alone has all at once, in the epoch of the group', () => {
    const { client, titles, types } = consumerWorld();
    const a = client('a');
    const answer = a.beat();
    expect(answer).toMatchObject({
      errorCode: 0,
      memberId: a.memberId,
      memberEpoch: 1,
      heartbeatIntervalMs: 5_000,
    });
    expect(a.reads).toEqual(titles(0, 1, 2, 3));
    expect(types()).toEqual([
      'consumerMember',
      'consumerEpoch',
      'consumerTarget',
      'consumerTargetEpoch',
      'consumerCurrent',
    ]);
  });

  test('nothing new is said and nothing is written by a heartbeat of a stable group', () => {
    const { client, coordinator } = consumerWorld();
    const a = client('a');
    a.beat();
    a.beat();
    const { length } = coordinator.log;
    for (let i = 0; i < 10; i++) expect(a.beat()).toMatchObject({ errorCode: 0, assignment: null });
    expect(coordinator.log).toHaveLength(length);
  });

  test('a partition goes over only once its owner has said that it gave it up', () => {
    const { client, titles, coordinator } = consumerWorld();
    const a = client('a');
    const b = client('b');
    a.beat();
    expect(b.beat()).toMatchObject({ memberEpoch: 2, assignment: { topicPartitions: [] } });
    expect(describeGroup(coordinator).groupState).toBe('Reconciling');
    const told = a.beat();
    expect(told).toMatchObject({ memberEpoch: 1 });
    expect(a.reads).toEqual(titles(0, 1));
    expect(b.beat().assignment).toBeNull();
    expect(a.beat()).toMatchObject({ memberEpoch: 2, assignment: null });
    b.beat();
    expect(b.reads).toEqual(titles(2, 3));
    expect(describeGroup(coordinator)).toMatchObject({
      groupState: 'Stable',
      groupEpoch: 2,
      assignmentEpoch: 2,
    });
  });

  test('what a member leaves is the others’ with their next heartbeats', () => {
    const { client, titles } = consumerWorld();
    const [a, b] = [client('a'), client('b')];
    for (let i = 0; i < 3; i++) for (const each of [a, b]) each.beat();
    expect(a.leave()).toMatchObject({ errorCode: 0, memberEpoch: -1 });
    b.beat();
    expect(b.reads).toEqual(titles(0, 1, 2, 3));
  });

  test('range gives runs of neighbours, if most members ask for it', () => {
    const { client, titles, coordinator } = consumerWorld();
    const [a, b] = [client('a', { assignor: 'range' }), client('b', { assignor: 'range' })];
    for (let i = 0; i < 3; i++) for (const each of [a, b]) each.beat();
    expect([a.reads, b.reads]).toEqual([titles(0, 1), titles(2, 3)]);
    expect(describeGroup(coordinator).assignorName).toBe('range');
  });

  test('members who come within the assignment interval share one assignment', () => {
    const { client, coordinator, types } = consumerWorld({ consumerAssignmentIntervalMs: 1_000 });
    const [a, b, c] = [client('a'), client('b'), client('c')];
    a.beat();
    expect(b.beat()).toMatchObject({ memberEpoch: 1 });
    c.beat();
    expect(wrote(types(), 'consumerTargetEpoch')).toBe(1);
    expect(describeGroup(coordinator).groupState).toBe('Assigning');
    coordinator.pass(1_000);
    expect(b.beat()).toMatchObject({ memberEpoch: 3 });
    expect(wrote(types(), 'consumerTargetEpoch')).toBe(2);
  });

  test('a group’s own settings hold, within the broker’s bounds', () => {
    const { client, coordinator } = consumerWorld();
    coordinator.topics.configure('g', 'consumer.heartbeat.interval.ms', '7000');
    expect(client('a').beat().heartbeatIntervalMs).toBe(7_000);
    coordinator.topics.configure('g', 'consumer.heartbeat.interval.ms', '1');
    expect(client('b').beat().heartbeatIntervalMs).toBe(5_000);
  });
});

describe('topics', () => {
  test('new partitions are shared out, and deleted topics given up', () => {
    const { client, titles, coordinator } = consumerWorld();
    const a = client('a', { topics: ['t', 'u'] });
    a.beat();
    coordinator.topics.set('t', 6);
    expect(a.beat().memberEpoch).toBe(2);
    expect(a.reads).toEqual(titles(0, 1, 2, 3, 4, 5));
    const other = coordinator.topics.set('u', 1);
    a.beat();
    expect(a.reads).toContain(`${other}/0`);
    coordinator.topics.delete('u');
    a.beat();
    a.beat();
    expect(a.reads).toEqual(titles(0, 1, 2, 3, 4, 5));
    expect(describeGroup(coordinator).groupState).toBe('Stable');
  });

  test('what else happens to the cluster moves no epoch', () => {
    const { client, coordinator } = consumerWorld();
    const a = client('a');
    a.beat();
    coordinator.topics.set('other', 3);
    expect(a.beat().memberEpoch).toBe(1);
  });

  test('a pattern stands for the topics that are there, and those that come, looked at every 10 s', () => {
    const { client, titles, coordinator } = consumerWorld();
    const orders = coordinator.topics.set('orders-eu', 1);
    const a = client('a', { topics: [], regex: 'orders-(eu|us)|t' });
    a.beat();
    expect(a.reads).toEqual([`${orders}/0`, ...titles(0, 1, 2, 3)].sort());
    const later = coordinator.topics.set('orders-us', 1);
    coordinator.topics.set('orders-us-old', 1);
    coordinator.pass(9_000);
    a.beat();
    coordinator.pass(10_000);
    a.beat();
    expect(a.reads).toEqual([`${orders}/0`, `${later}/0`, ...titles(0, 1, 2, 3)].sort());
  });

  test('a pattern that nobody uses any more is forgotten', () => {
    const { client, coordinator } = consumerWorld();
    const a = client('a', { topics: [], regex: 't' });
    a.beat();
    a.beat({ subscribedTopicRegex: '' });
    a.beat();
    expect(a.reads).toEqual([]);
    const kept = [...coordinator.machine.snapshot()].map((record) => decodeRecord(record)?.type);
    expect(kept).not.toContain('consumerRegex');
  });

  test('who subscribes to other topics gives up the ones before', () => {
    const { client, coordinator } = consumerWorld();
    const other = coordinator.topics.set('u', 2);
    const a = client('a');
    a.beat();
    const told = a.beat({ subscribedTopicNames: ['u'] });
    expect(told.assignment?.topicPartitions).toEqual([]);
    a.beat();
    expect(a.reads).toEqual([`${other}/0`, `${other}/1`]);
  });
});

describe('epochs', () => {
  test('an epoch of the future, or of the past, is fenced (110)', () => {
    const { client } = consumerWorld();
    const [a, b] = [client('a'), client('b')];
    a.beat();
    expect(a.send({ ...a.request(), memberEpoch: 7 }).errorCode).toBe(110);
    for (let i = 0; i < 3; i++) for (const each of [a, b]) each.beat();
    a.leave();
    b.beat();
    expect(b.epoch).toBe(3);
    expect(b.send({ ...b.request(), memberEpoch: 1 }).errorCode).toBe(110);
  });

  test('whoever did not get the answer goes on with the epoch before', () => {
    const { client, titles } = consumerWorld();
    const a = client('a');
    a.lose();
    expect(a.beat()).toMatchObject({ errorCode: 0, memberEpoch: 1 });
    expect(a.reads).toEqual(titles(0, 1, 2, 3));
    const b = client('b');
    b.beat();
    a.beat();
    a.lose();
    expect(a.beat()).toMatchObject({ errorCode: 0, memberEpoch: 2 });
    expect(a.reads).toEqual(titles(0, 1));
  });

  test('a member that begins anew keeps its place', () => {
    const { client, titles } = consumerWorld();
    const a = client('a');
    a.beat();
    a.beat();
    a.abandon();
    expect(a.beat()).toMatchObject({ errorCode: 0, memberEpoch: 1 });
    expect(a.reads).toEqual(titles(0, 1, 2, 3));
  });
});

describe('deadlines', () => {
  test('a member that is silent for its session is out', () => {
    const { client, coordinator, titles } = consumerWorld();
    const [a, b] = [client('a'), client('b')];
    for (let i = 0; i < 3; i++) for (const each of [a, b]) each.beat();
    while (coordinator.nowMs <= SESSION_MS) {
      coordinator.pass(coordinator.nowMs + HEARTBEAT_MS);
      b.beat();
    }
    b.beat();
    expect(b.reads).toEqual(titles(0, 1, 2, 3));
    expect(a.beat().errorCode).toBe(25);
  });

  test('a member that does not give up in time is out, though it beats', () => {
    const { client, coordinator, titles } = consumerWorld();
    const [a, b] = [client('a'), client('b')];
    a.beat();
    b.beat();
    const clinging = () => a.send({ ...a.request(), topicPartitions: null });
    while (coordinator.nowMs < REBALANCE_MS - HEARTBEAT_MS) {
      clinging();
      b.beat();
      coordinator.pass(coordinator.nowMs + HEARTBEAT_MS);
    }
    expect(clinging().errorCode).toBe(0);
    coordinator.pass(REBALANCE_MS);
    expect(clinging().errorCode).toBe(25);
    b.beat();
    expect(b.reads).toEqual(titles(0, 1, 2, 3));
  });

  test('sessions begin anew when the log is read again', () => {
    const { client, coordinator } = consumerWorld();
    const a = client('a');
    a.beat();
    coordinator.pass(SESSION_MS - 1);
    coordinator.reload();
    coordinator.pass(2 * SESSION_MS - 2);
    expect(a.beat().errorCode).toBe(0);
  });
});

describe('static members', () => {
  test('one that leaves for a while comes back under another id to what it had', () => {
    const { client, titles, coordinator } = consumerWorld();
    const [a, b] = [client('a', { instanceId: 'one' }), client('b')];
    for (let i = 0; i < 3; i++) for (const each of [a, b]) each.beat();
    const had = a.reads;
    a.leave(-2);
    coordinator.pass(SESSION_MS - 1);
    b.beat();
    expect(b.reads).toHaveLength(2);
    a.restart();
    expect(a.beat()).toMatchObject({ errorCode: 0, memberEpoch: 2 });
    expect(a.reads).toEqual(had);
    expect(titles(0, 1, 2, 3)).toEqual(expect.arrayContaining(had));
  });

  test('an instance that is still there is not released (111), and its old run is fenced (82)', () => {
    const { client } = consumerWorld();
    const a = client('a', { instanceId: 'one' });
    a.beat();
    const again = client('again', { instanceId: 'one' });
    expect(again.beat().errorCode).toBe(111);
    a.leave(-2);
    expect(again.beat().errorCode).toBe(0);
    expect(a.send({ ...a.request(), memberEpoch: 1, instanceId: 'one' }).errorCode).toBe(82);
    expect(
      client('c').send({ groupId: 'g', memberId: 'c', memberEpoch: 1, instanceId: 'two' }).errorCode,
    ).toBe(25);
  });
});

describe('what is refused', () => {
  const refusals: [string, object, number][] = [
    ['no member id in v1', { memberId: '' }, 42],
    ['no rebalance timeout with the first', { rebalanceTimeoutMs: -1 }, 42],
    ['partitions with the first', { topicPartitions: [{ topicId: 'A'.repeat(22), partitions: [0] }] }, 42],
    ['no subscription with the first', { subscribedTopicNames: null }, 42],
    ['an empty instance', { instanceId: '' }, 42],
    ['an empty rack', { rackId: '' }, 42],
    ['an epoch below -2', { memberEpoch: -3 }, 42],
    ['a static leave of no instance', { memberEpoch: -2 }, 42],
    ['an assignor nobody knows', { serverAssignor: 'mine' }, 112],
    ['a pattern that is none', { subscribedTopicRegex: '(' }, 128],
    ['a pattern that looks ahead', { subscribedTopicRegex: 'a(?=b)' }, 128],
    ['a group that is not there', { memberEpoch: 1 }, 69],
  ];
  test.each(refusals)('%s', (_, said, code) => {
    const { client, coordinator } = consumerWorld();
    const a = client('a');
    expect(a.send({ ...a.request(), ...said })).toMatchObject({ errorCode: code, memberEpoch: 0 });
    expect(coordinator.log).toEqual([]);
    expect([...coordinator.machine.groups()]).toEqual([]);
  });

  test('one member more than a group may have (81)', () => {
    const { client } = consumerWorld({ consumerMaxSize: 1 });
    expect(client('a').beat().errorCode).toBe(0);
    expect(client('b').beat().errorCode).toBe(81);
  });

  test('in v0 the broker makes the id', () => {
    const { client } = consumerWorld();
    const a = client('a', { version: 0 });
    const { memberId } = a.send({ ...a.request(), memberId: '', subscribedTopicRegex: null });
    expect(memberId).toBe('1');
  });
});
