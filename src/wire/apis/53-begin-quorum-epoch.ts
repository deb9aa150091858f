import {
  api,
  array,
  int16,
  int32,
  nullableString,
  string,
  uint16,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * A new leader of the metadata quorum tells the others (KIP-595). v1 is flexible and brings its endpoints and
 * directories (KIP-853).
 */
export const beginQuorumEpochApi = api({
  name: 'BeginQuorumEpoch',
  key: 53,
  versions: '0-1',
  flexible: '1+',
  request: {
    clusterId: nullableString('0+', { default: null }),
    voterId: int32('1+', { default: -1 }),
    topics: array('0+', {
      topicName: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        voterDirectoryId: uuid('1+'),
        leaderId: int32('0+'),
        leaderEpoch: int32('0+'),
      }),
    }),
    leaderEndpoints: array('1+', { name: string('1+'), host: string('1+'), port: uint16('1+') }),
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
      }),
    }),
    nodeEndpoints: array('1+', { nodeId: int32('1+'), host: string('1+'), port: uint16('1+') }, { tag: 0 }),
  },
});

export type BeginQuorumEpochRequest = RequestOf<typeof beginQuorumEpochApi>;
export type BeginQuorumEpochResponse = ResponseOf<typeof beginQuorumEpochApi>;
