import { ErrorCode } from '../model/errors.ts';
import { ZERO_UUID } from '../model/ids.ts';
import type { Answer, Ask } from '../model/machine.ts';
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../wire/apis/28-txn-offset-commit.ts';
import { sizeOf } from '../wire/coordinator-record.ts';
import type { Asked, Context, Turn } from './context.ts';
import { metadataError, validateMember } from './offsets.ts';
import { offsetRecord } from './records.ts';

type Commit = Asked<TxnOffsetCommitRequest>;

/**
 * Positions that count once the transaction is committed. From v3 on a member says who it is, so that one whose
 * partitions are another's by now is refused (KIP-447). The first of a transaction waits for its coordinator's word.
 */
export function decideTxnOffsetCommit(context: Context, turn: Turn, commit: Commit): void {
  const errorCode = validate(context, commit);
  if (errorCode !== ErrorCode.NONE) return refuse(turn, commit, errorCode);
  const { producerId, producerEpoch } = commit.body;
  if (context.unstable.isOpen({ producerId, producerEpoch })) write(context, turn, commit);
  else verify(context, turn, commit);
}

function validate(context: Context, { body }: Commit): number {
  const { transactionalId, groupId, memberId, groupInstanceId } = body;
  if (transactionalId === '') return ErrorCode.INVALID_REQUEST;
  const member = { memberId, groupInstanceId, generationId: body.generationIdOrMemberEpoch };
  const group = context.groups.get(groupId);
  if (group === undefined) return member.generationId < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
  if (group.share) return ErrorCode.GROUP_ID_NOT_FOUND;
  // Who does not say who it is speaks an older version: its epoch alone fences it.
  const isAnonymous = member.generationId < 0 && memberId === '' && groupInstanceId === null;
  return isAnonymous ? ErrorCode.NONE : validateMember(group, member);
}

function verify(context: Context, turn: Turn, commit: Commit): void {
  const ask = context.verifications.begin(commit);
  if (ask === undefined) refuse(turn, commit, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  else turn.asks.push(ask);
}

/** The coordinator has answered. Who may commit may have changed meanwhile. */
export function verified(context: Context, turn: Turn, ask: Ask, answer: Answer): void {
  const verification = context.verifications.answered(ask, answer);
  if (verification === undefined) return;
  const { request, errorCode } = verification;
  if (errorCode === 'again') return verify(context, turn, request);
  const refusal = errorCode === ErrorCode.NONE ? validate(context, request) : errorCode;
  if (refusal === ErrorCode.NONE) write(context, turn, request);
  else refuse(turn, request, refusal);
}

function write(context: Context, turn: Turn, commit: Commit): void {
  const { from, body } = commit;
  const { groupId, memberId, producerId, producerEpoch } = body;
  const member = context.groups.get(groupId)?.members.get(memberId);
  if (member) context.restartSession(member, turn.nowMs);
  const codeOf = (metadata: string | null) => metadataError(context.config, metadata);
  const records = body.topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ committedMetadata }) => codeOf(committedMetadata) === ErrorCode.NONE)
      .map((partition) => ({
        ...offsetRecord(
          { group: groupId, topic: name, partition: partition.partitionIndex },
          {
            offset: partition.committedOffset,
            leaderEpoch: partition.committedLeaderEpoch,
            metadata: partition.committedMetadata ?? '',
            commitTimestamp: turn.nowMs,
            expireTimestamp: -1,
            topicId: ZERO_UUID,
          },
        ),
        producer: { producerId, producerEpoch },
      })),
  );
  if (sizeOf(records) > context.config.recordsMaxBytes)
    return refuse(turn, commit, ErrorCode.INVALID_COMMIT_OFFSET_SIZE);
  for (const record of records) turn.write(record);
  turn.reply(from, replyOf(body, codeOf));
}

function refuse(turn: Turn, { from, body }: Commit, errorCode: number): void {
  turn.reply(
    from,
    replyOf(body, () => errorCode),
  );
}

function replyOf(
  { topics }: TxnOffsetCommitRequest,
  codeOf: (metadata: string | null) => number,
): TxnOffsetCommitResponse {
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, committedMetadata }) => ({
        partitionIndex,
        errorCode: codeOf(committedMetadata),
      })),
    })),
  };
}
