import { api, array, int16, int32, int64, string, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * Where a leader epoch ends, so that a reader can find out where logs diverge (KIP-101). v1 returns the
 * epoch too (KIP-279), v2 fences the asker (KIP-320), v3 says which replica asks (KIP-392), v4 is flexible.
 */
export const offsetForLeaderEpochApi = api({
  name: 'OffsetForLeaderEpoch',
  key: 23,
  versions: '0-4',
  flexible: '4+',
  request: {
    replicaId: int32('3+', { default: -2 }),
    topics: array('0+', {
      topic: string('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('2+', { default: -1 }),
        leaderEpoch: int32('0+'),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32('2+'),
    topics: array('0+', {
      topic: string('0+'),
      partitions: array('0+', {
        errorCode: int16('0+'),
        partition: int32('0+'),
        leaderEpoch: int32('1+', { default: -1 }),
        endOffset: int64('0+', { default: -1 }),
      }),
    }),
  },
});

export type OffsetForLeaderEpochRequest = RequestOf<typeof offsetForLeaderEpochApi>;
export type OffsetForLeaderEpochResponse = ResponseOf<typeof offsetForLeaderEpochApi>;
