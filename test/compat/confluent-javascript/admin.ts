import { type Checks, same, until } from './world.ts';

export const ADMIN: Checks = {
  'topics: made, listed, described, deleted; what cannot be is refused': async (world) => {
    const topic = await world.topic(3, { 'cleanup.policy': 'compact' });
    same(await world.admin.createTopics({ topics: [{ topic }] }), false);
    const [described] = await world.admin.fetchTopicMetadata({ topics: [topic] });
    same([described?.name, described?.partitions.length], [topic, 3]);
    const make = (more: object) =>
      world.admin.createTopics({ topics: [{ topic: world.name('bad'), ...more }] });
    const said = [
      await world.refused(make({ replicationFactor: 2 }), 'ERR_INVALID_REPLICATION_FACTOR'),
      await world.refused(make({ configEntries: [{ name: 'no.such', value: '1' }] }), 'ERR_INVALID_CONFIG'),
    ];
    await world.admin.deleteTopics({ topics: [topic] });
    await until(async () => !(await world.admin.listTopics()).includes(topic));
    said.push(
      await world.refused(world.admin.deleteTopics({ topics: [topic] }), 'ERR_UNKNOWN_TOPIC_OR_PART'),
    );
    return said.join(', ');
  },

  'offsets: earliest, latest, by time; records are deleted': async (world) => {
    const topic = await world.topic();
    await world.write(
      topic,
      ['1000', '2000', '3000'].map((timestamp) => ({ value: timestamp, timestamp })),
    );
    const bounds = async () => {
      const [found] = await world.admin.fetchTopicOffsets(topic);
      return [found?.low, found?.high];
    };
    same(await bounds(), ['0', '3']);
    const [found] = await world.admin.fetchTopicOffsetsByTimestamp(topic, 1_500);
    same(found?.offset, '1');
    await world.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
    same(await bounds(), ['2', '3']);
    const beyond = world.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '9' }] });
    return world.refused(beyond, 'ERR_OFFSET_OUT_OF_RANGE');
  },

  'groups: listed, described with their members, deleted once they are empty': async (world) => {
    const said: string[] = [];
    for (const protocol of ['classic', 'consumer']) {
      const [topic, groupId] = [await world.topic(), world.name('group')];
      const member = await world.consumer(groupId, { 'group.protocol': protocol });
      await member.subscribe({ topics: [topic] });
      await member.run({ eachMessage: async () => {} });
      await until(() => member.assignment().length === 1);
      const { groups } = await world.admin.listGroups();
      same(groups.filter((group) => group.groupId === groupId).length, 1);
      const described = await world.admin.describeGroups([groupId]);
      same(described.groups[0]?.members.length, 1);
      said.push(await world.refused(world.admin.deleteGroups([groupId]), 'ERR_NON_EMPTY_GROUP'));
      await world.disconnect(member);
      await world.admin.deleteGroups([groupId]);
      said.push(await world.refused(world.admin.deleteGroups([groupId]), 'ERR_GROUP_ID_NOT_FOUND'));
    }
    return said.join(', ');
  },
};
