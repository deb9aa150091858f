import { describe, expect, test } from 'vitest';
import type { AssignorChoice } from '../../../src/client/group/assignors/choice.ts';
import { joinGroupApi } from '../../../src/wire/apis/11-join-group.ts';
import { heartbeatApi } from '../../../src/wire/apis/12-heartbeat.ts';
import type { Api } from '../../../src/wire/schema.ts';
import { FakeCluster, type FakeOptions, type Mishap, MISHAPS, TOPIC } from '../fake-cluster.ts';
import { FakeGroups } from '../fake-groups.ts';
import { FakeMember, type MemberOptions, until } from './fake-member.ts';

function start(options: FakeOptions = {}) {
  const fake = new FakeCluster({ partitions: 4, ...options });
  const groups = new FakeGroups(fake);
  const join = (more?: MemberOptions) => new FakeMember(fake, more);
  const shared = (...members: FakeMember[]) =>
    until(
      fake,
      () => members.every((one) => one.owned.size > 0 && one.membership.isStable) && isSpread(fake, members),
    );
  return { fake, groups, join, shared };
}

/** Each partition once. */
function isSpread(fake: FakeCluster, members: readonly FakeMember[]): boolean {
  const titles = members.flatMap((one) => one.titles).sort();
  return titles.join() === fake.logs.map((_, partition) => `${TOPIC}-${partition}`).join();
}

const ASSIGNORS: AssignorChoice[] = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'];

describe.each(ASSIGNORS)('%s', (assignor) => {
  test('members come and go: each partition is somebody’s, and nobody’s while it moves', async () => {
    const { fake, groups, join, shared } = start();
    const members = [join({ assignors: [assignor], workMs: 500 })];
    const watch = () => {
      const titles = members.flatMap((one) => one.titles);
      expect(new Set(titles).size).toBe(titles.length);
      if (!fake.down.has(9)) fake.scheduler.after(50, 'watch', watch);
    };
    watch();
    await shared(...members);
    for (let size = 2; size <= 4; size++) {
      members.push(join({ assignors: [assignor], workMs: 500 }));
      await shared(...members);
    }
    while (members.length > 1) {
      const [leaving] = members.splice(fake.random.int(members.length), 1);
      await fake.run(leaving?.leave() ?? Promise.resolve());
      await shared(...members);
    }
    expect(members[0]?.failure).toBeUndefined();
    // What a cooperative member keeps it has not had to finish.
    for (const partition of assignor === 'cooperative-sticky' ? [3] : [0, 1, 2, 3])
      expect(groups.committed(TOPIC, partition)).toBe(1);
    fake.down.add(9);
    for (const one of members) await fake.run(one.leave());
    expect(groups.membersCount).toBe(0);
  });
});

describe('cooperative (KIP-429)', () => {
  test('what stays is never given up; what goes is, before another has it', async () => {
    const { join, shared } = start();
    const first = join();
    await shared(first);
    const second = join();
    await shared(first, second);
    expect(first.events).toEqual(['+ orders-0 orders-1 orders-2 orders-3', '- orders-2 orders-3']);
    expect(second.events).toEqual(['+ orders-2 orders-3']);
  });

  test('with an eager one beside it all is given up, as Java does it', async () => {
    const { join, shared } = start();
    const assignors: AssignorChoice[] = ['range', 'cooperative-sticky'];
    const first = join({ assignors });
    await shared(first);
    const second = join({ assignors });
    await shared(first, second);
    expect(first.events).toEqual([
      '+ orders-0 orders-1 orders-2 orders-3',
      '- orders-0 orders-1 orders-2 orders-3',
      '+ orders-0 orders-1',
    ]);
  });

  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'rebalances that begin while one is under way: what stays is not lost (seed %i)',
    async (seed) => {
      const { fake, join, shared } = start({ seed });
      const members = [join({ heartbeatIntervalMs: 5 })];
      await shared(...members);
      for (let more = 0; more < 3; more++) {
        members.push(join({ heartbeatIntervalMs: 5 }));
        await fake.run(fake.scheduler.sleep(fake.random.between(1, 60)));
      }
      await shared(...members);
      expect(members.flatMap(({ events }) => events).filter((event) => event.startsWith('!'))).toEqual([]);
    },
  );

  test('a commit while the others join arrives, in whatever generation', async () => {
    const { fake, groups, join, shared } = start();
    const first = join();
    await shared(first);
    const second = join();
    for (let offset = 2; offset < 200 && !isSpread(fake, [first, second]); offset++) {
      const position = { topic: TOPIC, partition: 0, offset, leaderEpoch: 0 };
      await fake.run(first.membership.commit([position]));
      expect(groups.committed(TOPIC, 0)).toBe(offset);
    }
    await shared(first, second);
    expect(first.failure).toBeUndefined();
  });
});

