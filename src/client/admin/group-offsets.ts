import { ErrorCode } from '../../model/errors.ts';
import type { LeaderEpoch, Offset } from '../../model/ids.ts';
import { offsetFetchApi, type OffsetFetchResponse } from '../../wire/apis/09-offset-fetch.ts';
import { BrokerError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { type TopicPartition, titleOf } from '../topic-partition.ts';
import type { AdminOptions, Asking, Outcome } from './asking.ts';

/** v2 can ask for all topics; v8 asks for many groups; v10 names topics by id. */
const FETCH_VERSIONS = { min: 2, max: 9 };
const MANY_GROUPS_VERSION = 8;

/** Where a group goes on in a partition. */
export interface GroupOffset extends TopicPartition {
  offset: Offset;
  leaderEpoch: LeaderEpoch;
  /** What the group noted beside it. */
  metadata: string;
}

/** All that groups have committed, by group and in order. Of one that is not there it is nothing. */
export function offsetsOfGroups(
  asking: Asking,
  groupIds: readonly string[],
  { signal }: AdminOptions,
): Promise<Map<string, Outcome<GroupOffset[]>>> {
  return asking.ofGroups<GroupOffset[]>(groupIds, (broker, mine) => askBroker(broker, mine, signal), {
    signal,
  });
}

async function askBroker(
  broker: Exchange,
  groupIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, Outcome<GroupOffset[]>>> {
  const isMany = broker.versionOf(offsetFetchApi, FETCH_VERSIONS) >= MANY_GROUPS_VERSION;
  const questions = isMany ? [groupIds] : groupIds.map((groupId) => [groupId]);
  const answers = await Promise.all(
    questions.map(async (some) => {
      const groups = some.map((groupId) => ({ groupId, topics: null }));
      const request = { groupId: some[0] ?? '', topics: null, groups };
      const answer = await broker.request(offsetFetchApi, FETCH_VERSIONS, request, { signal });
      return isMany ? answer.groups : [{ ...answer, groupId: request.groupId }];
    }),
  );
  return new Map(
    answers
      .flat()
      .map(({ groupId, errorCode, topics }) => [groupId, outcomeIn(groupId, { errorCode, topics })]),
  );
}

/** One partition that cannot be told makes the whole misleading. */
function outcomeIn(
  groupId: string,
  { errorCode, topics }: Pick<OffsetFetchResponse, 'errorCode' | 'topics'>,
): Outcome<GroupOffset[]> {
  if (errorCode !== ErrorCode.NONE) return new BrokerError(errorCode, `group ${groupId}`);
  const all = topics.flatMap(({ name, partitions }) =>
    partitions.map((found) => ({ ...found, topic: name, partition: found.partitionIndex })),
  );
  const bad = all.find((found) => found.errorCode !== ErrorCode.NONE);
  if (bad !== undefined) return new BrokerError(bad.errorCode, `group ${groupId}, ${titleOf(bad)}`);
  return all
    .filter(({ committedOffset }) => committedOffset >= 0)
    .map(({ topic, partition, committedOffset, committedLeaderEpoch, metadata }) => ({
      topic,
      partition,
      offset: committedOffset,
      leaderEpoch: committedLeaderEpoch,
      metadata: metadata ?? '',
    }))
    .sort(inOrder);
}

export function inOrder(a: TopicPartition, b: TopicPartition): number {
  if (a.topic === b.topic) return a.partition - b.partition;
  return a.topic < b.topic ? -1 : 1;
}
