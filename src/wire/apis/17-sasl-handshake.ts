import { api, array, int16, string, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * Chooses a SASL mechanism. After v0 the tokens follow without Kafka headers, after v1 in SaslAuthenticate
 * (KIP-152).
 */
export const saslHandshakeApi = api({
  name: 'SaslHandshake',
  key: 17,
  versions: '0-1',
  flexible: 'none',
  request: {
    mechanism: string('0+'),
  },
  response: {
    errorCode: int16('0+'),
    mechanisms: array('0+', string('0+')),
  },
});

export type SaslHandshakeRequest = RequestOf<typeof saslHandshakeApi>;
export type SaslHandshakeResponse = ResponseOf<typeof saslHandshakeApi>;