describe('bad days', () => {
  test.each([0, 1, 2, 5, 10, 20, 40, 80])(
    'one that leaves %i ms after it began to join: nobody waits for it',
    async (afterMs) => {
      const { fake, groups, join, shared } = start();
      const first = join();
      await shared(first);
      const hasty = join();
      await fake.run(fake.scheduler.sleep(afterMs));
      await fake.run(hasty.leave());
      const { nowMs } = fake.scheduler;
      const last = join();
      await shared(first, last);
      expect(groups.membersCount).toBe(2);
      // The next heartbeat tells of the rebalance; a session lasts ten seconds.
      expect(fake.scheduler.nowMs - nowMs).toBeLessThan(3_000);
    },
  );

  test('a member that dies without a word: the others have its share once its session has ended', async () => {
    const { fake, join, shared } = start();
    const [first, second] = [join(), join()];
    await shared(first, second);
    second.close();
    const { nowMs } = fake.scheduler;
    await shared(first);
    expect(fake.scheduler.nowMs - nowMs).toBeGreaterThan(5_000);
  });

  test('a member that was thrown out loses what it had at once, and joins anew', async () => {
    let isMute = false;
    const mishap = (api: Api): Mishap => (isMute && api === heartbeatApi ? 'request-lost' : undefined);
    const { fake, join, shared } = start({ mishap });
    const alone = join();
    await shared(alone);
    isMute = true;
    await fake.run(fake.scheduler.sleep(15_000));
    isMute = false;
    await until(fake, () => alone.events.length === 3);
    expect(alone.events.slice(1)).toEqual([
      '! orders-0 orders-1 orders-2 orders-3',
      '+ orders-0 orders-1 orders-2 orders-3',
    ]);
  });

  test('the coordinator moves: nobody gives anything up, and commits arrive', async () => {
    const { fake, groups, join, shared } = start({ nodes: 3 });
    const members = [join(), join()];
    await shared(...members);
    const before = members.map(({ events }) => events.length);
    groups.moveTo(2);
    fake.stop(1);
    await fake.run(fake.scheduler.sleep(60_000));
    expect(members.map(({ events }) => events.length)).toEqual(before);
    const [first] = members;
    const owned = [...(first?.owned.values() ?? [])].map((one) => ({ ...one, offset: 7, leaderEpoch: 0 }));
    await fake.run(first?.membership.commit(owned) ?? Promise.resolve());
    expect(groups.committed(TOPIC, owned[0]?.partition ?? -1)).toBe(7);
  });

  /** A complaint about other clients: KafkaJS restarted its runner for ever, and looked healthy. */
  test('wedged forever: brokers that are gone are tried for as long as told, then that is the error', async () => {
    const { fake, join, shared } = start();
    const alone = join();
    await shared(alone);
    fake.stop(1);
    const { nowMs } = fake.scheduler;
    await fake.run(alone.over);
    expect(alone.failure).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(fake.scheduler.nowMs - nowMs).toBeLessThan(40_000);
    expect(alone.events.at(-1)).toBe('! orders-0 orders-1 orders-2 orders-3');
  });

  test('a group that is forbidden is not tried again', async () => {
    const { fake, join } = start();
    const odd = join({ sessionTimeoutMs: 1 });
    await fake.run(odd.over);
    expect(odd.failure).toMatchObject({ code: 'INVALID_SESSION_TIMEOUT', retriable: false });
    expect(fake.asked.filter((name) => name === 'JoinGroup')).toHaveLength(1);
  });

  test('members without an assignor in common: the second is told, and what to do', async () => {
    const { fake, join, shared } = start();
    await shared(join({ assignors: ['range'] }));
    const other = join({ assignors: ['roundrobin'] });
    await fake.run(other.over);
    expect(other.failure).toMatchObject({
      code: 'INCONSISTENT_GROUP_PROTOCOL',
      hint: expect.stringContaining('assignor') as string,
    });
  });

  test('work that takes too long is cut off in time to stay a member', async () => {
    const { join, shared } = start();
    const slow = join({ assignors: ['range'], workMs: 3_600_000 });
    await shared(slow);
    const second = join({ assignors: ['range'] });
    await shared(slow, second);
    expect(slow.events.some((event) => event.startsWith('!'))).toBe(false);
  });
});

