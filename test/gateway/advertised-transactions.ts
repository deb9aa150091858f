import { ErrorCode } from '../../src/model/errors.ts';
import { addPartitionsToTxnApi } from '../../src/wire/apis/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnApi } from '../../src/wire/apis/25-add-offsets-to-txn.ts';
import { endTxnApi } from '../../src/wire/apis/26-end-txn.ts';
import { writeTxnMarkersApi } from '../../src/wire/apis/27-write-txn-markers.ts';
import { txnOffsetCommitApi } from '../../src/wire/apis/28-txn-offset-commit.ts';
import { describeProducersApi } from '../../src/wire/apis/61-describe-producers.ts';
import { describeTransactionsApi } from '../../src/wire/apis/65-describe-transactions.ts';
import { listTransactionsApi } from '../../src/wire/apis/66-list-transactions.ts';
import { type Case, type Given, of } from './advertised-case.ts';

const NOBODY = { producerId: 1_000_000, producerEpoch: 0 };

function transaction({ topic, unique }: Given) {
  const topics = [{ name: topic.name, partitions: [0] }];
  return { transactionalId: unique, ...NOBODY, verifyOnly: false, topics };
}

/** Of producers that nobody knows. */
export const TRANSACTION_CASES: readonly Case[] = [
  of(
    addPartitionsToTxnApi,
    (given) => {
      const { transactionalId, producerId, producerEpoch, topics } = transaction(given);
      if (given.version >= 4) return { transactions: [transaction(given)] };
      return {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: topics,
      };
    },
    ({ resultsByTransaction: [many], resultsByTopicV3AndBelow }) =>
      (many?.topicResults ?? resultsByTopicV3AndBelow)[0]?.resultsByPartition[0]?.partitionErrorCode,
    ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ),
  of(
    addOffsetsToTxnApi,
    ({ unique }) => ({ transactionalId: unique, ...NOBODY, groupId: unique }),
    ({ errorCode }) => errorCode,
    ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ),
  of(
    endTxnApi,
    ({ unique }) => ({ transactionalId: unique, ...NOBODY, committed: true }),
    ({ errorCode }) => errorCode,
    ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ),
  of(
    writeTxnMarkersApi,
    ({ topic }) => ({
      markers: [
        {
          producerId: 1_000_000,
          producerEpoch: 1,
          transactionResult: false,
          topics: [{ name: topic.name, partitionIndexes: [0] }],
          coordinatorEpoch: 0,
          transactionVersion: 2,
        },
      ],
    }),
    ({ markers }) => [markers[0]?.producerId, markers[0]?.topics[0]?.partitions],
    [1_000_000, [{ partitionIndex: 0, errorCode: ErrorCode.NONE }]],
  ),
  of(
    txnOffsetCommitApi,
    ({ topic, unique }) => {
      const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }];
      return {
        transactionalId: unique,
        ...NOBODY,
        groupId: unique,
        topics: [{ name: topic.name, partitions }],
      };
    },
    ({ topics }) => topics[0]?.partitions[0]?.errorCode,
    ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ),
  of(
    describeProducersApi,
    ({ topic }) => ({ topics: [{ name: topic.name, partitionIndexes: [0] }] }),
    ({ topics }) => topics[0]?.partitions[0]?.errorCode,
  ),
  of(
    describeTransactionsApi,
    ({ unique }) => ({ transactionalIds: [unique] }),
    ({ transactionStates }) => transactionStates.map(({ errorCode }) => errorCode),
    [ErrorCode.TRANSACTIONAL_ID_NOT_FOUND],
  ),
  of(
    listTransactionsApi,
    () => ({ stateFilters: ['Ongoing', 'Going'], producerIdFilters: [] }),
    ({ errorCode, unknownStateFilters, transactionStates }) => [
      errorCode,
      unknownStateFilters,
      transactionStates,
    ],
    [ErrorCode.NONE, ['Going'], []],
  ),
];
