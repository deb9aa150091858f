import {
  api,
  array,
  bool,
  int16,
  int32,
  int8,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Moves finalized feature levels up or down (KIP-584). v1 can ask what would happen (KIP-778), v2 answers
 * with one error for all.
 */
export const updateFeaturesApi = api({
  name: 'UpdateFeatures',
  key: 57,
  versions: '0-2',
  flexible: '0+',
  request: {
    timeoutMs: int32('0+', { default: 60_000 }),
    featureUpdates: array('0+', {
      feature: string('0+'),
      maxVersionLevel: int16('0+'),
      allowDowngrade: bool('0'),
      upgradeType: int8('1+', { default: 1 }),
    }),
    validateOnly: bool('1+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    results: array('0-1', {
      feature: string('0+'),
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
    }),
  },
});

export type UpdateFeaturesRequest = RequestOf<typeof updateFeaturesApi>;
export type UpdateFeaturesResponse = ResponseOf<typeof updateFeaturesApi>;
