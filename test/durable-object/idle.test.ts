import { describe, expect, onTestFinished, test } from 'vitest';
import { IdleWorld } from './idle-world.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

async function worldOf({ members = 4, subscribers = 0 }) {
  const world = await IdleWorld.start();
  onTestFinished(() => world.remove());
  world.subscribers(subscribers);
  const all = world.members(members, 5_000);
  await world.pass(3 * MINUTE_MS);
  return { world, members: all, generations: () => all.map(({ generationId }) => generationId) };
}

test('objects that nobody needs sleep, though readers wait on them and members send heartbeats', async () => {
  const { world, generations } = await worldOf({ subscribers: 10 });
  const { partition, group } = world;
  const before = [partition.awakeMs, group.awakeMs];
  await world.pass(HOUR_MS);
  expect(partition.awakeMs - (before[0] ?? 0)).toBeLessThanOrEqual(MINUTE_MS);
  expect(group.awakeMs - (before[1] ?? 0)).toBeLessThanOrEqual(MINUTE_MS);
  expect(generations()).toEqual([1, 1, 1, 1]);
});

test('a group that slept is told of who joins, and all have the new generation soon', async () => {
  const { world, generations } = await worldOf({});
  await world.pass(10 * MINUTE_MS);
  expect(world.group.isAwake).toBe(false);
  const [late] = world.members(1, 5_000);
  // Each answers its fetch before it joins.
  await world.pass(15_000);
  expect([...generations(), late?.generationId]).toEqual([2, 2, 2, 2, 2]);
});

test('a commit wakes the group, and nobody is lost', async () => {
  const { world, members, generations } = await worldOf({});
  await world.pass(10 * MINUTE_MS);
  expect(await world.done(members[0]!.commit(1))).toBe(0);
  await world.pass(10 * MINUTE_MS);
  expect(world.group.isAwake).toBe(false);
  expect(generations()).toEqual([1, 1, 1, 1]);
});

test.each(['vanish', 'hang'] as const)('who is gone (%s) is missed, and the others go on', async (how) => {
  const { world, members, generations } = await worldOf({});
  await world.pass(10 * MINUTE_MS);
  members[3]![how]();
  await world.pass(2 * MINUTE_MS);
  expect(generations()).toEqual([2, 2, 2, 1]);
});

describe.each(['consumer', 'share'] as const)('a %s group that stands still', (protocol) => {
  async function worldOfEpochs() {
    const world = await IdleWorld.start();
    onTestFinished(() => world.remove());
    const members = world.epochMembers(3, 5_000, protocol);
    await world.pass(3 * MINUTE_MS);
    return { world, members, epochs: () => members.map(({ generationId }) => generationId) };
  }

  test('sleeps, though its members send heartbeats, and nobody is lost', async () => {
    const { world, epochs } = await worldOfEpochs();
    const [before, awakeMs] = [epochs(), world.group.awakeMs];
    expect(new Set(before).size).toBe(1);
    await world.pass(HOUR_MS);
    expect(world.group.awakeMs - awakeMs).toBeLessThanOrEqual(MINUTE_MS);
    expect(epochs()).toEqual(before);
  });

  test('is told of who joins, and all have the new epoch soon', async () => {
    const { world, members, epochs } = await worldOfEpochs();
    const [before = 0] = epochs();
    await world.pass(10 * MINUTE_MS);
    expect(world.group.isAwake).toBe(false);
    members.push(...world.epochMembers(1, 5_000, protocol));
    await world.pass(20_000);
    expect(epochs()).toEqual(members.map(() => before + 1));
  });

  test('is told of partitions that are new', async () => {
    const { world, members } = await worldOfEpochs();
    await world.pass(10 * MINUTE_MS);
    await world.addPartition();
    await world.pass(20_000);
    const read = members.flatMap(({ partitions = '[]' }) =>
      (JSON.parse(partitions) as { partitions: number[] }[]).flatMap((topic) => topic.partitions),
    );
    expect(new Set(read)).toEqual(new Set([0, 1]));
  });

  test.each(['vanish', 'hang'] as const)('misses who is gone (%s)', async (how) => {
    const { world, members, epochs } = await worldOfEpochs();
    const [before = 0] = epochs();
    await world.pass(10 * MINUTE_MS);
    members[2]![how]();
    await world.pass(3 * MINUTE_MS);
    expect(epochs()).toEqual([before + 1, before + 1, before]);
  });
});
