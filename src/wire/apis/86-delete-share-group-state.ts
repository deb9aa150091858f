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

/** Forgets the state of share partitions (KIP-932). */
export const deleteShareGroupStateApi = api({
  name: 'DeleteShareGroupState',
  key: 86,
  versions: '0',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    topics: array('0+', { topicId: uuid('0+'), partitions: array('0+', { partition: int32('0+') }) }),
  },
  response: {
    results: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
      }),
    }),
  },
});

export type DeleteShareGroupStateRequest = RequestOf<typeof deleteShareGroupStateApi>;
export type DeleteShareGroupStateResponse = ResponseOf<typeof deleteShareGroupStateApi>;
