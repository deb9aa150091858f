import { api, bytes, int16, int32, int64, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * Makes a delegation token expire, or last no longer than that (KIP-48). v2 is flexible. v0, which 4.0
 * removed, is left out.
 */
export const expireDelegationTokenApi = api({
  name: 'ExpireDelegationToken',
  key: 40,
  versions: '1-2',
  flexible: '2+',
  request: { hmac: bytes('0+'), expiryTimePeriodMs: int64('0+') },
  response: { errorCode: int16('0+'), expiryTimestampMs: int64('0+'), throttleTimeMs: int32('0+') },
});

export type ExpireDelegationTokenRequest = RequestOf<typeof expireDelegationTokenApi>;
export type ExpireDelegationTokenResponse = ResponseOf<typeof expireDelegationTokenApi>;
