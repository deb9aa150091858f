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
 * Access rules that match a filter (KIP-140). v1 has patterns of names (KIP-290), v2 is flexible, v3 knows
 * users as resources (KIP-373). 4.0 removed v0; kafkajs still begins there.
 */
export const describeAclsApi = api({
  name: 'DescribeAcls',
  key: 29,
  versions: '0-3',
  flexible: '2+',
  request: {
    resourceTypeFilter: int8('0+'),
    resourceNameFilter: nullableString('0+'),
    patternTypeFilter: int8('1+', { default: 3 }),
    principalFilter: nullableString('0+'),
    hostFilter: nullableString('0+'),
    operation: int8('0+'),
    permissionType: int8('0+'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    resources: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      patternType: int8('1+', { default: 3 }),
      acls: array('0+', {
        principal: string('0+'),
        host: string('0+'),
        operation: int8('0+'),
        permissionType: int8('0+'),
      }),
    }),
  },
});

export type DescribeAclsRequest = RequestOf<typeof describeAclsApi>;
export type DescribeAclsResponse = ResponseOf<typeof describeAclsApi>;
