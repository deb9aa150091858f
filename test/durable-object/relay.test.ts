import { expect, onTestFinished, test } from 'vitest';
import { IdleWorld } from './idle-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const READERS = 8;

/** Readers of a partition that all wait at its relay. */
async function worldOf(about: { isolationLevel?: number } = {}) {
  const world = await IdleWorld.start('milena.relay.readers=0');
  onTestFinished(() => world.remove());
  const got = world.readers(READERS, about);
  await world.pass(1_000);
  const all = (offsets: number[]) => Array.from({ length: READERS }, () => offsets);
  return { world, got, relay: world.relay, all };
}

test.each([0, 1])('what is written goes to all who wait (isolation level %d)', async (isolationLevel) => {
  const { world, got, all } = await worldOf({ isolationLevel });
  for (let offset = 1; offset <= 3; offset++) expect(await world.write()).toBe(offset);
  await world.pass(1_000);
  expect(got).toEqual(all([1, 2, 3]));
});

test('the leader is called once, however many wait', async () => {
  const { world, got, all } = await worldOf();
  const before = world.partition.events;
  await world.write();
  expect(got).toEqual(all([1]));
  // A link that opens, what is written, a link that closes.
  expect(world.partition.events - before).toBe(3);
});

test('relay and partition sleep while nothing is written, and nobody is forgotten', async () => {
  const { world, got, relay, all } = await worldOf();
  await world.write();
  await world.pass(3 * MINUTE_MS);
  const before = [relay.awakeMs, world.partition.awakeMs];
  await world.pass(HOUR_MS);
  expect(relay.awakeMs - (before[0] ?? 0)).toBeLessThanOrEqual(MINUTE_MS);
  expect(world.partition.awakeMs - (before[1] ?? 0)).toBeLessThanOrEqual(MINUTE_MS);
  expect([relay.isAwake, world.partition.isAwake]).toEqual([false, false]);
  await world.write();
  expect(got).toEqual(all([1, 2]));
});

test.each(['relay', 'partition', 'both'])(
  'killed (%s), nothing is lost and nothing doubled',
  async (which) => {
    const { world, got, relay, all } = await worldOf();
    await world.write();
    if (which !== 'partition') relay.kill();
    if (which !== 'relay') world.partition.kill();
    await world.write();
    await world.write();
    await world.pass(10_000);
    expect(got).toEqual(all([1, 2, 3]));
  },
);

test('whoever comes late reads what there was, and then with the others', async () => {
  const { world, got, all } = await worldOf();
  await world.write();
  const [late] = world.readers(1, { from: 0 });
  await world.pass(1_000);
  await world.write();
  expect(late).toEqual([0, 1, 2]);
  expect(got).toEqual(all([1, 2]));
});
