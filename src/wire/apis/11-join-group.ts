import {
  api,
  array,
  bool,
  bytes,
  int16,
  int32,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Enters a classic group, and waits until all its members have. v1 has a rebalance timeout, v4 makes a new
 * member come back with the id it got (KIP-394), v5 static members (KIP-345), v6 is flexible, v7 tells the
 * protocol type (KIP-559), v8 a reason (KIP-800), v9 lets a returning static leader skip the assignment
 * (KIP-814).
 */
export const joinGroupApi = api({
  name: 'JoinGroup',
  key: 11,
  versions: '0-9',
  flexible: '6+',
  request: {
    groupId: string('0+'),
    sessionTimeoutMs: int32('0+'),
    rebalanceTimeoutMs: int32('1+', { default: -1 }),
    memberId: string('0+'),
    groupInstanceId: nullableString('5+', { default: null }),
    protocolType: string('0+'),
    protocols: array('0+', { name: string('0+'), metadata: bytes('0+') }),
    reason: nullableString('8+', { default: null }),
  },
  response: {
    throttleTimeMs: int32('2+'),
    errorCode: int16('0+'),
    generationId: int32('0+', { default: -1 }),
    protocolType: nullableString('7+', { default: null }),
    protocolName: nullableString('0+', { nullable: '7+' }),
    leader: string('0+'),
    skipAssignment: bool('9+', { default: false }),
    memberId: string('0+'),
    members: array('0+', {
      memberId: string('0+'),
      groupInstanceId: nullableString('5+', { default: null }),
      metadata: bytes('0+'),
    }),
  },
});

export type JoinGroupRequest = RequestOf<typeof joinGroupApi>;
export type JoinGroupResponse = ResponseOf<typeof joinGroupApi>;
