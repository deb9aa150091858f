import {
  api,
  array,
  bool,
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
 * Adds a voter to the metadata quorum (KIP-853). v1 can be answered before the change is committed
 * (KIP-1186).
 */
export const addRaftVoterApi = api({
  name: 'AddRaftVoter',
  key: 80,
  versions: '0-1',
  flexible: '0+',
  request: {
    clusterId: nullableString('0+'),
    timeoutMs: int32('0+'),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
    listeners: array('0+', { name: string('0+'), host: string('0+'), port: uint16('0+') }),
    ackWhenCommitted: bool('1+', { default: true }),
  },
  response: { throttleTimeMs: int32('0+'), errorCode: int16('0+'), errorMessage: nullableString('0+') },
});

export type AddRaftVoterRequest = RequestOf<typeof addRaftVoterApi>;
export type AddRaftVoterResponse = ResponseOf<typeof addRaftVoterApi>;
