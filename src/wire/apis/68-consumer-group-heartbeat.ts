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

/**
 * All a member of a KIP-848 group says and hears: joins, leaves, subscribes, takes and gives back partitions.
 * v1 can subscribe by a pattern the broker evaluates, and has clients choose their member ids (KIP-1082).
 */
export const consumerGroupHeartbeatApi = api({
  name: 'ConsumerGroupHeartbeat',
  key: 68,
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    instanceId: nullableString('0+', { default: null }),
    rackId: nullableString('0+', { default: null }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    subscribedTopicNames: nullableArray('0+', string('0+'), { default: null }),
    subscribedTopicRegex: nullableString('1+', { default: null }),
    serverAssignor: nullableString('0+', { default: null }),
    topicPartitions: nullableArray(
      '0+',
      { topicId: uuid('0+'), partitions: array('0+', int32('0+')) },
      { default: null },
    ),
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

export type ConsumerGroupHeartbeatRequest = RequestOf<typeof consumerGroupHeartbeatApi>;
export type ConsumerGroupHeartbeatResponse = ResponseOf<typeof consumerGroupHeartbeatApi>;
