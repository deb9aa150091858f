import {
  api,
  array,
  bool,
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
 * Acknowledges records of a share group: accepted, released, rejected (KIP-932). v2 can renew locks
 * (KIP-1222). The early v0 is left out.
 */
export const shareAcknowledgeApi = api({
  name: 'ShareAcknowledge',
  key: 79,
  versions: '1-2',
  flexible: '0+',
  request: {
    groupId: nullableString('0+', { default: null }),
    memberId: nullableString('0+'),
    shareSessionEpoch: int32('0+'),
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
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    acquisitionLockTimeoutMs: int32('2+'),
    responses: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
        currentLeader: struct('0+', { leaderId: int32('0+'), leaderEpoch: int32('0+') }),
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

export type ShareAcknowledgeRequest = RequestOf<typeof shareAcknowledgeApi>;
export type ShareAcknowledgeResponse = ResponseOf<typeof shareAcknowledgeApi>;
