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

/** Gives a share partition its first state in `__share_group_state` (KIP-932). */
export const initializeShareGroupStateApi = api({
  name: 'InitializeShareGroupState',
  key: 83,
  versions: '0',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    topics: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', { partition: int32('0+'), stateEpoch: int32('0+'), startOffset: int64('0+') }),
    }),
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

export type InitializeShareGroupStateRequest = RequestOf<typeof initializeShareGroupStateApi>;
export type InitializeShareGroupStateResponse = ResponseOf<typeof initializeShareGroupStateApi>;
