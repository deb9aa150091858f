import { describe, expect, test } from 'vitest';
import { consumerGroupHeartbeatApi } from '../../../src/wire/apis/68-consumer-group-heartbeat.ts';
import type { Api } from '../../../src/wire/schema.ts';
import { FakeCluster, type FakeOptions, type Mishap, MISHAPS, TOPIC } from '../fake-cluster.ts';
import { FakeGroups } from '../fake-groups.ts';
import { FakeMember, type MemberOptions, until } from './fake-member.ts';

const ALL = 'orders-0 orders-1 orders-2 orders-3';
const SESSION_MS = 45_000;

function start(options: FakeOptions = {}) {
  const fake = new FakeCluster({ partitions: 4, ...options });
  const groups = new FakeGroups(fake);
  const join = (more?: MemberOptions) => new FakeMember(fake, { groupProtocol: 'consumer', ...more });
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

test('members come and go: each partition is somebody’s, and nobody’s while it moves', async () => {
  const { fake, groups, join, shared } = start();
  const members = [join({ workMs: 500 })];
  const watch = () => {
    const titles = members.flatMap((one) => one.titles);
    expect(new Set(titles).size).toBe(titles.length);
    if (!fake.down.has(9)) fake.scheduler.after(50, 'watch', watch);
  };
  watch();
  await shared(...members);
  for (let size = 2; size <= 4; size++) {
    members.push(join({ workMs: 500 }));
    await shared(...members);
  }
  while (members.length > 1) {
    const [leaving] = members.splice(fake.random.int(members.length), 1);
    await fake.run(leaving?.leave() ?? Promise.resolve());
    await shared(...members);
  }
  expect(members[0]?.failure).toBeUndefined();
  expect(groups.committed(TOPIC, 3)).toBe(1);
  fake.down.add(9);
  for (const one of members) await fake.run(one.leave());
  expect(groups.membersCount).toBe(0);
});

test('what stays is never given up; what goes is, and committed, before another has it', async () => {
  const { groups, join, shared } = start();
  const first = join({ workMs: 3_000 });
  await shared(first);
  const second = join();
  await shared(first, second);
  expect(first.events).toEqual([`+ ${ALL}`, '- orders-2 orders-3']);
  expect(second.events).toEqual(['+ orders-2 orders-3']);
  expect([2, 3].map((partition) => groups.committed(TOPIC, partition))).toEqual([1, 1]);
});

test('a member that the broker knows no more loses what it had at once, and joins anew', async () => {
  let isMute = false;
  const mishap = (api: Api): Mishap =>
    isMute && api === consumerGroupHeartbeatApi ? 'request-lost' : undefined;
  const { fake, join, shared } = start({ mishap });
  const alone = join({ retryForMs: 600_000 });
  await shared(alone);
  isMute = true;
  await fake.run(fake.scheduler.sleep(SESSION_MS + 5_000));
  isMute = false;
  await until(fake, () => alone.events.length === 3);
  expect(alone.events.slice(1)).toEqual([`! ${ALL}`, `+ ${ALL}`]);
});

test('an answer that was lost is made up for', async () => {
  let isLost = true;
  const mishap = (api: Api): Mishap =>
    isLost && api === consumerGroupHeartbeatApi ? 'answer-lost' : undefined;
  const { fake, groups, join, shared } = start({ mishap });
  const alone = join();
  await until(fake, () => groups.membersCount === 1);
  isLost = false;
  await shared(alone);
  expect(groups.membersCount).toBe(1);
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

test('brokers that are gone are tried for as long as told, then that is the error', async () => {
  const { fake, join, shared } = start();
  const alone = join();
  await shared(alone);
  fake.stop(1);
  await fake.run(alone.over);
  expect(alone.failure).toMatchObject({ code: 'CONNECTION_LOST' });
  expect(alone.events.at(-1)).toBe(`! ${ALL}`);
});

test('an assignor the broker does not know ends it, in the broker’s words', async () => {
  const { fake, join } = start();
  const odd = join({ remoteAssignor: 'mine' });
  await fake.run(odd.over);
  expect(odd.failure).toMatchObject({
    code: 'UNSUPPORTED_ASSIGNOR',
    message: expect.stringContaining('uniform, range') as string,
  });
});

test('a static member that is back within its session has its share again, and nobody else notices', async () => {
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

test('a static member waits for its last run, if that went without a word, to be out', async () => {
  const { fake, join, shared } = start();
  const before = join({ instanceId: 'a' });
  await shared(before);
  before.close();
  const closedAtMs = fake.scheduler.nowMs;
  const after = join({ instanceId: 'a', retryForMs: 2 * SESSION_MS });
  await shared(after);
  expect(after.failure).toBeUndefined();
  expect(fake.scheduler.nowMs - closedAtMs).toBeGreaterThan(SESSION_MS / 2);
});

test('partitions are added, and it wants other topics: it is told with its next heartbeat', async () => {
  const { fake, join, shared } = start();
  const members = [join(), join()];
  await shared(...members);
  const log = fake.logs[0];
  if (log !== undefined) fake.logs.push(log);
  fake.leaders.push({ id: 1, epoch: 0 });
  await shared(...members);
  const [first, second] = members;
  if (first === undefined || second === undefined) throw new Error('there are two');
  first.wanted = [];
  first.membership.look();
  await until(fake, () => first.owned.size === 0);
  await shared(second);
  expect(second.titles).toHaveLength(5);
});

test.each([0, 1, 2, 5, 10, 20, 40, 80])(
  'one that leaves %i ms after it began is waited for by nobody',
  async (afterMs) => {
    const { fake, groups, join, shared } = start();
    const first = join();
    await shared(first);
    const hasty = join();
    await fake.run(fake.scheduler.sleep(afterMs));
    await fake.run(hasty.leave());
    await fake.run(hasty.over);
    const { nowMs } = fake.scheduler;
    const last = join();
    await shared(first, last);
    expect(groups.membersCount).toBe(2);
    expect(fake.scheduler.nowMs - nowMs).toBeLessThan(SESSION_MS / 2);
  },
);

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
    const remoteAssignor = random.pick([null, 'uniform', 'range']);
    const join = () =>
      new FakeMember(fake, {
        groupProtocol: 'consumer',
        remoteAssignor,
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
    expect(members.map(({ failure }) => failure)).toEqual(members.map(() => undefined));
  });
});

test('a pattern is the broker’s to resolve; one that it takes for none is resolved here', async () => {
  const { groups, join, shared } = start();
  const asked = join({ remotePattern: 'ord.*' });
  asked.wanted = ['others'];
  await shared(asked);
  expect(asked.titles.join(' ')).toBe(ALL);
  expect(groups.patterns).toEqual(['ord.*']);
  const refused = join({ remotePattern: '(' });
  await shared(asked, refused);
  expect(refused.failure).toBeUndefined();
  expect(groups.patterns).toEqual(['ord.*', '(', null]);
});
