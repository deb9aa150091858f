import { ErrorCode } from '../../model/errors.ts';
import { CONSUMER_OFFSETS_TOPIC, coordinatorPartition } from '../../model/ids.ts';
import {
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  addPartitionsToTxnApi,
} from '../../wire/apis/24-add-partitions-to-txn.ts';
import { type AddOffsetsToTxnResponse, addOffsetsToTxnApi } from '../../wire/apis/25-add-offsets-to-txn.ts';
import { handler } from '../handler.ts';
import { askCoordinator } from '../transactions.ts';

/** The last version of AddPartitionsToTxn that is for clients. */
const CLIENT_VERSION_MAX = 3;

/** Makes a group's positions part of a transaction: the partition of `__consumer_offsets` they are kept in is added. */
export const addOffsetsToTxn = handler({
  api: addOffsetsToTxnApi,
  min: 0,
  max: 4,
  handle(call, { transactionalId, producerId, producerEpoch, groupId }) {
    const answer = (errorCode: number) =>
      call.reply({ throttleTimeMs: 0, errorCode } satisfies AddOffsetsToTxnResponse);
    const partitions = call.gateway.image.topic(CONSUMER_OFFSETS_TOPIC)?.partitions.length ?? 0;
    if (partitions === 0) return answer(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const partition = coordinatorPartition(groupId, partitions);
    const body: AddPartitionsToTxnRequest = {
      transactions: [],
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: CONSUMER_OFFSETS_TOPIC, partitions: [partition] }],
    };
    askCoordinator<AddPartitionsToTxnResponse>(call, transactionalId, {
      apiKey: addPartitionsToTxnApi.key,
      apiVersion: Math.min(call.version, CLIENT_VERSION_MAX),
      body,
      onAnswer: ({ resultsByTopicV3AndBelow: [topic] }) =>
        answer(topic?.resultsByPartition[0]?.partitionErrorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR),
      onError: answer,
    });
  },
});
