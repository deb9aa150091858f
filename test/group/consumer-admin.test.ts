import { describe, expect, test } from 'vitest';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import { describeGroupsApi } from '../../src/wire/apis/15-describe-groups.ts';
import { listGroupsApi } from '../../src/wire/apis/16-list-groups.ts';
import { deleteGroupsApi } from '../../src/wire/apis/42-delete-groups.ts';
import { consumerWorld, describeGroup } from './consumer-client.ts';
import type { Coordinator } from './coordinator.ts';

describe('positions', () => {
  function commit(coordinator: Coordinator, memberId: string, epoch: number, partition: number) {
    const body = {
      groupId: 'g',
      generationIdOrMemberEpoch: epoch,
      memberId,
      topics: [
        {
          name: 't',
          partitions: [{ partitionIndex: partition, committedOffset: 5, committedMetadata: null }],
        },
      ],
    };
    // The gateway says both what a topic is called and its id.
    const prepare = (said: unknown) => {
      const [topic] = (said as { topics: { topicId: string }[] }).topics;
      if (topic !== undefined) topic.topicId = coordinator.topics.topic('t')?.id ?? '';
    };
    const reply = coordinator.ask(offsetCommitApi, body, { client: 'a', version: 9, prepare });
    return reply.topics[0]?.partitions[0]?.errorCode;
  }

  test('are committed by members in their epoch, or an older one in which they had the partition', () => {
    const { client, coordinator } = consumerWorld();
    const [a, b] = [client('a'), client('b')];
    a.beat();
    expect(commit(coordinator, a.memberId, 1, 3)).toBe(0);
    for (let i = 0; i < 3; i++) for (const each of [b, a]) each.beat();
    expect(a.epoch).toBe(2);
    expect(commit(coordinator, a.memberId, 2, 0)).toBe(0);
    expect(commit(coordinator, a.memberId, 1, 0)).toBe(0);
    expect(commit(coordinator, a.memberId, 1, 3)).toBe(113);
    expect(commit(coordinator, b.memberId, 1, 3)).toBe(113);
    expect(commit(coordinator, a.memberId, 3, 0)).toBe(113);
    expect(commit(coordinator, 'nobody', 2, 0)).toBe(25);
    expect(commit(coordinator, '', -1, 0)).toBe(25);
    a.leave();
    b.leave();
    expect(commit(coordinator, '', -1, 0)).toBe(0);
  });

  test('are read by who is a member, in its epoch, and by who does not say', () => {
    const { client, coordinator } = consumerWorld();
    const a = client('a');
    a.beat();
    const fetch = (memberId: string | null, memberEpoch: number) =>
      coordinator.ask(
        offsetFetchApi,
        { groups: [{ groupId: 'g', memberId, memberEpoch, topics: null }] },
        { client: 'a', version: 9 },
      ).groups[0]?.errorCode;
    expect(fetch(null, -1)).toBe(0);
    expect(fetch(a.memberId, 1)).toBe(0);
    expect(fetch(a.memberId, 0)).toBe(113);
    expect(fetch('nobody', 1)).toBe(25);
  });
});

describe('administrators', () => {
  const admin = { client: 'admin' };

  test('see such a group by its type, its state, and in its own description alone', () => {
    const { client, coordinator } = consumerWorld();
    const a = client('a', { instanceId: 'one' });
    a.beat();
    const list = (filter: object) =>
      coordinator.ask(listGroupsApi, { statesFilter: [], typesFilter: [], ...filter }, admin).groups;
    const group = { groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'consumer' };
    expect(list({})).toEqual([group]);
    expect(list({ typesFilter: ['Consumer'], statesFilter: ['stable'] })).toEqual([group]);
    expect(list({ typesFilter: ['classic'] })).toEqual([]);
    expect(list({ statesFilter: ['empty'] })).toEqual([]);
    const described = coordinator.ask(describeGroupsApi, { groups: ['g'] }, admin).groups[0];
    expect(described).toMatchObject({ errorCode: 69, groupState: 'Dead' });
    const assigned = { topicPartitions: [{ topicName: 't', partitions: [0, 1, 2, 3] }] };
    expect(describeGroup(coordinator)).toMatchObject({
      errorCode: 0,
      assignorName: 'uniform',
      members: [
        {
          memberId: a.memberId,
          instanceId: 'one',
          memberEpoch: 1,
          clientId: 'a',
          subscribedTopicNames: ['t'],
          assignment: assigned,
          targetAssignment: assigned,
          memberType: 1,
        },
      ],
    });
    expect(describeGroup(coordinator, 'none')).toMatchObject({ errorCode: 69 });
  });

  test('delete it once it is empty, without a trace', () => {
    const { client, coordinator } = consumerWorld();
    const a = client('a', { topics: [], regex: 't' });
    a.beat();
    const remove = () =>
      coordinator.ask(deleteGroupsApi, { groupsNames: ['g'] }, admin).results[0]?.errorCode;
    expect(remove()).toBe(68);
    a.leave();
    expect(describeGroup(coordinator).groupState).toBe('Empty');
    expect(remove()).toBe(0);
    expect([...coordinator.machine.snapshot()]).toEqual([]);
    coordinator.reload();
    expect([...coordinator.machine.snapshot()]).toEqual([]);
  });
});
