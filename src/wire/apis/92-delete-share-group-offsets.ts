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

/** Forgets a share group’s state of some topics (KIP-932). */
export const deleteShareGroupOffsetsApi = api({
  name: 'DeleteShareGroupOffsets',
  key: 92,
  versions: '0',
  flexible: '0+',
  request: { groupId: string('0+'), topics: array('0+', { topicName: string('0+') }) },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    responses: array('0+', {
      topicName: string('0+'),
      topicId: uuid('0+'),
      errorCode: int16('0+'),
      errorMessage: nullableString('0+', { default: null }),
    }),
  },
});

export type DeleteShareGroupOffsetsRequest = RequestOf<typeof deleteShareGroupOffsetsApi>;
export type DeleteShareGroupOffsetsResponse = ResponseOf<typeof deleteShareGroupOffsetsApi>;
