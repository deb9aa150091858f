import type { Consumer, Settings } from './binding.ts';
import { at, type Checks, same, until, type World } from './world.ts';

const PARTITIONS = 6;
const CLASSIC: Settings = { 'group.protocol': 'classic', 'heartbeat.interval.ms': 100 };
const COOPERATIVE: Settings = { ...CLASSIC, 'partition.assignment.strategy': 'cooperative-sticky' };
const MODERN: Settings = { 'group.protocol': 'consumer' };

export const GROUPS: Checks = {
  'classic, range: members come and go, each record once': (world) => share(world, CLASSIC),
  'classic, cooperative-sticky: members come and go, each record once': (world) => share(world, COOPERATIVE),
  'group.protocol=consumer: members come and go, each record once': (world) => share(world, MODERN),
  'classic: topics by pattern': (world) => byPattern(world, CLASSIC),
  'group.protocol=consumer: topics by pattern': (world) => byPattern(world, MODERN),
  'positions that are committed by hand are where the group goes on': byHand,
};

interface Member {
  consumer: Consumer;
  values: string[];
}

async function join(
  world: World,
  groupId: string,
  topics: (string | RegExp)[],
  settings: Settings,
): Promise<Member> {
  const consumer = await world.consumer(groupId, { ...settings, 'auto.commit.interval.ms': 100 });
  const values: string[] = [];
  await consumer.subscribe({ topics });
  await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) });
  return { consumer, values };
}

/**
 * One is alone, two share, then three; one leaves, one is left; each record once, and nothing is lost. The first reads
 * of all partitions before others come: see `begin` in `confluent/groups.py`.
 */
async function share(world: World, settings: Settings): Promise<string> {
  const topic = await world.topic(PARTITIONS);
  const groupId = world.name('group');
  const members: Member[] = [];
  const gone: Member[] = [];
  const wanted: string[] = [];
  const shared = async (...sizes: number[]) => {
    const owned = () => members.map(({ consumer }) => consumer.assignment().length);
    await until(() => owned().every((size, at) => size === sizes[at]));
    const values = Array.from({ length: PARTITIONS }, (_, partition) => `${wanted.length}-${partition}`);
    await world.write(
      topic,
      values.map((value, partition) => ({ value, partition })),
    );
    wanted.push(...values);
    const seen = () => [...members, ...gone].flatMap((member) => member.values);
    await until(() => seen().length >= wanted.length);
    same(seen().toSorted(), wanted.toSorted());
  };
  for (const sizes of [[6], [3, 3], [2, 2, 2]]) {
    members.push(await join(world, groupId, [topic], settings));
    await shared(...sizes);
  }
  for (const sizes of [[3, 3], [6]]) {
    const left = members.shift()!;
    gone.push(left);
    await world.disconnect(left.consumer);
    await shared(...sizes);
  }
  await world.disconnect(members[0]!.consumer);
  same(
    await world.committed(groupId, topic),
    Array.from({ length: PARTITIONS }, () => '5'),
  );
  return `${wanted.length} records, each once`;
}

async function byPattern(world: World, settings: Settings): Promise<string> {
  const prefix = world.name('pattern');
  const topics = ['a', 'b', 'c'].map((end) => ({ topic: `${prefix}-${end}` }));
  await world.admin.createTopics({ topics });
  const member = await join(world, world.name('group'), [new RegExp(`^${prefix}-[ab]$`)], settings);
  await until(() => member.consumer.assignment().length === 2);
  const names = member.consumer.assignment().map(({ topic }) => topic);
  same(names.toSorted(), [`${prefix}-a`, `${prefix}-b`]);
  return 'two of three';
}

async function byHand(world: World): Promise<string> {
  const topic = await world.topic();
  const groupId = world.name('group');
  await world.write(topic, [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
  const settings = { kafkaJS: { autoCommit: false } };
  const before = await join(world, groupId, [topic], settings);
  await until(() => before.values.length === 3);
  await before.consumer.commitOffsets([{ ...at(topic, 0, 1), metadata: 'one' }]);
  await world.disconnect(before.consumer);
  const after = await join(world, groupId, [topic], settings);
  await until(() => after.values.length === 2);
  same(after.values, ['b', 'c']);
  const [found] = await after.consumer.committed([{ topic, partition: 0 }], 10_000);
  same([found?.offset, found?.metadata], ['1', 'one']);
  return '1, one';
}
