import { describe, expect, test } from 'vitest';
import { HOMES, sortedValues, useBroker } from './fixture.ts';
import { distinct } from './group.ts';
import { MortalMember } from './mortal-member.ts';
import { Group, createTopic, errorsOf, newAdmin, newProducer } from './platformatic.ts';

const PARTITIONS = 4;

function oneEach(topic: string, value: string) {
  return Array.from({ length: PARTITIONS }, (_, partition) => ({
    topic,
    partition,
    value: Buffer.from(`${value} ${partition}`),
  }));
}

function values(value: string): string[] {
  return oneEach('', value).map((message) => message.value.toString());
}

describe.each(HOMES)('@platformatic/kafka groups, on %s', (home) => {
  const broker = useBroker(home);

  test.each(['roundrobin', 'cooperative-sticky'])('two members share, one leaves: %s', async (protocol) => {
    const topic = await createTopic(broker, { partitions: PARTITIONS });
    const producer = newProducer(broker);
    const options = { protocols: [{ name: protocol, version: 1 }] };
    const group = new Group(broker, topic);
    const first = await group.join(options);
    await group.shared(4);
    await producer.send({ messages: oneEach(topic, 'alone') });
    expect(sortedValues(await group.seen(4))).toEqual(values('alone'));
    const second = await group.join(options);
    await group.shared(2, 2);
    await producer.send({ messages: oneEach(topic, 'both') });
    const both = () => [...distinct(first, 'both'), ...distinct(second, 'both')];
    await group.changes.until(() => both().length === 4);
    expect(new Set(both())).toEqual(new Set(values('both')));
    expect(distinct(second, 'both')).toHaveLength(2);
    await group.leave(first);
    await group.shared(4);
    await producer.send({ messages: oneEach(topic, 'left') });
    await group.changes.until(() => distinct(second, 'left').length === 4);
    expect(distinct(second, 'left')).toEqual(values('left'));
  });

  test('two members share by the protocol of KIP-848, one leaves', async () => {
    const topic = await createTopic(broker, { partitions: PARTITIONS });
    const producer = newProducer(broker);
    const options = { groupProtocol: 'consumer' } as const;
    const group = new Group(broker, topic);
    const first = await group.join(options);
    await group.shared(4);
    await producer.send({ messages: oneEach(topic, 'alone') });
    expect(sortedValues(await group.seen(4))).toEqual(values('alone'));
    const second = await group.join(options);
    await group.shared(2, 2);
    await producer.send({ messages: oneEach(topic, 'both') });
    const both = () => [...distinct(first, 'both'), ...distinct(second, 'both')];
    await group.changes.until(() => both().length === 4);
    expect(new Set(both())).toEqual(new Set(values('both')));
    await group.leave(first);
    await group.shared(4);
    await producer.send({ messages: oneEach(topic, 'left') });
    await group.changes.until(() => distinct(second, 'left').length === 4);
    const admin = newAdmin(broker);
    expect((await admin.listGroups({ types: ['consumer'] })).get(group.groupId)).toMatchObject({
      groupType: 'consumer',
    });
  });

  test('a group goes on where it committed', async () => {
    const topic = await createTopic(broker, { partitions: PARTITIONS });
    const producer = newProducer(broker);
    const group = new Group(broker, topic);
    const member = await group.join({ autocommit: false });
    await producer.send({ messages: oneEach(topic, 'before') });
    const seen = await group.seen(4);
    await member.consumer.commit({
      offsets: seen.map(({ partition, offset }) => ({
        topic,
        partition,
        offset: BigInt(offset) + 1n,
        leaderEpoch: 0,
      })),
    });
    await group.leave(member);
    await producer.send({ messages: oneEach(topic, 'while away') });
    const again = new Group(broker, topic, group.groupId);
    await again.join();
    expect(sortedValues(await again.seen(4))).toEqual(values('while away'));
  });
});

describe('@platformatic/kafka groups', () => {
  const broker = useBroker();

  test('admin: groups', async () => {
    const admin = newAdmin(broker);
    const topic = await createTopic(broker, { partitions: PARTITIONS });
    const group = new Group(broker, topic);
    const { groupId } = group;
    const member = await group.join();
    await group.shared(4);
    expect((await admin.listGroups()).get(groupId)).toMatchObject({
      id: groupId,
      state: 'Stable',
      groupType: 'classic',
      protocolType: 'consumer',
    });
    const described = (await admin.describeGroups({ groups: [groupId] })).get(groupId);
    expect(described).toMatchObject({ state: 'Stable', protocol: 'roundrobin', protocolType: 'consumer' });
    const [only] = [...(described?.members.values() ?? [])];
    expect(only).toMatchObject({ clientId: 'platformatic', clientHost: '/127.0.0.1', groupInstanceId: null });
    expect(only?.assignments?.get(topic)?.partitions).toEqual([0, 1, 2, 3]);
    expect(await errorsOf(admin.deleteGroups({ groups: [groupId] }))).toEqual(['NON_EMPTY_GROUP']);
    await group.leave(member);
    expect((await admin.listGroups({ states: ['Empty'] })).has(groupId)).toBe(true);
    expect((await admin.listGroups({ states: ['Stable'] })).has(groupId)).toBe(false);
    await admin.deleteGroups({ groups: [groupId] });
    expect((await admin.listGroups()).has(groupId)).toBe(false);
  });

  test('admin: offsets of a group', async () => {
    const admin = newAdmin(broker);
    const topic = await createTopic(broker, { partitions: 2 });
    const groupId = broker.name('group');
    await admin.alterConsumerGroupOffsets({
      groupId,
      topics: [{ name: topic, partitionOffsets: [{ partition: 1, offset: 42n }] }],
    });
    expect(await admin.listConsumerGroupOffsets({ groups: [groupId] })).toEqual([
      {
        groupId,
        topics: [
          {
            name: topic,
            partitions: [expect.objectContaining({ partitionIndex: 1, committedOffset: 42n })],
          },
        ],
      },
    ]);
  });

  test('a static member comes back to what it had, and nobody else notices', async () => {
    const topic = await createTopic(broker, { partitions: PARTITIONS });
    const group = new Group(broker, topic);
    const stays = await group.join({ groupInstanceId: 'stays' });
    const returns = await group.join({ groupInstanceId: 'returns' });
    await group.shared(2, 2);
    const { generationId } = stays.consumer;
    const had = returns.partitions;
    const successor = await group.join({ groupInstanceId: 'returns' });
    await group.changes.until(() => successor.partitions.length === 2);
    expect(successor.partitions).toEqual(had);
    expect(successor.consumer.generationId).toBe(generationId);
    expect(stays.consumer.generationId).toBe(generationId);
  });

  test('what a member held that died without a word goes to the other', async () => {
    const topic = await createTopic(broker, { partitions: PARTITIONS });
    const producer = newProducer(broker);
    const group = new Group(broker, topic);
    const survivor = await group.join();
    const mortal = new MortalMember(broker, group.groupId, topic, () => group.changes.changed());
    await group.changes.until(() => mortal.partitions.length === 2 && survivor.partitions.length === 2);
    mortal.die();
    await group.changes.until(() => survivor.partitions.length === 4);
    await producer.send({ messages: oneEach(topic, 'survivor') });
    await group.changes.until(() => distinct(survivor, 'survivor').length === 4);
    expect(distinct(survivor, 'survivor')).toEqual(values('survivor'));
  });
});
