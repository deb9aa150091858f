import type { Offset } from '../../model/ids.ts';
import { type TopicPartition, titleOf } from '../topic-partition.ts';
import type { AnyTopic } from '../topics/topic.ts';
import { type AdminOptions, allFor, type Asking } from './asking.ts';
import { describeGroups, type GroupDescription, type GroupMember } from './group-descriptions.ts';
import { type GroupOffset, inOrder, offsetsOfGroups } from './group-offsets.ts';
import type { OffsetFinder } from './offset-finder.ts';
import { shareOffsetsOf } from './share-offsets.ts';
import { namesOf } from './topics.ts';

export interface GroupLag {
  groupId: string;
  state: string;
  /** Of all partitions of which it is known. */
  lag: number;
  partitions: PartitionLag[];
}

export interface PartitionLag extends TopicPartition {
  /** Null where nothing is committed. Of a share group: all before it is done. */
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
  commits: ReadonlyMap<string, CommittedAt>;
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
  const described = allFor(groupIds, descriptions);
  const shared = await sharedIn(asking, described, { signal });
  const standings = described.map((description, at) =>
    standingOf(
      description,
      shared.get(description.groupId) ?? committed[at] ?? [],
      ({ topic }) => names?.has(topic) ?? true,
    ),
  );
  const all = new Map(standings.flatMap(({ partitions }) => partitions.map((at) => [titleOf(at), at])));
  const ends = await finder.ends([...all.values()], { signal });
  return standings.map((standing) => lagOf(standing, ends));
}

/** Share groups commit nothing: what is not done in them is for the brokers to say. */
async function sharedIn(
  asking: Asking,
  described: readonly GroupDescription[],
  { signal }: AdminOptions,
): Promise<Map<string, CommittedAt[]>> {
  const found = new Map<string, CommittedAt[]>();
  for (const { groupId, type } of described) {
    if (type !== 'share') continue;
    const offsets = await shareOffsetsOf(asking, groupId, { signal });
    const begun = offsets.filter(({ startOffset }) => startOffset >= 0);
    found.set(
      groupId,
      begun.map(({ startOffset, lag, ...at }) => ({ ...at, offset: startOffset, lag })),
    );
  }
  return found;
}

/** What is said of one partition; `lag` where it is more than a difference. */
interface CommittedAt extends TopicPartition {
  offset: Offset;
  lag?: number;
}

function standingOf(
  description: GroupDescription,
  committed: readonly (CommittedAt | GroupOffset)[],
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
    commits: new Map(committed.map((at) => [titleOf(at), at])),
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
    const committed = commits.get(title);
    const committedOffset = committed?.offset ?? null;
    const endOffset = ends.get(title) ?? null;
    const behind =
      committedOffset === null || endOffset === null ? null : Math.max(0, endOffset - committedOffset);
    const lag = behind === null ? null : (committed?.lag ?? behind);
    const { memberId = null, clientId = null } = owners.get(title) ?? {};
    return { topic, partition, committedOffset, endOffset, lag, memberId, clientId };
  });
  const lag = partitions.reduce((sum, each) => sum + (each.lag ?? 0), 0);
  return { groupId, state, lag, partitions };
}
