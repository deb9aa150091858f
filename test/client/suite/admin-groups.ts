import { beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { offsetCommitApi } from '../../../src/wire/apis/08-offset-commit.ts';
import { connectAdmin, Group } from '../../clients/kafkajs.ts';
import { connectRaw, type Reach, suite, useClient } from './reach.ts';

/** Commits as nobody does: what kafkajs needs five seconds for. */
async function commit(
  reach: Reach,
  { groupId, topic, offsets }: { groupId: string; topic: string; offsets: readonly number[] },
): Promise<void> {
  const raw = await connectRaw(reach);
  const partitions = offsets.map((committedOffset, partitionIndex) => ({
    partitionIndex,
    committedOffset,
    committedMetadata: '',
  }));
  const request = { groupId, memberId: '', topics: [{ name: topic, partitions }] };
  const { topics } = await raw.send(offsetCommitApi, 8, request);
  if (topics[0]?.partitions.some(({ errorCode }) => errorCode !== 0)) throw new Error('it was not committed');
}

/** A topic of two partitions with ten records each, their times 1,000 to 10,000, and a group that has read so far. */
async function begin(reach: Reach, client: Client) {
  const [topic, groupId] = [reach.place.name('topic'), reach.place.name('group')];
  await client.admin.topics.create(topic, { partitions: 2 });
  for (const partition of [0, 1])
    await client.send(
      topic,
      Array.from({ length: 10 }, (_, at) => ({ value: `${at}`, partition, timestamp: 1000 * (at + 1) })),
    );
  const kafkajs = await connectAdmin(reach.place);
  await commit(reach, { groupId, topic, offsets: [4, 0] });
  const offsetsNow = async () => {
    const [found] = await kafkajs.fetchOffsets({ groupId, topics: [topic] });
    return found?.partitions.map(({ offset }) => Number(offset));
  };
  return { topic, groupId, offsetsNow };
}

/** Groups as kafkajs makes them: what is said of them is compared with what kafkajs knows. */
export const adminGroups = suite('admin: groups', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made), { retryForMs: 2_000 });
  // The first who asks makes the topic that groups are kept in, which can take a while.
  beforeAll(async () => {
    await using first = await reach.connect();
    await first.admin.groups.offsets('any');
  });

  describe('what there is', () => {
    test('groups by name, state and type', async () => {
      const { groupId } = await begin(reach, client);
      const { groups } = client.admin;
      const mine = { groupId, state: 'Empty', type: 'classic', protocolType: '' };
      expect(await groups.list()).toContainEqual(
        expect.objectContaining({ ...mine, protocolType: expect.any(String) }),
      );
      const named = async (options: Parameters<typeof groups.list>[0]) =>
        (await groups.list(options)).some((group) => group.groupId === groupId);
      expect(await named({ states: ['Empty'] })).toBe(true);
      expect(await named({ states: ['Stable'] })).toBe(false);
      expect(await named({ types: ['classic'] })).toBe(true);
      expect(await named({ types: ['consumer'] })).toBe(false);
    });

    test('members, and what each of them has', async () => {
      const { topic } = await begin(reach, client);
      const group = new Group(reach.place, topic);
      await group.join();
      await group.join();
      await group.shared(1, 1);
      const description = await client.admin.groups.describe(group.groupId);
      expect(description).toMatchObject({
        groupId: group.groupId,
        type: 'classic',
        state: 'Stable',
        protocolType: 'consumer',
        assignor: 'RoundRobinAssigner',
      });
      const { members } = description;
      expect(members.map(({ clientId }) => clientId)).toEqual(['kafkajs', 'kafkajs']);
      const given = members.flatMap(({ assignment }) => assignment);
      expect(new Set(given.map(({ partition }) => partition))).toEqual(new Set([0, 1]));
      const lag = await client.admin.groups.lag(group.groupId);
      const owners = new Set(lag.partitions.map(({ memberId }) => memberId));
      expect(owners).toEqual(new Set(members.map(({ memberId }) => memberId)));
    });

    test('a group that is not there', async () => {
      const { groups } = client.admin;
      await expect(groups.describe('none')).rejects.toMatchObject({
        code: 'GROUP_ID_NOT_FOUND',
        retriable: false,
      });
      await expect(groups.lag('none')).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
      await expect(groups.delete('none')).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
      expect(await groups.offsets('none')).toEqual([]);
    });

    test('where a group is, and how far behind (lag is first-class, kcat#387)', async () => {
      const { topic, groupId } = await begin(reach, client);
      const { groups } = client.admin;
      const committed = { leaderEpoch: expect.any(Number) as number, metadata: expect.any(String) as string };
      expect(await groups.offsets(groupId)).toEqual([
        { topic, partition: 0, offset: 4, ...committed },
        { topic, partition: 1, offset: 0, ...committed },
      ]);
      const nobody = { memberId: null, clientId: null };
      expect(await groups.lag(groupId)).toEqual({
        groupId,
        state: 'Empty',
        lag: 16,
        partitions: [
          { topic, partition: 0, committedOffset: 4, endOffset: 10, lag: 6, ...nobody },
          { topic, partition: 1, committedOffset: 0, endOffset: 10, lag: 10, ...nobody },
        ],
      });
      expect((await groups.lag(groupId, { topics: ['other'] })).partitions).toEqual([]);
      const both = await groups.lag([groupId, (await begin(reach, client)).groupId]);
      expect(both.map(({ lag }) => lag)).toEqual([16, 16]);
    });

    test('of a topic that has gone the lag is not known, and the rest is', async () => {
      const { topic, groupId } = await begin(reach, client);
      const gone = reach.place.name('topic');
      await client.admin.topics.create(gone);
      await commit(reach, { groupId, topic: gone, offsets: [1] });
      await client.admin.topics.delete(gone);
      const { lag, partitions } = await client.admin.groups.lag(groupId);
      expect(lag).toBe(16);
      expect(partitions.filter((at) => at.topic === topic)).toHaveLength(2);
      for (const at of partitions) expect(at.lag === null).toBe(at.topic === gone);
    });
  });

  describe('reset: to a position, by shift (pui#2890), of all topics (pui#4200)', () => {
    test.each([
      ['earliest' as const, [0, 0]],
      ['latest' as const, [10, 10]],
      [7, [7, 7]],
      [99, [10, 10]],
      [-3, [7, 7]],
      [{ offset: 2 }, [2, 2]],
      [{ time: 3500 }, [3, 3]],
      [{ time: new Date(20_000) }, [10, 10]],
      ['-1h' as const, [10, 10]],
      [{ shiftBy: 2 }, [6, 2]],
      [{ shiftBy: -2 }, [2, 0]],
      [{ shiftBy: 100 }, [10, 10]],
    ])('to %o', async (to, expected) => {
      const { topic, groupId, offsetsNow } = await begin(reach, client);
      const { groups } = client.admin;
      const partitions = [
        { topic, partition: 0, from: 4, to: expected[0] },
        { topic, partition: 1, from: 0, to: expected[1] },
      ];
      expect(await groups.reset(groupId, { to, dryRun: true })).toEqual({
        groupId,
        dryRun: true,
        partitions,
      });
      expect(await offsetsNow()).toEqual([4, 0]);
      expect(await groups.reset(groupId, { to })).toEqual({ groupId, dryRun: false, partitions });
      expect(await offsetsNow()).toEqual(expected);
    });

    test('all partitions of topics that are named, also of a group that is not there yet', async () => {
      const { topic } = await begin(reach, client);
      const groupId = reach.place.name('group');
      const { groups } = client.admin;
      await expect(groups.reset(groupId, { to: 'latest' })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        hint: expect.stringContaining('name the topics') as string,
      });
      const { partitions } = await groups.reset(groupId, { to: 'latest', topics: [topic] });
      expect(partitions).toEqual([0, 1].map((partition) => ({ topic, partition, from: null, to: 10 })));
      expect((await groups.offsets(groupId)).map(({ offset }) => offset)).toEqual([10, 10]);
      await expect(groups.reset(groupId, { to: 0, topics: ['none'] })).rejects.toMatchObject({
        code: 'UNKNOWN_TOPIC_OR_PARTITION',
      });
    });

    test('is refused while there are members, dry or not', async () => {
      const { topic } = await begin(reach, client);
      const group = new Group(reach.place, topic);
      await group.join();
      await group.shared(2);
      for (const dryRun of [true, false])
        await expect(
          client.admin.groups.reset(group.groupId, { to: 0, topics: [topic], dryRun }),
        ).rejects.toMatchObject({
          code: 'NON_EMPTY_GROUP',
          message: expect.stringContaining('a member') as string,
        });
      expect((await client.admin.groups.offsets(group.groupId)).every(({ offset }) => offset > 0)).toBe(true);
    });

    test('what is no position', async () => {
      const { groupId } = await begin(reach, client);
      for (const to of ['-1 hour' as '-1h', Number.NaN, { shiftBy: 1.5 }])
        await expect(client.admin.groups.reset(groupId, { to })).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
    });
  });

  describe('what goes', () => {
    test('a group, unless it has members', async () => {
      const { topic, groupId } = await begin(reach, client);
      const { groups } = client.admin;
      await groups.delete(groupId);
      await expect(groups.describe(groupId)).rejects.toMatchObject({ code: 'GROUP_ID_NOT_FOUND' });
      const group = new Group(reach.place, topic);
      await group.join();
      await group.shared(2);
      await expect(groups.delete([group.groupId])).rejects.toMatchObject({ code: 'NON_EMPTY_GROUP' });
    });

    test('single offsets', async () => {
      const { topic, groupId } = await begin(reach, client);
      const { groups } = client.admin;
      await groups.deleteOffsets(groupId, [{ topic, partition: 0 }]);
      const left = await groups.offsets(groupId);
      expect(left.map(({ partition, offset }) => [partition, offset])).toEqual([[1, 0]]);
    });
  });
});
