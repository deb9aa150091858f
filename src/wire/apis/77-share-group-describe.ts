import {
  api,
  array,
  bool,
  int16,
  int32,
  nullableString,
  string,
  struct,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/** Members and assignments of share groups (KIP-932). The early v0 is left out. */
export const shareGroupDescribeApi = api({
  name: 'ShareGroupDescribe',
  key: 77,
  versions: '1',
  flexible: '0+',
  request: { groupIds: array('0+', string('0+')), includeAuthorizedOperations: bool('0+') },
  response: {
    throttleTimeMs: int32('0+'),
    groups: array('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+', { default: null }),
      groupId: string('0+'),
      groupState: string('0+'),
      groupEpoch: int32('0+'),
      assignmentEpoch: int32('0+'),
      assignorName: string('0+'),
      members: array('0+', {
        memberId: string('0+'),
        rackId: nullableString('0+', { default: null }),
        memberEpoch: int32('0+'),
        clientId: string('0+'),
        clientHost: string('0+'),
        subscribedTopicNames: array('0+', string('0+')),
        assignment: struct('0+', {
          topicPartitions: array('0+', {
            topicId: uuid('0+'),
            topicName: string('0+'),
            partitions: array('0+', int32('0+')),
          }),
        }),
      }),
      authorizedOperations: int32('0+', { default: -0x8000_0000 }),
    }),
  },
});

export type ShareGroupDescribeRequest = RequestOf<typeof shareGroupDescribeApi>;
export type ShareGroupDescribeResponse = ResponseOf<typeof shareGroupDescribeApi>;
