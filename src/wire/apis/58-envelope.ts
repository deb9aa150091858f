import { api, bytes, int16, nullableBytes, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * A request on behalf of a client, with its principal and address (KIP-590). Shards forward with it between
 * processes.
 */
export const envelopeApi = api({
  name: 'Envelope',
  key: 58,
  versions: '0',
  flexible: '0+',
  request: {
    requestData: bytes('0+'),
    requestPrincipal: nullableBytes('0+'),
    clientHostAddress: bytes('0+'),
  },
  response: {
    responseData: nullableBytes('0+', { default: null }),
    errorCode: int16('0+'),
  },
});

export type EnvelopeRequest = RequestOf<typeof envelopeApi>;
export type EnvelopeResponse = ResponseOf<typeof envelopeApi>;
