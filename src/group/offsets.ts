import { ErrorCode } from '../model/errors.ts';
import type { Millis } from '../model/ids.ts';
import type { MachineRecord } from '../model/machine.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../wire/apis/08-offset-commit.ts';
import { sizeOf } from '../wire/coordinator-record.ts';
import type { GroupConfig } from './config.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { isClassic } from './consumer-member.ts';
import type { Asked, Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import { offsetRecord } from './records.ts';

type Commit = Asked<OffsetCommitRequest>;
type CommitTopic = OffsetCommitRequest['topics'][number];
type CommitPartition = CommitTopic['partitions'][number];
type Verdict = (topic: CommitTopic, partition: CommitPartition) => number;

/** From this version on a client understands that a group does not exist. */
const GROUP_ID_NOT_FOUND_VERSION = 9;
/** From this version on a client may be a member of a group of KIP-848. */
const MEMBER_EPOCH_VERSION = 9;
/** From this version on topics come by id. */
const TOPIC_ID_VERSION = 10;

/**
 * Commits positions of a group, each with its own verdict. From v10 topics come by id: whoever sends the
 * request to us must have set `name` too, for records are kept by name; one without is UNKNOWN_TOPIC_ID.
 */
export function decideOffsetCommit(context: Context, turn: Turn, commit: Commit): void {
  const { from, body } = commit;
  const group = context.groups.get(body.groupId);
  const refusal = validate(group, commit);
  if (refusal !== ErrorCode.NONE)
    return turn.reply(
      from,
      commitReply(body, () => refusal),
    );
  const member = group?.members.get(body.memberId);
  if (member) context.restartSession(member, turn.nowMs);
  const verdict = verdictBy(context.config, commit.apiVersion);
  const records = commitRecords(body, verdict, turn.nowMs);
  if (sizeOf(records) > context.config.recordsMaxBytes) {
    return turn.reply(
      from,
      commitReply(body, () => ErrorCode.INVALID_COMMIT_OFFSET_SIZE),
    );
  }
  for (const record of records) turn.write(record);
  turn.reply(from, commitReply(body, verdict));
}

/**
 * A negative generation comes from who only stores offsets here, or from an administrator: nobody may be in
 * the group.
 */
function validate(group: Group | undefined, commit: Commit): number {
  const { apiVersion, body } = commit;
  const { generationIdOrMemberEpoch: generationId, memberId, groupInstanceId } = body;
  if (!group) {
    if (generationId < 0) return ErrorCode.NONE;
    return apiVersion >= GROUP_ID_NOT_FOUND_VERSION
      ? ErrorCode.GROUP_ID_NOT_FOUND
      : ErrorCode.ILLEGAL_GENERATION;
  }
  if (group.share) return ErrorCode.GROUP_ID_NOT_FOUND;
  if (group.consumer) return validateConsumer(group.consumer, commit);
  const errorCode = validateMember(group, { memberId, groupInstanceId, generationId });
  if (errorCode !== ErrorCode.NONE || generationId < 0) return errorCode;
  return group.state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/** Who commits: what a request says of it. */
export interface Committer {
  memberId: string;
  groupInstanceId: string | null;
  /** Of a member of KIP-848 its epoch. */
  generationId: number;
}

/** Whether who says so is a member of the present generation, or nobody is. */
export function validateMember(group: Group, member: Committer): number {
  if (group.consumer) return validateEpoch(group.consumer, member);
  if (member.generationId < 0 && group.state === 'Empty') return ErrorCode.NONE;
  const errorCode = group.validateMember(member.memberId, member.groupInstanceId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  return member.generationId === group.generationId ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
}

function validateEpoch(consumer: ConsumerGroup, { memberId, generationId: epoch }: Committer): number {
  return epoch < 0 && consumer.members.size === 0 ? ErrorCode.NONE : epochError(consumer, memberId, epoch);
}

/** Whether a member of KIP-848 is there, and knows its epoch. */
export function epochError({ members }: ConsumerGroup, memberId: string, epoch: number): number {
  const member = members.get(memberId);
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  if (epoch === member.memberEpoch) return ErrorCode.NONE;
  return isClassic(member) ? ErrorCode.ILLEGAL_GENERATION : ErrorCode.STALE_MEMBER_EPOCH;
}

/**
 * An older epoch than the member's is good for what it was given in that epoch or before: its commit was under way when
 * the group went on (KIP-1251).
 */
function validateConsumer(consumer: ConsumerGroup, { apiVersion, body }: Commit): number {
  const { generationIdOrMemberEpoch: epoch, memberId, groupInstanceId, topics } = body;
  const member = consumer.members.get(memberId);
  if (member && !isClassic(member) && apiVersion < MEMBER_EPOCH_VERSION) return ErrorCode.UNSUPPORTED_VERSION;
  const errorCode = validateEpoch(consumer, { memberId, groupInstanceId, generationId: epoch });
  if (errorCode === ErrorCode.NONE || member === undefined) return errorCode;
  const isGivenBefore = topics.every(({ topicId, partitions }) =>
    partitions.every(({ partitionIndex }) => {
      const sinceEpoch = member.assigned.get(topicId)?.get(partitionIndex) ?? Infinity;
      return sinceEpoch <= epoch;
    }),
  );
  return epoch < member.memberEpoch && epoch >= 0 && isGivenBefore ? ErrorCode.NONE : errorCode;
}

export function metadataError(config: GroupConfig, metadata: string | null): number {
  const isTooLong = (metadata ?? '').length > config.offsetMetadataMaxBytes;
  return isTooLong ? ErrorCode.OFFSET_METADATA_TOO_LARGE : ErrorCode.NONE;
}

function verdictBy(config: GroupConfig, apiVersion: number): Verdict {
  const nameless =
    apiVersion >= TOPIC_ID_VERSION ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  return ({ name }, { committedMetadata }) =>
    name === '' ? nameless : metadataError(config, committedMetadata);
}

function commitRecords(body: OffsetCommitRequest, verdict: Verdict, nowMs: Millis): MachineRecord[] {
  const expireTimestamp = expiryOf(body.retentionTimeMs, nowMs);
  const records: MachineRecord[] = [];
  for (const topic of body.topics) {
    for (const partition of topic.partitions) {
      if (verdict(topic, partition) !== ErrorCode.NONE) continue;
      const key = { group: body.groupId, topic: topic.name, partition: partition.partitionIndex };
      records.push(
        offsetRecord(key, {
          offset: partition.committedOffset,
          leaderEpoch: partition.committedLeaderEpoch,
          metadata: partition.committedMetadata ?? '',
          commitTimestamp: nowMs,
          expireTimestamp,
          topicId: topic.topicId,
        }),
      );
    }
  }
  return records;
}

/** OffsetCommit 2-4 may say how long a position is kept; -1 leaves it to the broker. */
function expiryOf(retentionTimeMs: number, nowMs: Millis): Millis {
  return retentionTimeMs < 0 ? -1 : Math.min(nowMs + retentionTimeMs, Number.MAX_SAFE_INTEGER);
}

function commitReply({ topics }: OffsetCommitRequest, verdict: Verdict): OffsetCommitResponse {
  return {
    throttleTimeMs: 0,
    topics: topics.map((topic) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitions: topic.partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: verdict(topic, partition),
      })),
    })),
  };
}
