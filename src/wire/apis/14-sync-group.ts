import {
  api,
  array,
  bytes,
  int16,
  int32,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * The leader of a classic group hands in the assignments, each member gets its own. v3 has static members
 * (KIP-345), v4 is flexible, v5 checks the protocol (KIP-559).
 */
export const syncGroupApi = api({
  name: 'SyncGroup',
  key: 14,
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: nullableString('3+', { default: null }),
    protocolType: nullableString('5+', { default: null }),
    protocolName: nullableString('5+', { default: null }),
    assignments: array('0+', { memberId: string('0+'), assignment: bytes('0+') }),
  },
  response: {
    throttleTimeMs: int32('1+'),
    errorCode: int16('0+'),
    protocolType: nullableString('5+', { default: null }),
    protocolName: nullableString('5+', { default: null }),
    assignment: bytes('0+'),
  },
});

export type SyncGroupRequest = RequestOf<typeof syncGroupApi>;
export type SyncGroupResponse = ResponseOf<typeof syncGroupApi>;
