import type { Offset } from '../../model/ids.ts';
import { type TopicPartition, titleOf } from '../topic-partition.ts';
import type { AdminOptions } from './asking.ts';
import type { GroupDescription, GroupMember } from './group-descriptions.ts';
import { type GroupOffset, inOrder } from './groups.ts';
import type { OffsetFinder } from './offset-finder.ts';

export interface GroupLag {
  groupId: string;
  state: string;
  /** Of all partitions of which it is known. */
  lag: number;
  partitions: PartitionLag[];
}

export interface PartitionLag extends TopicPartition {
  /** Null where nothing is committed. */
  committedOffset: Offset | null;
  /** Null where the partition is not there any more. */
  endOffset: Offset | null;
  /** Null where either is. */
  lag: number | null;
  /** Who has it. */
  memberId: string | null;
  clientId: string | null;
}

/** Ends are read after commits, so that lag is never less than none. */
export async function lagOf(
  {
    description,
    committed,
    isWanted,
    finder,
  }: {
    description: GroupDescription;
    committed: readonly GroupOffset[];
    isWanted: (at: TopicPartition) => boolean;
    finder: OffsetFinder;
  },
  { signal }: AdminOptions,
): Promise<GroupLag> {
  const owners = new Map<string, GroupMember>();
  const all = new Map<string, TopicPartition>();
  for (const at of committed) all.set(titleOf(at), at);
  for (const member of description.members)
    for (const at of member.assignment) {
      owners.set(titleOf(at), member);
      all.set(titleOf(at), at);
    }
  const wanted = [...all.values()].filter(isWanted).sort(inOrder);
  const ends = await finder.ends(wanted, { signal });
  const commits = new Map(committed.map((at) => [titleOf(at), at.offset]));
  const partitions = wanted.map(({ topic, partition }): PartitionLag => {
    const title = titleOf({ topic, partition });
    const committedOffset = commits.get(title) ?? null;
    const endOffset = ends.get(title) ?? null;
    const lag =
      committedOffset === null || endOffset === null ? null : Math.max(0, endOffset - committedOffset);
    const { memberId = null, clientId = null } = owners.get(title) ?? {};
    return { topic, partition, committedOffset, endOffset, lag, memberId, clientId };
  });
  const lag = partitions.reduce((sum, each) => sum + (each.lag ?? 0), 0);
  return { groupId: description.groupId, state: description.state, lag, partitions };
}
