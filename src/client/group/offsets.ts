import { ErrorCode } from '../../model/errors.ts';
import type { LeaderEpoch, Millis, Offset } from '../../model/ids.ts';
import { offsetCommitApi } from '../../wire/apis/08-offset-commit.ts';
import { offsetFetchApi, type OffsetFetchResponse } from '../../wire/apis/09-offset-fetch.ts';
import { BrokerError } from '../errors.ts';
import { byTopic, titleOf, type TopicPartition } from '../topic-partition.ts';
import type { Coordinator } from './coordinator.ts';

/** v9 brought what only members of KIP-848's groups say, v10 topic ids. */
const COMMIT_VERSIONS = { min: 2, max: 8 };
const COMMIT_BY_EPOCH_VERSIONS = { min: 9, max: 9 };
const FETCH_VERSIONS = { min: 1, max: 8 };
/** From this version on many groups are asked for at once. */
const MANY_GROUPS_VERSION = 8;

/** Where a group resumes. */
export interface GroupPosition extends TopicPartition {
  /** Of the next record to be read. */
  offset: Offset;
  /** Of the record before it; -1 when nobody knows (KIP-320). */
  leaderEpoch: LeaderEpoch;
  metadata?: string;
}

/** Who commits. */
export interface Identity {
  generationId: number;
  memberId: string;
  /** Of a static member. */
  instanceId: string | null;
  /** Its group is one of KIP-848: what stands for a generation is its member epoch. */
  isOfBroker?: boolean;
}

/** Positions of a group that has no members: whoever commits there does so on its own account. */
export const NO_MEMBER: Identity = { generationId: -1, memberId: '', instanceId: null };

export interface AskOptions {
  signal?: AbortSignal | undefined;
  timeoutMs?: Millis | undefined;
}

/** What a group has committed. A partition without a position is not among the answers. */
export async function fetchOffsets(
  coordinator: Coordinator,
  groupId: string,
  {
    partitions,
    requireStable = false,
    signal,
  }: AskOptions & { partitions: readonly TopicPartition[]; requireStable?: boolean },
): Promise<Map<string, GroupPosition>> {
  const topics = byTopic(partitions).map(([name, some]) => ({
    name,
    partitionIndexes: some.map(({ partition }) => partition),
  }));
  const found = await coordinator.ask('living', { signal }, async (exchange, options) => {
    const request = { groupId, topics, groups: [{ groupId, topics }], requireStable };
    const version = exchange.versionOf(offsetFetchApi, FETCH_VERSIONS);
    const answer = await exchange.request(offsetFetchApi, FETCH_VERSIONS, request, options);
    return positionsIn(answer, version, groupId);
  });
  return new Map(found.map((position) => [titleOf(position), position]));
}

function positionsIn(answer: OffsetFetchResponse, version: number, groupId: string): GroupPosition[] {
  const group = version >= MANY_GROUPS_VERSION ? answer.groups[0] : answer;
  check(group?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR, `group ${groupId}`);
  return (group?.topics ?? []).flatMap(({ name: topic, partitions }) =>
    partitions.flatMap(({ partitionIndex: partition, errorCode, ...found }) => {
      if (errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) check(errorCode, titleOf({ topic, partition }));
      const { committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata } = found;
      if (offset < 0) return [];
      return [{ topic, partition, offset, leaderEpoch, ...(metadata ? { metadata } : {}) }];
    }),
  );
}

/** What OffsetCommit and TxnOffsetCommit say alike. */
export function commitOf(groupId: string, by: Identity, positions: readonly GroupPosition[]) {
  return {
    groupId,
    generationIdOrMemberEpoch: by.generationId,
    memberId: by.memberId,
    groupInstanceId: by.instanceId,
    topics: byTopic(positions).map(([name, some]) => ({
      name,
      partitions: some.map(({ partition, offset, leaderEpoch, metadata = '' }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      })),
    })),
  };
}

/**
 * Stores positions for a group. Those in topics that were deleted meanwhile are dropped.
 * @throws BrokerError what the coordinator says of this member, or of its positions.
 */
export async function commitOffsets(
  coordinator: Coordinator,
  groupId: string,
  { positions, by, signal }: AskOptions & { positions: readonly GroupPosition[]; by: Identity },
): Promise<void> {
  const request = commitOf(groupId, by, positions);
  const versions = by.isOfBroker === true ? COMMIT_BY_EPOCH_VERSIONS : COMMIT_VERSIONS;
  await coordinator.ask('living', { signal }, async (exchange, options) => {
    const answer = await exchange.request(offsetCommitApi, versions, request, options);
    for (const { name: topic, partitions } of answer.topics)
      for (const { partitionIndex: partition, errorCode } of partitions)
        if (errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
          check(errorCode, `group ${groupId}, ${titleOf({ topic, partition })}`);
  });
}

/** @throws BrokerError */
export function check(errorCode: number, where: string): void {
  if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, where);
}
