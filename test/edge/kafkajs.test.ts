import { describe, expect, test } from 'vitest';
import { sortedValues } from '../clients/fixture.ts';
import {
  connectAdmin,
  connectProducer,
  createTopic,
  Group,
  readTopic,
  transactional,
} from '../clients/kafkajs.ts';
import { WAYS, useEdge, useWay } from './place.ts';

const edge = useEdge();
const values = (count: number) => Array.from({ length: count }, (_, at) => `v${at}`);

/** Unmodified; over WebSocket with `milena/kafkajs`. */
describe.each(WAYS)('kafkajs: %s', (way) => {
  const place = useWay(edge, way);

  test('writes and reads, keys keep to their partitions', async () => {
    const topic = await createTopic(await connectAdmin(place), place, { partitions: 4 });
    const producer = await connectProducer(place);
    const messages = values(100).map((value, at) => ({ key: `k${at % 7}`, value }));
    await producer.send({ topic, messages });
    const records = await readTopic(place, topic, 100);
    expect(sortedValues(records)).toEqual(values(100).toSorted((a, b) => a.localeCompare(b)));
    const homes = new Map(records.map(({ key, partition }) => [key, partition]));
    for (const { key, partition } of records) expect(homes.get(key)).toBe(partition);
  });

  test('members share partitions, and go on when one leaves', async () => {
    const topic = await createTopic(await connectAdmin(place), place, { partitions: 4 });
    const group = new Group(place, topic);
    const [first, second] = [await group.join(), await group.join()];
    await group.changes.until(() => first.partitions.length === 2 && second.partitions.length === 2);
    await group.leave(second);
    await group.changes.until(() => first.partitions.length === 4);
    const producer = await connectProducer(place);
    const messages = values(20).map((value, at) => ({ value, partition: at % 4 }));
    await producer.send({ topic, messages });
    await group.changes.until(() => first.records.length === 20);
    expect(new Set(sortedValues(first.records))).toEqual(new Set(values(20)));
    await group.leave(first);
  });

  test('transactions count whole or not at all', async () => {
    const topic = await createTopic(await connectAdmin(place), place, { partitions: 2 });
    const producer = await transactional(place, place.name('tx'));
    for (const [name, end] of [
      ['a', 'commit'],
      ['b', 'abort'],
      ['c', 'commit'],
    ] as const) {
      const transaction = await producer.transaction();
      for (const partition of [0, 1])
        await transaction.send({ topic, messages: [{ value: `${name}${partition}`, partition }] });
      await transaction[end]();
    }
    const group = new Group(place, topic);
    const member = await group.join({ readUncommitted: false });
    await group.changes.until(() => member.records.length === 4);
    expect(sortedValues(member.records)).toEqual(['a0', 'a1', 'c0', 'c1']);
    await group.leave(member);
  });
});
