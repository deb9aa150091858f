import {
  api,
  array,
  int16,
  int32,
  nullableString,
  string,
  struct,
  uint16,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/** A voter tells the leader of the metadata quorum its endpoints and versions (KIP-853). */
export const updateRaftVoterApi = api({
  name: 'UpdateRaftVoter',
  key: 82,
  versions: '0',
  flexible: '0+',
  request: {
    clusterId: nullableString('0+'),
    currentLeaderEpoch: int32('0+'),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
    listeners: array('0+', { name: string('0+'), host: string('0+'), port: uint16('0+') }),
    kRaftVersionFeature: struct('0+', { minSupportedVersion: int16('0+'), maxSupportedVersion: int16('0+') }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    currentLeader: struct(
      '0+',
      {
        leaderId: int32('0+', { default: -1 }),
        leaderEpoch: int32('0+', { default: -1 }),
        host: string('0+'),
        port: int32('0+'),
      },
      { tag: 0 },
    ),
  },
});

export type UpdateRaftVoterRequest = RequestOf<typeof updateRaftVoterApi>;
export type UpdateRaftVoterResponse = ResponseOf<typeof updateRaftVoterApi>;
