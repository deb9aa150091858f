import type { TopicPartition } from '../../topic-partition.ts';
import type { Subscription } from '../consumer-protocol.ts';

/** A member of a group, as its leader sees it. */
export interface GroupMember extends Subscription {
  memberId: string;
  /** Of a static member (KIP-345). */
  instanceId: string | null;
}

/** By member id. */
export type Assignments = Map<string, TopicPartition[]>;

/** How many partitions each topic has; a topic that is not there is not in it. */
export type PartitionCounts = ReadonlyMap<string, number>;

/**
 * Decides who of a group reads what. All members of a group need one in common, known by its name; the group's leader
 * runs it. Pure: the same members and topics give the same assignment, in whatever order they come.
 */
export interface Assignor {
  readonly name: string;
  /** A partition goes over only once its owner has given it up, and members keep what stays theirs (KIP-429). */
  readonly isCooperative: boolean;
  /** What its leader wants to know of a member, in bytes of its own. */
  userDataOf?(had: { partitions: readonly TopicPartition[]; generationId: number }): Uint8Array;
  /** @returns every partition of a wanted topic once; a cooperative one holds back what another member still owns. */
  assign(members: readonly GroupMember[], counts: PartitionCounts): Assignments;
}

/** Static members first, by their names, so that they get the same again after a restart. */
export function sorted(members: readonly GroupMember[]): GroupMember[] {
  const keyOf = ({ instanceId, memberId }: GroupMember) =>
    instanceId === null ? `1${memberId}` : `0${instanceId}`;
  return members.toSorted((a, b) => compare(keyOf(a), keyOf(b)));
}

/** By UTF-16 units, as Java does. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** All that somebody wants and that is there, in order. */
export function wantedTopics(members: readonly GroupMember[], counts: PartitionCounts): string[] {
  const wanted = new Set(members.flatMap(({ topics }) => topics));
  return [...wanted].filter((topic) => (counts.get(topic) ?? 0) > 0).sort();
}

export function partitionsIn(topic: string, counts: PartitionCounts): TopicPartition[] {
  return Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition }));
}

export function nobodyHasAny(members: readonly GroupMember[]): Assignments {
  return new Map(members.map(({ memberId }) => [memberId, []]));
}
