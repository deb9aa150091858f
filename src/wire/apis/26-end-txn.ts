import { api, bool, int16, int32, int64, string, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * Commits or aborts a transaction (KIP-98). v1 is answered before it is throttled, v2 tells when a newer
 * producer took over, v3 is flexible, v4 may answer TRANSACTION_ABORTABLE, v5 gives the producer its next
 * epoch with each end (KIP-890).
 */
export const endTxnApi = api({
  name: 'EndTxn',
  key: 26,
  versions: '0-5',
  flexible: '3+',
  request: {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    committed: bool('0+'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerId: int64('5+', { default: -1 }),
    producerEpoch: int16('5+', { default: -1 }),
  },
});

export type EndTxnRequest = RequestOf<typeof endTxnApi>;
export type EndTxnResponse = ResponseOf<typeof endTxnApi>;
