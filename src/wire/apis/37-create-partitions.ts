import {
  api,
  array,
  bool,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/** Adds partitions to topics (KIP-195). v2 is flexible, v3 may answer THROTTLING_QUOTA_EXCEEDED (KIP-599). */
export const createPartitionsApi = api({
  name: 'CreatePartitions',
  key: 37,
  versions: '0-3',
  flexible: '2+',
  request: {
    topics: array('0+', {
      name: string('0+'),
      count: int32('0+'),
      assignments: nullableArray('0+', { brokerIds: array('0+', int32('0+')) }),
    }),
    timeoutMs: int32('0+'),
    validateOnly: bool('0+'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      name: string('0+'),
      errorCode: int16('0+'),
      errorMessage: nullableString('0+', { default: null }),
    }),
  },
});

export type CreatePartitionsRequest = RequestOf<typeof createPartitionsApi>;
export type CreatePartitionsResponse = ResponseOf<typeof createPartitionsApi>;
