import {
  api,
  array,
  bool,
  float64,
  int16,
  int32,
  int8,
  nullableArray,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/** Quotas that match a filter of entities: users, client ids, addresses (KIP-546). v1 is flexible. */
export const describeClientQuotasApi = api({
  name: 'DescribeClientQuotas',
  key: 48,
  versions: '0-1',
  flexible: '1+',
  request: {
    components: array('0+', { entityType: string('0+'), matchType: int8('0+'), match: nullableString('0+') }),
    strict: bool('0+'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    entries: nullableArray('0+', {
      entity: array('0+', { entityType: string('0+'), entityName: nullableString('0+') }),
      values: array('0+', { key: string('0+'), value: float64('0+') }),
    }),
  },
});

export type DescribeClientQuotasRequest = RequestOf<typeof describeClientQuotasApi>;
export type DescribeClientQuotasResponse = ResponseOf<typeof describeClientQuotasApi>;
