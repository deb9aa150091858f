import { api, int16, int32, int64, nullableString, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * A producer id and epoch, for idempotence or a transactional id. v2 is flexible, v3 keeps the id a producer
 * has (KIP-360), v4 may answer PRODUCER_FENCED (KIP-588), v5 TRANSACTION_ABORTABLE (KIP-890). Left out: v6,
 * two-phase commit (KIP-939), which Kafka does not advertise.
 */
export const initProducerIdApi = api({
  name: 'InitProducerId',
  key: 22,
  versions: '0-5',
  flexible: '2+',
  request: {
    transactionalId: nullableString('0+'),
    transactionTimeoutMs: int32('0+'),
    producerId: int64('3+', { default: -1 }),
    producerEpoch: int16('3+', { default: -1 }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerId: int64('0+', { default: -1 }),
    producerEpoch: int16('0+'),
  },
});

export type InitProducerIdRequest = RequestOf<typeof initProducerIdApi>;
export type InitProducerIdResponse = ResponseOf<typeof initProducerIdApi>;
