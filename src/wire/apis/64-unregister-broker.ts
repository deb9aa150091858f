import { api, int16, int32, nullableString, type RequestOf, type ResponseOf } from '../schema.ts';

/** Forgets a broker that will not come back (KIP-631). */
export const unregisterBrokerApi = api({
  name: 'UnregisterBroker',
  key: 64,
  versions: '0',
  flexible: '0+',
  request: { brokerId: int32('0+') },
  response: { throttleTimeMs: int32('0+'), errorCode: int16('0+'), errorMessage: nullableString('0+') },
});

export type UnregisterBrokerRequest = RequestOf<typeof unregisterBrokerApi>;
export type UnregisterBrokerResponse = ResponseOf<typeof unregisterBrokerApi>;
