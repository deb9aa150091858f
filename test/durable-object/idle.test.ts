import { expect, onTestFinished, test } from 'vitest';
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
