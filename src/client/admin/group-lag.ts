import type { Offset } from '../../model/ids.ts';
import { type TopicPartition, titleOf } from '../topic-partition.ts';
import type { AnyTopic } from '../topics/topic.ts';
import { type AdminOptions, allFor, type Asking } from './asking.ts';
import { describeGroups, type GroupDescription, type GroupMember } from './group-descriptions.ts';
import { type GroupOffset, inOrder, offsetsOfGroups } from './group-offsets.ts';
import type { OffsetFinder } from './offset-finder.ts';
import { namesOf } from './topics.ts';

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

export interface LagOptions extends AdminOptions {
  /** Of these alone. */
  topics?: readonly AnyTopic[] | undefined;
}

/** What a group has to do with. */
interface Standing {
  description: GroupDescription;
  commits: ReadonlyMap<string, Offset>;
  owners: ReadonlyMap<string, GroupMember>;
  /** Of both, in order. */
  partitions: readonly TopicPartition[];
}

/** Of all groups at once; ends are read after commits, so that lag is never less than none. */
export async function lagsOf(
  { asking, finder }: { asking: Asking; finder: OffsetFinder },
  groupIds: readonly string[],
  { topics, signal }: LagOptions,
): Promise<GroupLag[]> {
  const [descriptions, commits] = await Promise.all([
    describeGroups(asking, groupIds, { signal }),
    offsetsOfGroups(asking, groupIds, { signal }),
  ]);
  const committed = allFor(groupIds, commits);
  const names = topics === undefined ? undefined : new Set(namesOf(topics));
  const standings = allFor(groupIds, descriptions).map((description, at) =>
    standingOf(description, committed[at] ?? [], ({ topic }) => names?.has(topic) ?? true),
  );
  const all = new Map(standings.flatMap(({ partitions }) => partitions.map((at) => [titleOf(at), at])));
  const ends = await finder.ends([...all.values()], { signal });
  return standings.map((standing) => lagOf(standing, ends));
}

function standingOf(
  description: GroupDescription,
  committed: readonly GroupOffset[],
  isWanted: (at: TopicPartition) => boolean,
): Standing {
  const partitions = new Map<string, TopicPartition>();
  const owners = new Map<string, GroupMember>();
  for (const at of committed) partitions.set(titleOf(at), at);
  for (const member of description.members)
    for (const at of member.assignment) {
      owners.set(titleOf(at), member);
      partitions.set(titleOf(at), at);
    }
  return {
    description,
    commits: new Map(committed.map((at) => [titleOf(at), at.offset])),
    owners,
    partitions: [...partitions.values()].filter(isWanted).sort(inOrder),
  };
}

function lagOf(
  { description: { groupId, state }, commits, owners, partitions: all }: Standing,
  ends: ReadonlyMap<string, Offset>,
): GroupLag {
  const partitions = all.map(({ topic, partition }): PartitionLag => {
    const title = titleOf({ topic, partition });
    const committedOffset = commits.get(title) ?? null;
    const endOffset = ends.get(title) ?? null;
    const lag =
      committedOffset === null || endOffset === null ? null : Math.max(0, endOffset - committedOffset);
    const { memberId = null, clientId = null } = owners.get(title) ?? {};
    return { topic, partition, committedOffset, endOffset, lag, memberId, clientId };
  });
  const lag = partitions.reduce((sum, each) => sum + (each.lag ?? 0), 0);
  return { groupId, state, lag, partitions };
}
