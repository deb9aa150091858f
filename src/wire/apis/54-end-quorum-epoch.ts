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
 * A leader of the metadata quorum steps down and names who should follow (KIP-595). v1 is flexible and names
 * replicas by directory (KIP-853).
 */
export const endQuorumEpochApi = api({
  name: 'EndQuorumEpoch',
  key: 54,
  versions: '0-1',
  flexible: '1+',
  request: {
    clusterId: nullableString('0+', { default: null }),
    topics: array('0+', {
      topicName: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        leaderId: int32('0+'),
        leaderEpoch: int32('0+'),
        preferredSuccessors: array('0', int32('0+')),
        preferredCandidates: array('1+', { candidateId: int32('1+'), candidateDirectoryId: uuid('1+') }),
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

export type EndQuorumEpochRequest = RequestOf<typeof endQuorumEpochApi>;
export type EndQuorumEpochResponse = ResponseOf<typeof endQuorumEpochApi>;
