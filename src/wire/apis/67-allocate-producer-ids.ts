import { api, int16, int32, int64, type RequestOf, type ResponseOf } from '../schema.ts';

/** A broker gets a block of producer ids from the controller (KIP-730). */
export const allocateProducerIdsApi = api({
  name: 'AllocateProducerIds',
  key: 67,
  versions: '0',
  flexible: '0+',
  request: { brokerId: int32('0+'), brokerEpoch: int64('0+', { default: -1 }) },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerIdStart: int64('0+'),
    producerIdLen: int32('0+'),
  },
});

export type AllocateProducerIdsRequest = RequestOf<typeof allocateProducerIdsApi>;
export type AllocateProducerIdsResponse = ResponseOf<typeof allocateProducerIdsApi>;
