import {
  api,
  array,
  int16,
  int32,
  nullableArray,
  nullableString,
  nullableStruct,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/** All a member of a share group says and hears (KIP-932). The early v0 is left out. */
export const shareGroupHeartbeatApi = api({
  name: 'ShareGroupHeartbeat',
  key: 76,
  versions: '1',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    rackId: nullableString('0+', { default: null }),
    subscribedTopicNames: nullableArray('0+', string('0+'), { default: null }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    memberId: nullableString('0+', { default: null }),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    assignment: nullableStruct(
      '0+',
      { topicPartitions: array('0+', { topicId: uuid('0+'), partitions: array('0+', int32('0+')) }) },
      { default: null },
    ),
  },
});

export type ShareGroupHeartbeatRequest = RequestOf<typeof shareGroupHeartbeatApi>;
export type ShareGroupHeartbeatResponse = ResponseOf<typeof shareGroupHeartbeatApi>;
