import { describe, expect, test } from 'vitest';
import { PLACES, useBroker } from './fixture.ts';
import { Group, connectAdmin, connectConsumer, connectProducer, createTopic, errorsOf } from './kafkajs.ts';

describe.each(PLACES)('kafkajs offsets, on $home over $door', ({ home, door }) => {
  const broker = useBroker(home, {}, door);

  test('where a topic begins and ends', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { partitions: 2 });
    const producer = await connectProducer(broker);
    await producer.send({
      topic,
      messages: [
        { partition: 1, value: 'a' },
        { partition: 1, value: 'b' },
      ],
    });
    expect((await admin.fetchTopicOffsets(topic)).toSorted((a, b) => a.partition - b.partition)).toEqual([
      { partition: 0, offset: '0', high: '0', low: '0' },
      { partition: 1, offset: '2', high: '2', low: '0' },
    ]);
  });

  test('by time: the first record at or after it, the end when there is none', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const producer = await connectProducer(broker);
    const startMs = 1_700_000_000_000;
    for (const batch of [0, 1, 2]) {
      const messages = [0, 1, 2].map((at) => ({
        value: `${batch}.${at}`,
        timestamp: String(startMs + batch * 1_000 + at * 100),
      }));
      await producer.send({ topic, messages });
    }
    const offsetAt = async (timestamp: number) =>
      (await admin.fetchTopicOffsetsByTimestamp(topic, timestamp))[0]?.offset;
    expect(await offsetAt(0)).toBe('0');
    expect(await offsetAt(startMs)).toBe('0');
    expect(await offsetAt(startMs + 150)).toBe('2');
    expect(await offsetAt(startMs + 201)).toBe('3');
    expect(await offsetAt(startMs + 1_100)).toBe('4');
    expect(await offsetAt(startMs + 2_200)).toBe('8');
    expect(await offsetAt(startMs + 2_201)).toBe('9');
  });
});

describe('kafkajs offsets', () => {
  const broker = useBroker();

  async function offsets(groupId: string, topic: string): Promise<string[] | undefined> {
    const admin = await connectAdmin(broker);
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return found?.partitions.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset);
  }

  test('a group’s offsets are set and reset, but not while it has members', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker, { partitions: 2 });
    const producer = await connectProducer(broker);
    for (const partition of [0, 1])
      await producer.send({ topic, messages: ['a', 'b', 'c'].map((value) => ({ partition, value })) });
    const group = new Group(broker, topic);
    const member = await group.join();
    await group.seen(6);
    const reset = { groupId: group.groupId, topic, earliest: true };
    expect(await errorsOf(admin.resetOffsets(reset))).toEqual([
      expect.stringMatching(/must have no running instances/),
    ]);
    await group.leave(member);
    expect(await offsets(group.groupId, topic)).toEqual(['3', '3']);

    const set = { groupId: broker.name('group'), topic, partitions: [{ partition: 1, offset: '2' }] };
    expect(await offsets(set.groupId, topic)).toEqual(['-1', '-1']);
    // Each of them has the client wait for five seconds, so both at once, and not on one connection.
    const other = await connectAdmin(broker);
    await Promise.all([admin.resetOffsets(reset), other.setOffsets(set)]);
    // It commits what it calls the beginning, and looks up where that is when it comes back.
    expect(await offsets(group.groupId, topic)).toEqual(['-2', '-2']);
    expect(await offsets(set.groupId, topic)).toEqual(['-1', '2']);
    const resumed = new Group(broker, topic, set.groupId);
    await resumed.join();
    const records = await resumed.seen(4);
    expect(records.filter(({ partition }) => partition === 1)).toMatchObject([{ offset: 2, value: 'c' }]);
    const fromBeginning = new Group(broker, topic, group.groupId);
    await fromBeginning.join();
    expect(await fromBeginning.seen(6)).toHaveLength(6);
  });

  test('all topics of a group, with their metadata', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const group = new Group(broker, topic);
    const member = await group.join();
    await group.shared(1);
    await member.consumer.commitOffsets([{ topic, partition: 0, offset: '7', metadata: 'seven' }]);
    expect(await admin.fetchOffsets({ groupId: group.groupId })).toEqual([
      { topic, partitions: [{ partition: 0, offset: '7', metadata: 'seven' }] },
    ]);
  });

  test('offsets in a topic that was deleted are none in its successor', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const producer = await connectProducer(broker);
    await producer.send({ topic, messages: [{ value: 'before' }] });
    const group = new Group(broker, topic);
    const member = await group.join();
    await group.seen(1);
    await group.leave(member);
    const { groupId } = group;
    expect(await admin.fetchOffsets({ groupId })).toMatchObject([{ partitions: [{ offset: '1' }] }]);
    await admin.deleteTopics({ topics: [topic] });
    expect(await admin.fetchOffsets({ groupId })).toEqual([]);
    await admin.createTopics({ topics: [{ topic }] });
    expect(await admin.fetchOffsets({ groupId })).toEqual([]);
    expect(await offsets(groupId, topic)).toEqual(['-1']);
    await producer.send({ topic, messages: [{ value: 'after' }] });
    const again = new Group(broker, topic, groupId);
    await again.join();
    expect(await again.seen(1)).toMatchObject([{ offset: 0, value: 'after' }]);
  });

  test('metadata longer than offset.metadata.max.bytes is refused', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const group = new Group(broker, topic);
    const member = await group.join();
    await group.shared(1);
    const metadata = 'm'.repeat(4_097);
    const commit = member.consumer.commitOffsets([{ topic, partition: 0, offset: '1', metadata }]);
    expect(await errorsOf(commit)).toEqual(['OFFSET_METADATA_TOO_LARGE']);
  });

  test('a reader of a new group begins at the end unless told otherwise', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const producer = await connectProducer(broker);
    await producer.send({ topic, messages: [{ value: 'old' }] });
    const group = new Group(broker, topic);
    const member = await group.join({ fromBeginning: false });
    const fetched = new Promise<void>((resolve) =>
      member.consumer.on('consumer.fetch_start', () => resolve()),
    );
    await fetched;
    await producer.send({ topic, messages: [{ value: 'new' }] });
    expect(await group.seen(1)).toMatchObject([{ offset: 1, value: 'new' }]);
  });

  test('a consumer of a group nobody has heard of describes it as dead', async () => {
    const consumer = await connectConsumer(broker, { groupId: broker.name('group') });
    expect(await consumer.describeGroup()).toMatchObject({ state: 'Dead', members: [] });
  });
});
