import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  nullableString,
  string,
  uint16,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * A candidate of the metadata quorum asks for a vote (KIP-595). v1 names replicas by directory (KIP-853), v2
 * asks whether it would win before it bumps the epoch (KIP-996).
 */
export const voteApi = api({
  name: 'Vote',
  key: 52,
  versions: '0-2',
  flexible: '0+',
  request: {
    clusterId: nullableString('0+', { default: null }),
    voterId: int32('1+', { default: -1 }),
    topics: array('0+', {
      topicName: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        replicaEpoch: int32('0+'),
        replicaId: int32('0+'),
        replicaDirectoryId: uuid('1+'),
        voterDirectoryId: uuid('1+'),
        lastOffsetEpoch: int32('0+'),
        lastOffset: int64('0+'),
        preVote: bool('2+'),
      }),
    }),
  },
  response: {
    errorCode: int16('0+'),
    topics: array('0+', {
      topicName: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        leaderId: int32('0+'),
        leaderEpoch: int32('0+'),
        voteGranted: bool('0+'),
      }),
    }),
    nodeEndpoints: array('1+', { nodeId: int32('1+'), host: string('1+'), port: uint16('1+') }, { tag: 0 }),
  },
});

export type VoteRequest = RequestOf<typeof voteApi>;
export type VoteResponse = ResponseOf<typeof voteApi>;
