import {
  api,
  array,
  int16,
  int32,
  int8,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Removes the access rules that match filters, and says which they were (KIP-140). v1 has patterns of names
 * (KIP-290), v2 is flexible, v3 knows users as resources (KIP-373). 4.0 removed v0; kafkajs still begins
 * there.
 */
export const deleteAclsApi = api({
  name: 'DeleteAcls',
  key: 31,
  versions: '0-3',
  flexible: '2+',
  request: {
    filters: array('0+', {
      resourceTypeFilter: int8('0+'),
      resourceNameFilter: nullableString('0+'),
      patternTypeFilter: int8('1+', { default: 3 }),
      principalFilter: nullableString('0+'),
      hostFilter: nullableString('0+'),
      operation: int8('0+'),
      permissionType: int8('0+'),
    }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    filterResults: array('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
      matchingAcls: array('0+', {
        errorCode: int16('0+'),
        errorMessage: nullableString('0+'),
        resourceType: int8('0+'),
        resourceName: string('0+'),
        patternType: int8('1+', { default: 3 }),
        principal: string('0+'),
        host: string('0+'),
        operation: int8('0+'),
        permissionType: int8('0+'),
      }),
    }),
  },
});

export type DeleteAclsRequest = RequestOf<typeof deleteAclsApi>;
export type DeleteAclsResponse = ResponseOf<typeof deleteAclsApi>;
