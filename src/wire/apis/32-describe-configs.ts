import {
  api,
  array,
  bool,
  int16,
  int32,
  int8,
  nullableArray,
  nullableString,
  string,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * Settings of topics, brokers and groups. v1 tells where a value comes from, with synonyms (KIP-226), v3
 * types and documentation (KIP-569), v4 is flexible.
 */
export const describeConfigsApi = api({
  name: 'DescribeConfigs',
  key: 32,
  versions: '0-4',
  flexible: '4+',
  request: {
    resources: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configurationKeys: nullableArray('0+', string('0+')),
    }),
    includeSynonyms: bool('1+', { default: false }),
    includeDocumentation: bool('3+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+'),
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configs: array('0+', {
        name: string('0+'),
        value: nullableString('0+'),
        readOnly: bool('0+'),
        isDefault: bool('0'),
        configSource: int8('1+', { default: -1 }),
        isSensitive: bool('0+'),
        synonyms: array('1+', {
          name: string('1+'),
          value: nullableString('1+'),
          source: int8('1+'),
        }),
        configType: int8('3+', { default: 0 }),
        documentation: nullableString('3+'),
      }),
    }),
  },
});

export type DescribeConfigsRequest = RequestOf<typeof describeConfigsApi>;
export type DescribeConfigsResponse = ResponseOf<typeof describeConfigsApi>;
