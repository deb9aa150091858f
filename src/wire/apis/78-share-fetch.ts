import {
  api,
  array,
  bool,
  bytes,
  int16,
  int32,
  int64,
  int8,
  nullableString,
  string,
  struct,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Acquires records for a share group, and acknowledges some on the way (KIP-932). v2 can bound how many are
 * acquired (KIP-1206) and renew locks (KIP-1222). The early v0 is left out.
 */
export const shareFetchApi = api({
  name: 'ShareFetch',
  key: 78,
  versions: '1-2',
  flexible: '0+',
  request: {
    groupId: nullableString('0+', { default: null }),
    memberId: nullableString('0+'),
    shareSessionEpoch: int32('0+'),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    maxBytes: int32('0+', { default: 0x7fff_ffff }),
    maxRecords: int32('1+'),
    batchSize: int32('1+'),
    shareAcquireMode: int8('2+', { default: 0 }),
    isRenewAck: bool('2+', { default: false }),
    topics: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        acknowledgementBatches: array('0+', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          acknowledgeTypes: array('0+', int8('0+')),
        }),
      }),
    }),
    forgottenTopicsData: array('0+', { topicId: uuid('0+'), partitions: array('0+', int32('0+')) }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    acquisitionLockTimeoutMs: int32('1+'),
    responses: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
        acknowledgeErrorCode: int16('0+'),
        acknowledgeErrorMessage: nullableString('0+', { default: null }),
        currentLeader: struct('0+', { leaderId: int32('0+'), leaderEpoch: int32('0+') }),
        records: bytes('0+'),
        acquiredRecords: array('0+', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          deliveryCount: int16('0+'),
        }),
      }),
    }),
    nodeEndpoints: array('0+', {
      nodeId: int32('0+'),
      host: string('0+'),
      port: int32('0+'),
      rack: nullableString('0+', { default: null }),
    }),
  },
});

export type ShareFetchRequest = RequestOf<typeof shareFetchApi>;
export type ShareFetchResponse = ResponseOf<typeof shareFetchApi>;
