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
 * Adds access rules (KIP-140). v1 has patterns of names (KIP-290), v2 is flexible, v3 knows users as
 * resources (KIP-373). 4.0 removed v0; kafkajs still begins there.
 */
export const createAclsApi = api({
  name: 'CreateAcls',
  key: 30,
  versions: '0-3',
  flexible: '2+',
  request: {
    creations: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      resourcePatternType: int8('1+', { default: 3 }),
      principal: string('0+'),
      host: string('0+'),
      operation: int8('0+'),
      permissionType: int8('0+'),
    }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    results: array('0+', { errorCode: int16('0+'), errorMessage: nullableString('0+') }),
  },
});

export type CreateAclsRequest = RequestOf<typeof createAclsApi>;
export type CreateAclsResponse = ResponseOf<typeof createAclsApi>;
