import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  int8,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * A coordinator’s word to the leaders of a transaction’s partitions: write its end (KIP-98). v1 is flexible,
 * v2 tells the transaction’s protocol, so that leaders know whether epochs move with each end (KIP-1228). v0,
 * which 4.0 removed, is left out.
 */
export const writeTxnMarkersApi = api({
  name: 'WriteTxnMarkers',
  key: 27,
  versions: '1-2',
  flexible: '1+',
  request: {
    markers: array('0+', {
      producerId: int64('0+'),
      producerEpoch: int16('0+'),
      transactionResult: bool('0+'),
      topics: array('0+', { name: string('0+'), partitionIndexes: array('0+', int32('0+')) }),
      coordinatorEpoch: int32('0+'),
      transactionVersion: int8('2+', { default: 0 }),
    }),
  },
  response: {
    markers: array('0+', {
      producerId: int64('0+'),
      topics: array('0+', {
        name: string('0+'),
        partitions: array('0+', { partitionIndex: int32('0+'), errorCode: int16('0+') }),
      }),
    }),
  },
});

export type WriteTxnMarkersRequest = RequestOf<typeof writeTxnMarkersApi>;
export type WriteTxnMarkersResponse = ResponseOf<typeof writeTxnMarkersApi>;
