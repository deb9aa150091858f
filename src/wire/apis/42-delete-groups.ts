import { api, array, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.ts';

/** Deletes empty groups and their positions (KIP-229). v2 is flexible. */
export const deleteGroupsApi = api({
  name: 'DeleteGroups',
  key: 42,
  versions: '0-2',
  flexible: '2+',
  request: {
    groupsNames: array('0+', string('0+')),
  },
  response: {
    throttleTimeMs: int32('0+'),
    results: array('0+', { groupId: string('0+'), errorCode: int16('0+') }),
  },
});

export type DeleteGroupsRequest = RequestOf<typeof deleteGroupsApi>;
export type DeleteGroupsResponse = ResponseOf<typeof deleteGroupsApi>;
