import { api, int16, int32, nullableString, string, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * Keeps a member of a classic group alive, and tells it of a rebalance. v3 has static members (KIP-345), v4
 * is flexible.
 */
export const heartbeatApi = api({
  name: 'Heartbeat',
  key: 12,
  versions: '0-4',
  flexible: '4+',
  request: {
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: nullableString('3+', { default: null }),
  },
  response: {
    throttleTimeMs: int32('1+'),
    errorCode: int16('0+'),
  },
});

export type HeartbeatRequest = RequestOf<typeof heartbeatApi>;
export type HeartbeatResponse = ResponseOf<typeof heartbeatApi>;
