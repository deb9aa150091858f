import { ErrorCode } from '../../model/errors.ts';
import {
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  addPartitionsToTxnApi,
} from '../../wire/apis/24-add-partitions-to-txn.ts';
import type { Call } from '../call.ts';
import { Gather } from '../gather.ts';
import { handler } from '../handler.ts';
import { resolveWritable } from '../topics.ts';
import { askCoordinator } from '../transactions.ts';

type Topics = AddPartitionsToTxnRequest['v3AndBelowTopics'];
type TopicResults = AddPartitionsToTxnResponse['resultsByTopicV3AndBelow'];
type TransactionResult = AddPartitionsToTxnResponse['resultsByTransaction'][number];

/** From this version on a request has many transactions; it is for brokers (KIP-890). */
export const MANY_VERSION = 4;

/**
 * Makes partitions part of a transaction, at its coordinator; all of a transaction's or none. One that does not exist
 * is refused here, and then nothing is attempted.
 */
export const addPartitionsToTxn = handler({
  api: addPartitionsToTxnApi,
  min: 0,
  max: 5,
  handle(call, request) {
    if (call.version >= MANY_VERSION) return many(call, request);
    const { v3AndBelowTransactionalId: transactionalId, v3AndBelowTopics: topics } = request;
    const answer = (resultsByTopicV3AndBelow: TopicResults) =>
      call.reply({ throttleTimeMs: 0, resultsByTopicV3AndBelow });
    const refusal = refuseUnknown(call, topics);
    if (refusal !== undefined) return answer(refusal);
    askCoordinator<AddPartitionsToTxnResponse>(call, transactionalId, {
      apiKey: addPartitionsToTxnApi.key,
      apiVersion: call.version,
      body: request,
      onAnswer: (answered) => call.reply(answered),
      onError: (errorCode) => answer(results(topics, () => errorCode)),
    });
  },
});

function many(call: Call, { transactions }: AddPartitionsToTxnRequest): void {
  const resultsByTransaction: TransactionResult[] = [];
  const gather = new Gather(() =>
    call.reply({ throttleTimeMs: 0, errorCode: ErrorCode.NONE, resultsByTransaction }),
  );
  transactions.forEach((transaction, at) => {
    const { transactionalId, topics } = transaction;
    const refusal = refuseUnknown(call, topics);
    resultsByTransaction[at] = { transactionalId, topicResults: refusal ?? [] };
    if (refusal !== undefined) return;
    gather.enter();
    const answer = (result: TransactionResult) => {
      resultsByTransaction[at] = result;
      gather.leave();
    };
    askCoordinator<AddPartitionsToTxnResponse>(call, transactionalId, {
      apiKey: addPartitionsToTxnApi.key,
      apiVersion: call.version,
      body: { transactions: [transaction] },
      onAnswer: ({ resultsByTransaction: [result] }) =>
        answer(result ?? { transactionalId, topicResults: [] }),
      onError: (errorCode) => answer({ transactionalId, topicResults: results(topics, () => errorCode) }),
    });
  });
  gather.seal();
}

/** Undefined when all are there. */
function refuseUnknown(call: Call, topics: Topics): TopicResults | undefined {
  const errorOf = (name: string, partition: number) => {
    const place = resolveWritable(call.gateway.image, { name }, partition);
    return 'errorCode' in place ? place.errorCode : ErrorCode.OPERATION_NOT_ATTEMPTED;
  };
  const refused = results(topics, errorOf);
  const isAttempted = refused.every(({ resultsByPartition }) =>
    resultsByPartition.every(
      ({ partitionErrorCode }) => partitionErrorCode === ErrorCode.OPERATION_NOT_ATTEMPTED,
    ),
  );
  return isAttempted ? undefined : refused;
}

export function results(topics: Topics, errorOf: (topic: string, partition: number) => number): TopicResults {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errorOf(name, partitionIndex),
    })),
  }));
}
