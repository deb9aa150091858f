import { api, int16, int32, nullableString, uuid, type RequestOf, type ResponseOf } from '../schema.ts';

/** Removes a voter from the metadata quorum (KIP-853). */
export const removeRaftVoterApi = api({
  name: 'RemoveRaftVoter',
  key: 81,
  versions: '0',
  flexible: '0+',
  request: { clusterId: nullableString('0+'), voterId: int32('0+'), voterDirectoryId: uuid('0+') },
  response: { throttleTimeMs: int32('0+'), errorCode: int16('0+'), errorMessage: nullableString('0+') },
});

export type RemoveRaftVoterRequest = RequestOf<typeof removeRaftVoterApi>;
export type RemoveRaftVoterResponse = ResponseOf<typeof removeRaftVoterApi>;
