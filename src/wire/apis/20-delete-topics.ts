import {
  api,
  array,
  int16,
  int32,
  nullableString,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Deletes topics. v4 is flexible, v5 has messages and THROTTLING_QUOTA_EXCEEDED (KIP-599), v6 takes topic
 * ids (KIP-516).
 */
export const deleteTopicsApi = api({
  name: 'DeleteTopics',
  key: 20,
  versions: '0-6',
  flexible: '4+',
  request: {
    topics: array('6+', {
      name: nullableString('6+', { default: null }),
      topicId: uuid('6+'),
    }),
    topicNames: array('0-5', string('0+')),
    timeoutMs: int32('0+'),
  },
  response: {
    throttleTimeMs: int32('1+'),
    responses: array('0+', {
      name: nullableString('0+', { nullable: '6+' }),
      topicId: uuid('6+'),
      errorCode: int16('0+'),
      errorMessage: nullableString('5+', { default: null }),
    }),
  },
});

export type DeleteTopicsRequest = RequestOf<typeof deleteTopicsApi>;
export type DeleteTopicsResponse = ResponseOf<typeof deleteTopicsApi>;
