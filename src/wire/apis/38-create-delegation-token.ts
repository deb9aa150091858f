import {
  api,
  array,
  bytes,
  int16,
  int32,
  int64,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Gets a delegation token, a secret to log in with for a while (KIP-48). v2 is flexible, v3 can ask for one
 * on behalf of another user (KIP-373). v0, which 4.0 removed, is left out.
 */
export const createDelegationTokenApi = api({
  name: 'CreateDelegationToken',
  key: 38,
  versions: '1-3',
  flexible: '2+',
  request: {
    ownerPrincipalType: nullableString('3+'),
    ownerPrincipalName: nullableString('3+'),
    renewers: array('0+', { principalType: string('0+'), principalName: string('0+') }),
    maxLifetimeMs: int64('0+'),
  },
  response: {
    errorCode: int16('0+'),
    principalType: string('0+'),
    principalName: string('0+'),
    tokenRequesterPrincipalType: string('3+'),
    tokenRequesterPrincipalName: string('3+'),
    issueTimestampMs: int64('0+'),
    expiryTimestampMs: int64('0+'),
    maxTimestampMs: int64('0+'),
    tokenId: string('0+'),
    hmac: bytes('0+'),
    throttleTimeMs: int32('0+'),
  },
});

export type CreateDelegationTokenRequest = RequestOf<typeof createDelegationTokenApi>;
export type CreateDelegationTokenResponse = ResponseOf<typeof createDelegationTokenApi>;