describe('static members (KIP-345)', () => {
  test('one that is back within its session has its share again, and the others are not disturbed', async () => {
    const { fake, join, shared } = start();
    const [steady, before] = [join({ instanceId: 'a' }), join({ instanceId: 'b' })];
    await shared(steady, before);
    const { length } = steady.events;
    const had = before.titles;
    await fake.run(before.leave());
    const after = join({ instanceId: 'b' });
    await shared(steady, after);
    expect(after.titles).toEqual(had);
    expect(steady.events).toHaveLength(length);
  });

  test('two under one name: the first is fenced, and says so', async () => {
    const { fake, join, shared } = start();
    const first = join({ instanceId: 'a' });
    await shared(first);
    const second = join({ instanceId: 'a' });
    await fake.run(first.over);
    expect(first.failure).toMatchObject({
      code: 'FENCED_INSTANCE_ID',
      hint: expect.stringContaining('instanceId') as string,
    });
    await shared(second);
  });
});

describe('what is read changes', () => {
  test('partitions are added: the leader notices, and they are read', async () => {
    const { fake, join, shared } = start();
    const members = [join(), join()];
    await shared(...members);
    const log = fake.logs[0];
    if (log !== undefined) fake.logs.push(log);
    fake.leaders.push({ id: 1, epoch: 0 });
    await shared(...members);
    expect(members.flatMap((one) => one.titles)).toHaveLength(5);
  });

  test('a member wants other topics: it joins again', async () => {
    const { fake, join, shared } = start();
    const alone = join();
    await shared(alone);
    alone.wanted = [];
    alone.membership.look();
    await until(fake, () => alone.owned.size === 0);
    expect(alone.events.at(-1)).toBe('- orders-0 orders-1 orders-2 orders-3');
  });
});

/** A complaint about other clients: stopping during a rebalance never returned. */
describe('shutdown hangs: leaving always settles', () => {
  test('while JoinGroup waits for the others', async () => {
    const { fake, groups, join, shared } = start();
    const slow = join({ assignors: ['range'], workMs: 15_000 });
    await shared(slow);
    const waiting = join({ assignors: ['range'] });
    await until(fake, () => groups.group?.state === 'PreparingRebalance');
    const { nowMs } = fake.scheduler;
    await fake.run(waiting.leave());
    await fake.run(waiting.over);
    expect(fake.scheduler.nowMs - nowMs).toBeLessThan(1_000);
    expect(waiting.failure).toBeUndefined();
    await shared(slow);
  });

  test('before it has ever joined, with nobody there', async () => {
    const { fake, join } = start();
    fake.down.add(1);
    const early = join();
    await fake.run(fake.scheduler.sleep(100));
    await fake.run(early.leave());
    await fake.run(early.over);
    expect(early.failure).toBeUndefined();
  });
});

describe('whatever goes wrong, in the end each partition is read by one', () => {
  test.each(Array.from({ length: 30 }, (_, seed) => seed))('seed %i', async (seed) => {
    let isBad = true;
    const fake: FakeCluster = new FakeCluster({
      seed,
      nodes: 3,
      partitions: 6,
      mishap: () => (isBad && fake.random.chance(0.05) ? fake.random.pick(MISHAPS) : undefined),
    });
    const groups = new FakeGroups(fake);
    const { random, scheduler } = fake;
    const assignors = [random.pick(ASSIGNORS)];
    const join = () =>
      new FakeMember(fake, {
        assignors,
        retryForMs: 3_600_000,
        workMs: random.pick([0, 300, 5_000]),
        instanceId: random.chance(0.3) ? `static-${random.int(1_000_000)}` : null,
      });
    let members = [join()];
    for (let round = 0; round < 12; round++) {
      await fake.run(scheduler.sleep(random.between(0, 8_000)));
      const one = random.pick(members);
      const chance = random.next();
      if (chance < 0.4 && members.length < 5) members.push(join());
      else if (chance < 0.6 && members.length > 1) {
        members = members.filter((other) => other !== one);
        if (random.chance(0.5)) one.close();
        else void one.leave().catch(() => {});
      } else if (chance < 0.8) groups.moveTo(1 + random.int(3));
    }
    isBad = false;
    await until(
      fake,
      () => isSpread(fake, members) && members.every(({ membership }) => membership.isStable),
    );
    await fake.run(scheduler.sleep(120_000));
    expect(isSpread(fake, members)).toBe(true);
    expect(members.map(({ failure }) => failure)).toEqual(members.map(() => undefined));
  });
});

test('a new member asks for its id first (KIP-394)', async () => {
  const { fake, join, shared } = start();
  await shared(join());
  expect(fake.asked.filter((name) => name === joinGroupApi.name)).toHaveLength(2);
});
