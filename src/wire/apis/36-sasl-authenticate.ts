import { api, bytes, int16, int64, nullableString, type RequestOf, type ResponseOf } from '../schema.ts';

/** One step of a SASL exchange. v1 tells how long the session lives (KIP-368), v2 is flexible. */
export const saslAuthenticateApi = api({
  name: 'SaslAuthenticate',
  key: 36,
  versions: '0-2',
  flexible: '2+',
  request: {
    authBytes: bytes('0+'),
  },
  response: {
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    authBytes: bytes('0+'),
    sessionLifetimeMs: int64('1+', { default: 0 }),
  },
});

export type SaslAuthenticateRequest = RequestOf<typeof saslAuthenticateApi>;
export type SaslAuthenticateResponse = ResponseOf<typeof saslAuthenticateApi>;
