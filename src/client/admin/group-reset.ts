import { ErrorCode } from '../../model/errors.ts';
import type { Offset } from '../../model/ids.ts';
import { offsetCommitApi } from '../../wire/apis/08-offset-commit.ts';
import { BrokerError, invalidArgument, MilenaError } from '../errors.ts';
import type { Position } from '../fetch/position.ts';
import { byTopic, type TopicPartition, titleOf } from '../topic-partition.ts';
import type { AnyTopic } from '../topics/topic.ts';
import { type AdminOptions, allOf, type AskBroker, type Asking, outcomeOf } from './asking.ts';
import { describeGroups, hasNoMembers } from './group-descriptions.ts';
import type { GroupsAdmin } from './groups.ts';
import type { OffsetFinder, PartitionOffset } from './offset-finder.ts';

/** v5 dropped the retention time, v10 names topics by id. */
const COMMIT_VERSIONS = { min: 2, max: 9 };
/** Nobody's: what may commit is who speaks for the whole group, while it has no members. */
const NO_MEMBER = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1 };

export interface ResetOptions extends AdminOptions {
  /** Where to go on: a position, or so many records later than now (earlier below 0). */
  to: Position | { readonly shiftBy: number };
  /** All partitions of these, committed or not; unless given, all that is committed. */
  topics?: readonly AnyTopic[] | undefined;
  /** Only says what would be done. */
  dryRun?: boolean | undefined;
}

export interface GroupReset {
  groupId: string;
  dryRun: boolean;
  partitions: PartitionReset[];
}

export interface PartitionReset extends TopicPartition {
  /** Null where nothing was committed. */
  from: Offset | null;
  /** Within what there is. */
  to: Offset;
}

interface Parts {
  asking: Asking;
  groups: GroupsAdmin;
  finder: OffsetFinder;
}

export async function resetGroup(
  { asking, groups, finder }: Parts,
  groupId: string,
  { to, topics, dryRun = false, signal }: ResetOptions,
): Promise<GroupReset> {
  await checkEmpty(asking, groupId, { signal });
  const committed = await groups.offsets(groupId, { signal });
  const before = new Map(committed.map((at) => [titleOf(at), at.offset]));
  const names = topics ?? [...new Set(committed.map(({ topic }) => topic))];
  if (names.length === 0)
    throw invalidArgument(`group ${groupId} has committed nothing`, 'name the topics it is to begin with');
  const all = await finder.partitionsOf(names, { signal });
  const wanted = topics === undefined ? all.filter((at) => before.has(titleOf(at))) : all;
  const targets = await targetsOf(to, { before, finder }, { partitions: wanted, signal });
  const partitions = targets.map(({ offset, ...at }): PartitionReset => {
    const from = before.get(titleOf(at)) ?? null;
    return { ...at, from, to: offset };
  });
  if (!dryRun) await commit(asking, groupId, { partitions, signal });
  return { groupId, dryRun, partitions };
}

/** A member would go on where it is, and commit that. @throws MilenaError NON_EMPTY_GROUP */
async function checkEmpty(asking: Asking, groupId: string, options: AdminOptions): Promise<void> {
  const found = (await describeGroups(asking, [groupId], options)).get(groupId);
  if (found === undefined || hasNoMembers(found)) return;
  const count = found instanceof MilenaError ? 0 : found.members.length;
  throw notEmpty(groupId, `it has ${count === 1 ? 'a member' : `${count} members`}`);
}

async function targetsOf(
  to: ResetOptions['to'],
  { before, finder }: { before: ReadonlyMap<string, Offset>; finder: OffsetFinder },
  { partitions, signal }: { partitions: readonly TopicPartition[]; signal: AbortSignal | undefined },
): Promise<PartitionOffset[]> {
  if (typeof to !== 'object' || !('shiftBy' in to)) return finder.resolve(partitions, to, { signal });
  const { shiftBy } = to;
  if (!Number.isSafeInteger(shiftBy))
    throw invalidArgument(`shiftBy is a whole number of records, not ${shiftBy}`);
  // What is not committed has nothing that could be shifted: it stays out.
  const shifted = partitions.flatMap((at) => {
    const from = before.get(titleOf(at));
    return from === undefined ? [] : [{ ...at, offset: from + shiftBy }];
  });
  return finder.clamp(shifted, { signal });
}

async function commit(
  asking: Asking,
  groupId: string,
  { partitions, signal }: { partitions: readonly PartitionReset[]; signal?: AbortSignal | undefined },
): Promise<void> {
  const topics = byTopic(partitions).map(([name, some]) => ({
    name,
    partitions: some.map(({ partition, to }) => ({
      partitionIndex: partition,
      committedOffset: to,
      committedMetadata: '',
    })),
  }));
  const ask: AskBroker<string, true> = async (broker) => {
    const request = { groupId, ...NO_MEMBER, topics };
    const answer = await broker.request(offsetCommitApi, COMMIT_VERSIONS, request, { signal });
    const failed = answer.topics
      .flatMap((topic) => topic.partitions)
      .find(({ errorCode }) => errorCode !== ErrorCode.NONE);
    const { errorCode = ErrorCode.NONE } = failed ?? {};
    if (MEMBERS_CAME.has(errorCode)) return new Map([[groupId, notEmpty(groupId, 'a member joined')]]);
    return new Map([[groupId, outcomeOf({ errorCode }, { where: `group ${groupId}`, value: true })]]);
  };
  allOf((await asking.ofGroups([groupId], ask, { signal })).values());
}

/** What a coordinator says to nobody's commit once there is somebody. */
const MEMBERS_CAME: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.STALE_MEMBER_EPOCH,
]);

function notEmpty(groupId: string, why: string): BrokerError {
  return new BrokerError(ErrorCode.NON_EMPTY_GROUP, `group ${groupId}`, why);
}
