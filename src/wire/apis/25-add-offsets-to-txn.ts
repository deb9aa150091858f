import { api, int16, int32, int64, string, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * Makes a group’s offsets part of a transaction: adds its partition of `__consumer_offsets` (KIP-98). v1 is
 * answered before it is throttled, v2 tells when a newer producer took over, v3 is flexible, v4 may answer
 * TRANSACTION_ABORTABLE (KIP-890).
 */
export const addOffsetsToTxnApi = api({
  name: 'AddOffsetsToTxn',
  key: 25,
  versions: '0-4',
  flexible: '3+',
  request: {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    groupId: string('0+'),
  },
  response: { throttleTimeMs: int32('0+'), errorCode: int16('0+') },
});

export type AddOffsetsToTxnRequest = RequestOf<typeof addOffsetsToTxnApi>;
export type AddOffsetsToTxnResponse = ResponseOf<typeof addOffsetsToTxnApi>;
