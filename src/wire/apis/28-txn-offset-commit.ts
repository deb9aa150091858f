import {
  api,
  array,
  int16,
  int32,
  int64,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Commits a group’s positions within a transaction (KIP-98). v1 is answered before it is throttled, v2 has
 * leader epochs (KIP-320), v3 is flexible and names the member, so that a fenced one is refused (KIP-447); v4
 * may answer TRANSACTION_ABORTABLE, v5 needs no AddOffsetsToTxn before it (KIP-890).
 */
export const txnOffsetCommitApi = api({
  name: 'TxnOffsetCommit',
  key: 28,
  versions: '0-5',
  flexible: '3+',
  request: {
    transactionalId: string('0+'),
    groupId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    generationIdOrMemberEpoch: int32('3+', { default: -1 }),
    memberId: string('3+', { default: '' }),
    groupInstanceId: nullableString('3+', { default: null }),
    topics: array('0+', {
      name: string('0-5'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('2+', { default: -1 }),
        committedMetadata: nullableString('0+'),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    topics: array('0+', {
      name: string('0-5'),
      partitions: array('0+', { partitionIndex: int32('0+'), errorCode: int16('0+') }),
    }),
  },
});

export type TxnOffsetCommitRequest = RequestOf<typeof txnOffsetCommitApi>;
export type TxnOffsetCommitResponse = ResponseOf<typeof txnOffsetCommitApi>;
