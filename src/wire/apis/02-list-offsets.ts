import { api, array, int16, int32, int64, int8, string, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * Finds offsets by timestamp, or by a sentinel: -1 latest, -2 earliest, -3 max timestamp (v7, KIP-734), -4
 * earliest local (v8, KIP-405), -5 latest tiered (v9, KIP-1005), -6 earliest pending upload (v11, KIP-1023).
 * v0 answers a list of segment starts; v2 knows isolation, v4 leader epochs (KIP-320), v6 is flexible, v10
 * has a timeout (KIP-1075).
 */
export const listOffsetsApi = api({
  name: 'ListOffsets',
  key: 2,
  versions: '0-11',
  flexible: '6+',
  request: {
    replicaId: int32('0+'),
    isolationLevel: int8('2+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        currentLeaderEpoch: int32('4+', { default: -1 }),
        timestamp: int64('0+'),
        maxNumOffsets: int32('0', { default: 1 }),
      }),
    }),
    timeoutMs: int32('10+'),
  },
  response: {
    throttleTimeMs: int32('2+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        oldStyleOffsets: array('0', int64('0+')),
        timestamp: int64('1+', { default: -1 }),
        offset: int64('1+', { default: -1 }),
        leaderEpoch: int32('4+', { default: -1 }),
      }),
    }),
  },
});

export type ListOffsetsRequest = RequestOf<typeof listOffsetsApi>;
export type ListOffsetsResponse = ResponseOf<typeof listOffsetsApi>;
