import {
  api,
  array,
  int16,
  int32,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Leaves a classic group. v3 takes many members, static ones too (KIP-345), v4 is flexible, v5 has reasons
 * (KIP-800).
 */
export const leaveGroupApi = api({
  name: 'LeaveGroup',
  key: 13,
  versions: '0-5',
  flexible: '4+',
  request: {
    groupId: string('0+'),
    memberId: string('0-2'),
    members: array('3+', {
      memberId: string('3+'),
      groupInstanceId: nullableString('3+', { default: null }),
      reason: nullableString('5+', { default: null }),
    }),
  },
  response: {
    throttleTimeMs: int32('1+'),
    errorCode: int16('0+'),
    members: array('3+', {
      memberId: string('3+'),
      groupInstanceId: nullableString('3+'),
      errorCode: int16('3+'),
    }),
  },
});

export type LeaveGroupRequest = RequestOf<typeof leaveGroupApi>;
export type LeaveGroupResponse = ResponseOf<typeof leaveGroupApi>;
