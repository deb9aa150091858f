import {
  api,
  array,
  bool,
  float64,
  int16,
  int32,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/** Sets and removes quotas (KIP-546). v1 is flexible. */
export const alterClientQuotasApi = api({
  name: 'AlterClientQuotas',
  key: 49,
  versions: '0-1',
  flexible: '1+',
  request: {
    entries: array('0+', {
      entity: array('0+', { entityType: string('0+'), entityName: nullableString('0+') }),
      ops: array('0+', { key: string('0+'), value: float64('0+'), remove: bool('0+') }),
    }),
    validateOnly: bool('0+'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    entries: array('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
      entity: array('0+', { entityType: string('0+'), entityName: nullableString('0+') }),
    }),
  },
});

export type AlterClientQuotasRequest = RequestOf<typeof alterClientQuotasApi>;
export type AlterClientQuotasResponse = ResponseOf<typeof alterClientQuotasApi>;
