import {
  api,
  array,
  int16,
  int32,
  int64,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Transactions a coordinator knows (KIP-664). v1 can ask for those that run long (KIP-994), v2 for ids that
 * match a pattern (KIP-1152).
 */
export const listTransactionsApi = api({
  name: 'ListTransactions',
  key: 66,
  versions: '0-2',
  flexible: '0+',
  request: {
    stateFilters: array('0+', string('0+')),
    producerIdFilters: array('0+', int64('0+')),
    durationFilter: int64('1+', { default: -1 }),
    transactionalIdPattern: nullableString('2+', { default: null }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    unknownStateFilters: array('0+', string('0+')),
    transactionStates: array('0+', {
      transactionalId: string('0+'),
      producerId: int64('0+'),
      transactionState: string('0+'),
    }),
  },
});

export type ListTransactionsRequest = RequestOf<typeof listTransactionsApi>;
export type ListTransactionsResponse = ResponseOf<typeof listTransactionsApi>;
