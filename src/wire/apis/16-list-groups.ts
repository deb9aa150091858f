import { api, array, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.ts';

/** Groups this broker coordinates. v3 is flexible, v4 filters by state (KIP-518), v5 by type (KIP-848). */
export const listGroupsApi = api({
  name: 'ListGroups',
  key: 16,
  versions: '0-5',
  flexible: '3+',
  request: {
    statesFilter: array('4+', string('0+')),
    typesFilter: array('5+', string('0+')),
  },
  response: {
    throttleTimeMs: int32('1+'),
    errorCode: int16('0+'),
    groups: array('0+', {
      groupId: string('0+'),
      protocolType: string('0+'),
      groupState: string('4+'),
      groupType: string('5+'),
    }),
  },
});

export type ListGroupsRequest = RequestOf<typeof listGroupsApi>;
export type ListGroupsResponse = ResponseOf<typeof listGroupsApi>;
