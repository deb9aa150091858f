import { ErrorCode } from '../../model/errors.ts';
import {
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
  txnOffsetCommitApi,
} from '../../wire/apis/28-txn-offset-commit.ts';
import { coordinatorError, coordinatorOf } from '../groups.ts';
import { handler } from '../handler.ts';
import { resolvePartition } from '../topics.ts';

type Topic = TxnOffsetCommitRequest['topics'][number];
type CodeOf = (topic: string, partition: number) => number;

/**
 * Commits positions within a transaction. Partitions that do not exist are refused here; the others go to the group's
 * coordinator.
 */
export const txnOffsetCommit = handler({
  api: txnOffsetCommitApi,
  min: 0,
  max: 5,
  handle(call, request) {
    const answer = (codeOf: CodeOf) =>
      call.reply({ throttleTimeMs: 0, topics: answered(request.topics, codeOf) });
    if (request.groupId === '') return answer(() => ErrorCode.INVALID_GROUP_ID);
    const shard = coordinatorOf(call, request.groupId);
    if (shard === undefined) return answer(() => ErrorCode.NOT_COORDINATOR);
    const { image } = call.gateway;
    const refusalOf: CodeOf = (name, partition) => {
      const place = resolvePartition(image, { name }, partition);
      return 'errorCode' in place ? place.errorCode : ErrorCode.NONE;
    };
    const topics = request.topics.flatMap(({ name, partitions }) => {
      const known = partitions.filter((each) => refusalOf(name, each.partitionIndex) === ErrorCode.NONE);
      return known.length === 0 ? [] : [{ name, partitions: known }];
    });
    if (topics.length === 0) return answer(refusalOf);
    call.ask(shard, { ...request, topics }, (reply) => {
      const { errorCode, body } = reply;
      if (errorCode !== undefined) return answer(() => coordinatorError(errorCode));
      const codes = codesIn(body as TxnOffsetCommitResponse);
      answer((name, partition) => codes.get(`${name}/${partition}`) ?? refusalOf(name, partition));
    });
  },
});

function codesIn({ topics }: TxnOffsetCommitResponse): ReadonlyMap<string, number> {
  return new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => [`${name}/${partitionIndex}`, errorCode] as const),
    ),
  );
}

export function answered(topics: readonly Topic[], codeOf: CodeOf): TxnOffsetCommitResponse['topics'] {
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: codeOf(name, partitionIndex),
    })),
  }));
}
