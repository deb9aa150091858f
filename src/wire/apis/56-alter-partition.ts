import { api, array, int16, int32, int64, int8, uuid, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * A leader asks the controller for another set of in-sync replicas (KIP-497). v2 has topic ids (KIP-841), v3
 * the epochs of the brokers in it (KIP-903). v0 and v1, which 4.0 removed, are left out.
 */
export const alterPartitionApi = api({
  name: 'AlterPartition',
  key: 56,
  versions: '2-3',
  flexible: '0+',
  request: {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    topics: array('0+', {
      topicId: uuid('2+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        leaderEpoch: int32('0+'),
        newIsr: array('0-2', int32('0+')),
        newIsrWithEpochs: array('3+', { brokerId: int32('3+'), brokerEpoch: int64('3+', { default: -1 }) }),
        leaderRecoveryState: int8('1+', { default: 0 }),
        partitionEpoch: int32('0+'),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    topics: array('0+', {
      topicId: uuid('2+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        leaderId: int32('0+'),
        leaderEpoch: int32('0+'),
        isr: array('0+', int32('0+')),
        leaderRecoveryState: int8('1+', { default: 0 }),
        partitionEpoch: int32('0+'),
      }),
    }),
  },
});

export type AlterPartitionRequest = RequestOf<typeof alterPartitionApi>;
export type AlterPartitionResponse = ResponseOf<typeof alterPartitionApi>;
