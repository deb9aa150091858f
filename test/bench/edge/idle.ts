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
  const world = await IdleWorld.start();
  world.subscribers(SUBSCRIBERS);
  world.members(MEMBERS, MEMBER_WAIT_MS);
  await world.pass(SETTLE_MS);
  const { partition, group } = world;
  const before = [partition, group].map(({ awakeMs, wakes }) => ({ awakeMs, wakes }));
  await world.pass(HOUR_MS);
  world.remove();
  [partition, group].forEach(({ awakeMs, wakes }, at) => {
    const was = before[at] ?? { awakeMs: 0, wakes: 0 };
    const object = at === 0 ? 'partition' : 'group';
    const bench = `edge: an idle hour (virtual time), 1,000 subscribers, 100 members, ${object} object`;
    report({
      bench: `${bench}, awake`,
      value: (awakeMs - was.awakeMs) / 1_000,
      unit: 's',
      bar: { atMost: 60 },
    });
    report({ bench: `${bench}, wakes`, value: wakes - was.wakes, unit: 'wakes' });
  });
}
