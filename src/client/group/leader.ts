import { ErrorCode } from '../../model/errors.ts';
import type { JoinGroupResponse } from '../../wire/apis/11-join-group.ts';
import type { SyncGroupRequest } from '../../wire/apis/14-sync-group.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError } from '../errors.ts';
import type { Assignor, GroupMember, PartitionCounts } from './assignors/assignor.ts';
import { decodeSubscription, encodeAssignment } from './consumer-protocol.ts';

/** What cannot be read is no topic's. */
const NOTHING = { topics: [], owned: [], generationId: -1, rackId: null, userData: null };

export function membersIn({ members }: Pick<JoinGroupResponse, 'members'>): GroupMember[] {
  return members.map(({ memberId, groupInstanceId, metadata }) => ({
    memberId,
    instanceId: groupInstanceId,
    ...(decodeSubscription(metadata) ?? NOTHING),
  }));
}

/** As the leader tells it to the coordinator. */
export function assignmentsOf(
  assignor: Assignor,
  members: readonly GroupMember[],
  counts: PartitionCounts,
): SyncGroupRequest['assignments'] {
  return Array.from(assignor.assign(members, counts), ([memberId, partitions]) => ({
    memberId,
    assignment: encodeAssignment(partitions),
  }));
}

const ABSENT: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.INVALID_TOPIC_EXCEPTION,
]);

/** How many partitions topics have now; one that is not there is not in it. @throws BrokerError, ConnectionLost */
export async function partitionCounts(
  cluster: Cluster,
  topics: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  if (topics.length === 0) return counts;
  const answer = await cluster.metadata(topics, signal);
  for (const { name, errorCode, partitions } of answer.topics) {
    if (name === null || ABSENT.has(errorCode)) continue;
    if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, name);
    counts.set(name, partitions.length);
  }
  return counts;
}

export function areSame(a: PartitionCounts, b: PartitionCounts): boolean {
  return a.size === b.size && [...a].every(([topic, count]) => b.get(topic) === count);
}
