import {
  api,
  array,
  int16,
  int32,
  int64,
  nullableString,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Commits a group's positions. v0 stored them in ZooKeeper, v1 had timestamps, v2-4 a retention time; v6
 * adds leader epochs (KIP-320), v7 static members (KIP-345), v8 is flexible, v9 takes KIP-848 member epochs,
 * v10 has topic ids.
 */
export const offsetCommitApi = api({
  name: 'OffsetCommit',
  key: 8,
  versions: '0-10',
  flexible: '8+',
  request: {
    groupId: string('0+'),
    generationIdOrMemberEpoch: int32('1+', { default: -1 }),
    memberId: string('1+'),
    groupInstanceId: nullableString('7+', { default: null }),
    retentionTimeMs: int64('2-4', { default: -1 }),
    topics: array('0+', {
      name: string('0-9'),
      topicId: uuid('10+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('6+', { default: -1 }),
        commitTimestamp: int64('1', { default: -1 }),
        committedMetadata: nullableString('0+'),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32('3+'),
    topics: array('0+', {
      name: string('0-9'),
      topicId: uuid('10+'),
      partitions: array('0+', { partitionIndex: int32('0+'), errorCode: int16('0+') }),
    }),
  },
});

export type OffsetCommitRequest = RequestOf<typeof offsetCommitApi>;
export type OffsetCommitResponse = ResponseOf<typeof offsetCommitApi>;
