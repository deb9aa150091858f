import { api, array, int16, int32, int8, string, type RequestOf, type ResponseOf } from '../schema.ts';

/**
 * Names of what has settings of its own. v0 knew client metrics alone (KIP-1000), v1 all kinds of resources
 * (KIP-1142).
 */
export const listConfigResourcesApi = api({
  name: 'ListConfigResources',
  key: 74,
  versions: '0-1',
  flexible: '0+',
  request: { resourceTypes: array('1+', int8('0+')) },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    configResources: array('0+', { resourceName: string('0+'), resourceType: int8('1+', { default: 16 }) }),
  },
});

export type ListConfigResourcesRequest = RequestOf<typeof listConfigResourcesApi>;
export type ListConfigResourcesResponse = ResponseOf<typeof listConfigResourcesApi>;
