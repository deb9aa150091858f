import {
  api,
  array,
  bytes,
  int16,
  int32,
  int64,
  nullableArray,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Delegation tokens of some owners, or (null) all one may see (KIP-48). v2 is flexible, v3 tells who asked
 * for them (KIP-373). v0, which 4.0 removed, is left out.
 */
export const describeDelegationTokenApi = api({
  name: 'DescribeDelegationToken',
  key: 41,
  versions: '1-3',
  flexible: '2+',
  request: { owners: nullableArray('0+', { principalType: string('0+'), principalName: string('0+') }) },
  response: {
    errorCode: int16('0+'),
    tokens: array('0+', {
      principalType: string('0+'),
      principalName: string('0+'),
      tokenRequesterPrincipalType: string('3+'),
      tokenRequesterPrincipalName: string('3+'),
      issueTimestamp: int64('0+'),
      expiryTimestamp: int64('0+'),
      maxTimestamp: int64('0+'),
      tokenId: string('0+'),
      hmac: bytes('0+'),
      renewers: array('0+', { principalType: string('0+'), principalName: string('0+') }),
    }),
    throttleTimeMs: int32('0+'),
  },
});

export type DescribeDelegationTokenRequest = RequestOf<typeof describeDelegationTokenApi>;
export type DescribeDelegationTokenResponse = ResponseOf<typeof describeDelegationTokenApi>;
