import {
  api,
  array,
  int16,
  int32,
  int64,
  nullableString,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * State of share partitions without its batches (KIP-932). v1 counts the records that are done (KIP-1226).
 */
export const readShareGroupStateSummaryApi = api({
  name: 'ReadShareGroupStateSummary',
  key: 87,
  versions: '0-1',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    topics: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', { partition: int32('0+'), leaderEpoch: int32('0+') }),
    }),
  },
  response: {
    results: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
        stateEpoch: int32('0+'),
        leaderEpoch: int32('0+'),
        startOffset: int64('0+'),
        deliveryCompleteCount: int32('1+', { default: -1 }),
      }),
    }),
  },
});

export type ReadShareGroupStateSummaryRequest = RequestOf<typeof readShareGroupStateSummaryApi>;
export type ReadShareGroupStateSummaryResponse = ResponseOf<typeof readShareGroupStateSummaryApi>;
