import type { Uuid } from '../../model/ids.ts';
import type { Partitions } from '../partitions.ts';

export interface AssignedMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** Topics it subscribes to that are there. */
  readonly topics: ReadonlySet<Uuid>;
  /** What the last assignment gave it. */
  readonly had: Partitions;
}

/** How many partitions each topic has that anyone subscribes to. */
export type PartitionCounts = ReadonlyMap<Uuid, number>;

/** By member id; every partition of a wanted topic once. */
export type Targets = Map<string, Map<Uuid, Set<number>>>;

/** Pure: the same members and topics give the same targets, in whatever order they come. */
export type Assign = (members: readonly AssignedMember[], counts: PartitionCounts) => Targets;

/** Static members first, by their names, so that they get the same again after a restart. */
export function inOrder(members: readonly AssignedMember[]): AssignedMember[] {
  const keyOf = ({ instanceId, memberId }: AssignedMember) =>
    instanceId === null ? `1${memberId}` : `0${instanceId}`;
  const keys = new Map(members.map((member) => [member, keyOf(member)]));
  return members.toSorted((a, b) => compare(keys.get(a) ?? '', keys.get(b) ?? ''));
}

export function inOrderOfId(counts: PartitionCounts): [Uuid, number][] {
  return [...counts].sort(([a], [b]) => compare(a, b));
}

/** By UTF-16 units, as Java does. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function give(to: Map<Uuid, Set<number>>, topicId: Uuid, partition: number): void {
  const some = to.get(topicId);
  if (some === undefined) to.set(topicId, new Set([partition]));
  else some.add(partition);
}
