import { api, array, bool, int16, int32, int64, string, type RequestOf, type ResponseOf } from '../schema.ts';

const addPartitionsToTxnTopic = { name: string('0+'), partitions: array('0+', int32('0+')) };

const addPartitionsToTxnPartitionResult = { partitionIndex: int32('0+'), partitionErrorCode: int16('0+') };

const addPartitionsToTxnTopicResult = {
  name: string('0+'),
  resultsByPartition: array('0+', addPartitionsToTxnPartitionResult),
};

/**
 * Makes partitions part of a transaction (KIP-98). v1 is answered before it is throttled, v2 tells when a
 * newer producer took over, v3 is flexible. From v4 on brokers alone ask with many transactions at once, and
 * may only have them checked; v5 tells clients that they need not ask at all (KIP-890). Before that its
 * fields are those with `v3AndBelow` in their names.
 */
export const addPartitionsToTxnApi = api({
  name: 'AddPartitionsToTxn',
  key: 24,
  versions: '0-5',
  flexible: '3+',
  request: {
    transactions: array('4+', {
      transactionalId: string('4+'),
      producerId: int64('4+'),
      producerEpoch: int16('4+'),
      verifyOnly: bool('4+', { default: false }),
      topics: array('4+', addPartitionsToTxnTopic),
    }),
    v3AndBelowTransactionalId: string('0-3'),
    v3AndBelowProducerId: int64('0-3'),
    v3AndBelowProducerEpoch: int16('0-3'),
    v3AndBelowTopics: array('0-3', addPartitionsToTxnTopic),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('4+'),
    resultsByTransaction: array('4+', {
      transactionalId: string('4+'),
      topicResults: array('4+', addPartitionsToTxnTopicResult),
    }),
    resultsByTopicV3AndBelow: array('0-3', addPartitionsToTxnTopicResult),
  },
});

export type AddPartitionsToTxnRequest = RequestOf<typeof addPartitionsToTxnApi>;
export type AddPartitionsToTxnResponse = ResponseOf<typeof addPartitionsToTxnApi>;
