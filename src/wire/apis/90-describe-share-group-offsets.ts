import {
  api,
  array,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/** Where share groups start in each partition (KIP-932). v1 adds how much is left to do (KIP-1226). */
export const describeShareGroupOffsetsApi = api({
  name: 'DescribeShareGroupOffsets',
  key: 90,
  versions: '0-1',
  flexible: '0+',
  request: {
    groups: array('0+', {
      groupId: string('0+'),
      topics: nullableArray('0+', { topicName: string('0+'), partitions: array('0+', int32('0+')) }),
    }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    groups: array('0+', {
      groupId: string('0+'),
      topics: array('0+', {
        topicName: string('0+'),
        topicId: uuid('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          startOffset: int64('0+'),
          leaderEpoch: int32('0+'),
          lag: int64('1+', { default: -1 }),
          errorCode: int16('0+'),
          errorMessage: nullableString('0+', { default: null }),
        }),
      }),
      errorCode: int16('0+'),
      errorMessage: nullableString('0+', { default: null }),
    }),
  },
});

export type DescribeShareGroupOffsetsRequest = RequestOf<typeof describeShareGroupOffsetsApi>;
export type DescribeShareGroupOffsetsResponse = ResponseOf<typeof describeShareGroupOffsetsApi>;
