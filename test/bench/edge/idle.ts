import { IdleWorld } from '../../durable-object/idle-world.ts';
import { report } from '../harness.ts';

const SUBSCRIBERS = 1_000;
const MEMBERS = 100;
const MEMBER_WAIT_MS = 500;
const SETTLE_MS = 3 * 60_000;
const HOUR_MS = 3_600_000;

/**
 * Awake seconds of objects in an hour in which nothing is written, in virtual time: gateways, links, shards and
 * machines are those that are deployed; when an object may sleep is as Cloudflare's documentation says it.
 */
export async function run(): Promise<void> {
  const classic = await IdleWorld.start();
  classic.subscribers(SUBSCRIBERS);
  classic.members(MEMBERS, MEMBER_WAIT_MS);
  await idleHour(classic, {
    what: '1,000 subscribers, 100 members',
    objects: ['partition', 'relay', 'group'],
  });
  for (const protocol of ['consumer', 'share'] as const) {
    const world = await IdleWorld.start();
    world.epochMembers(MEMBERS, MEMBER_WAIT_MS, protocol);
    await idleHour(world, { what: `100 members of a ${protocol} group`, objects: ['group'] });
  }
}

async function idleHour(
  world: IdleWorld,
  { what, objects }: { what: string; objects: readonly ('partition' | 'relay' | 'group')[] },
): Promise<void> {
  await world.pass(SETTLE_MS);
  const before = objects.map((name) => ({ awakeMs: world[name].awakeMs, wakes: world[name].wakes }));
  await world.pass(HOUR_MS);
  world.remove();
  objects.forEach((name, at) => {
    const { awakeMs, wakes } = world[name];
    const was = before[at] ?? { awakeMs: 0, wakes: 0 };
    const bench = `edge: an idle hour (virtual time), ${what}, ${name} object`;
    const value = (awakeMs - was.awakeMs) / 1_000;
    report({ bench: `${bench}, awake`, value, unit: 's', bar: { atMost: 60 } });
    report({ bench: `${bench}, wakes`, value: wakes - was.wakes, unit: 'wakes' });
  });
}
