import { AssignerProtocol } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { PLACES, sortedValues, useBroker } from './fixture.ts';
import { distinct } from './group.ts';
import { Group, connectAdmin, connectConsumer, connectProducer, createTopic, errorsOf } from './kafkajs.ts';
import { Line } from './line.ts';

const PARTITIONS = 6;

/** One message a partition. */
function oneEach(value: string) {
  return Array.from({ length: PARTITIONS }, (_, partition) => ({
    partition,
    value: `${value} ${partition}`,
  }));
}

describe.each(PLACES)('kafkajs groups, on $home over $door', ({ home, door }) => {
  const broker = useBroker(home, {}, door);

  test('members share the partitions, again whenever one joins or leaves', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker, { partitions: PARTITIONS });
    const producer = await connectProducer(broker);
    const group = new Group(broker, topic);
    /** Each partition's message reached the member that holds it. */
    const allSee = async (value: string, ...shares: number[]) => {
      await producer.send({ topic, messages: oneEach(value) });
      const seen = () => group.members.map((member) => distinct(member, value));
      await group.changes.until(() => seen().flat().length === PARTITIONS);
      expect(new Set(seen().flat())).toEqual(new Set(oneEach(value).map((message) => message.value)));
      expect(seen().map(({ length }) => length)).toEqual(shares);
    };
    const first = await group.join();
    await group.shared(6);
    await allSee('alone', 6);
    await group.join();
    await group.shared(3, 3);
    const third = await group.join();
    await group.shared(2, 2, 2);
    await allSee('three', 2, 2, 2);
    await group.leave(third);
    await group.shared(3, 3);
    await group.leave(first);
    await group.shared(6);
    await allSee('last', 6);
  });

  test('what a member held that died without a word goes to the others', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker, { partitions: PARTITIONS });
    const producer = await connectProducer(broker);
    const group = new Group(broker, topic);
    const line = new Line(broker);
    const survivor = await group.join();
    const mortal = await group.join({ sessionTimeout: 1_000, line, retry: { retries: 0 } });
    await group.shared(3, 3);
    await producer.send({ topic, messages: oneEach('both') });
    await group.seen(6);
    line.cut();
    group.forget(mortal);
    await group.shared(6);
    await producer.send({ topic, messages: oneEach('survivor') });
    await group.changes.until(() => distinct(survivor, 'survivor').length === PARTITIONS);
    expect(distinct(survivor, 'survivor')).toEqual(oneEach('survivor').map(({ value }) => value));
  });

  test('a group goes on where it committed', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { partitions: PARTITIONS });
    const producer = await connectProducer(broker);
    const group = new Group(broker, topic);
    const member = await group.join();
    await producer.send({ topic, messages: oneEach('before') });
    await group.seen(6);
    await group.leave(member);
    await producer.send({ topic, messages: oneEach('while away') });
    const again = new Group(broker, topic, group.groupId);
    const returned = await again.join();
    const records = await again.seen(6);
    expect(sortedValues(records)).toEqual(oneEach('while away').map(({ value }) => value));
    await again.leave(returned);
    const [committed] = await admin.fetchOffsets({ groupId: group.groupId, topics: [topic] });
    expect(committed?.partitions.map(({ offset }) => offset)).toEqual(Array.from({ length: 6 }, () => '2'));
  });
});

describe('kafkajs groups', () => {
  const broker = useBroker();

  test('members notice new partitions of their topic', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { partitions: 1 });
    const producer = await connectProducer(broker);
    const group = new Group(broker, topic);
    await group.join({ metadataMaxAge: 200 });
    await group.shared(1);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
    await group.shared(3);
    const fresh = await connectProducer(broker);
    await fresh.send({ topic, messages: [{ partition: 2, value: 'new' }] });
    expect(await group.seen(1)).toMatchObject([{ partition: 2, value: 'new' }]);
    await producer.disconnect();
  });

  test('two groups read the same topic without each other', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const producer = await connectProducer(broker);
    const [one, other] = [new Group(broker, topic), new Group(broker, topic)];
    await one.join();
    await other.join();
    await producer.send({ topic, messages: [{ value: 'for all' }] });
    expect(await one.seen(1)).toMatchObject([{ value: 'for all' }]);
    expect(await other.seen(1)).toMatchObject([{ value: 'for all' }]);
  });

  test('one member of many topics, by pattern too', async () => {
    const admin = await connectAdmin(broker);
    const prefix = broker.name('pattern');
    const topics = [`${prefix}-a`, `${prefix}-b`];
    await admin.createTopics({ topics: topics.map((topic) => ({ topic })) });
    const group = new Group(broker, new RegExp(`^${prefix}-`));
    await group.join();
    const producer = await connectProducer(broker);
    await producer.sendBatch({
      topicMessages: topics.map((topic) => ({ topic, messages: [{ value: topic }] })),
    });
    expect(sortedValues(await group.seen(2))).toEqual(topics);
  });

  test('groups are listed, described and deleted, but not while they have members', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { partitions: 2 });
    const group = new Group(broker, topic);
    const { groupId } = group;
    const member = await group.join();
    await group.shared(2);
    expect((await admin.listGroups()).groups).toContainEqual({ groupId, protocolType: 'consumer' });
    const [described] = (await admin.describeGroups([groupId])).groups;
    expect(described).toMatchObject({
      groupId,
      protocolType: 'consumer',
      protocol: 'RoundRobinAssigner',
      state: 'Stable',
      members: [{ clientId: 'kafkajs', clientHost: '/127.0.0.1' }],
    });
    const [only] = described?.members ?? [];
    expect(AssignerProtocol.MemberAssignment.decode(only?.memberAssignment ?? Buffer.alloc(0))).toMatchObject(
      {
        assignment: { [topic]: [0, 1] },
      },
    );
    expect(await errorsOf(admin.deleteGroups([groupId]))).toEqual(['NON_EMPTY_GROUP']);

    await group.leave(member);
    expect((await admin.describeGroups([groupId])).groups).toMatchObject([{ state: 'Empty', members: [] }]);
    expect(await admin.deleteGroups([groupId])).toEqual([{ groupId, errorCode: 0 }]);
    expect((await admin.describeGroups([groupId])).groups).toMatchObject([{ state: 'Dead', members: [] }]);
    expect((await admin.listGroups()).groups.map((listed) => listed.groupId)).not.toContain(groupId);
    expect(await errorsOf(admin.deleteGroups([groupId]))).toEqual(['GROUP_ID_NOT_FOUND']);
  });

  test('a session timeout outside the broker’s bounds is refused', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const config = { sessionTimeout: 50, heartbeatInterval: 10, retry: { retries: 0 } };
    const consumer = await connectConsumer(broker, { groupId: broker.name('group'), ...config });
    const crashed = new Promise<Error>((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error));
    });
    await consumer.subscribe({ topic });
    await consumer.run().catch(() => undefined);
    expect((await crashed).message).toMatch(/session timeout/);
  });
});
