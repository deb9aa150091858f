import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { decodeMessage, encodeMessage } from '../../src/wire/codec.ts';
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../src/wire/frame.ts';
import { APIS } from '../../src/wire/registry.ts';
import * as f from '../../src/wire/schema.ts';
import { bodyArbitrary, versionNumbers, withDefaults } from './arbitraries.ts';

const RUNS = { numRuns: 25 };
const correlationIds = fc.integer();
const clientIds = fc.option(fc.string({ unit: 'binary', maxLength: 20 }));

describe.each(APIS.map((api) => [api.name, api] as const))('%s', (_name, api) => {
  test.each(versionNumbers(api))('request v%i comes back as it was', (version) => {
    fc.assert(
      fc.property(
        bodyArbitrary(api.request, version),
        correlationIds,
        clientIds,
        (body, correlationId, clientId) => {
          const bytes = encodeRequest(api, version, { correlationId, clientId }, body);
          const frame = unprefixed(bytes);
          const { bodyAt, ...header } = decodeRequestHeader(frame);
          expect(header).toEqual({ apiKey: api.key, apiVersion: version, correlationId, clientId });
          expect(decodeRequest(api, version, frame, bodyAt)).toEqual(withDefaults(api.request, body));
        },
      ),
      RUNS,
    );
  });

  test.each(versionNumbers(api))('response v%i comes back as it was', (version) => {
    fc.assert(
      fc.property(bodyArbitrary(api.response, version), correlationIds, (body, correlationId) => {
        const frame = unprefixed(Buffer.concat(encodeResponse(api, version, correlationId, body)));
        const decoded = decodeResponse(api, version, frame);
        expect(decoded).toEqual({ correlationId, body: withDefaults(api.response, body) });
      }),
      RUNS,
    );
  });
});

function unprefixed(bytes: Uint8Array): Uint8Array {
  expect(Buffer.from(bytes).readInt32BE(0)).toBe(bytes.length - 4);
  return bytes.subarray(4);
}

describe('a message of every kind of field', () => {
  const inner = {
    here: f.nullableString('0+'),
    gone: f.float64('0', { default: 1.5 }),
    mark: f.int16('2+', { default: -1, tag: 7 }),
  };
  const everything = f.message({
    name: 'Everything',
    versions: '0-3',
    flexible: '2+',
    fields: {
      bool: f.bool('0+'),
      int8: f.int8('0+'),
      int16: f.int16('0+'),
      uint16: f.uint16('0+'),
      int32: f.int32('0+'),
      uint32: f.uint32('0+'),
      int64: f.int64('0+'),
      int64Exact: f.int64Exact('1+', { default: 2n ** 63n - 1n }),
      float64: f.float64('0+'),
      uuid: f.uuid('0+'),
      bytes: f.bytes('0+'),
      nullableBytes: f.nullableBytes('0+', { nullable: '1+' }),
      records: f.records('0+'),
      array: f.array('0+', inner),
      nullableArray: f.nullableArray('0+', f.nullableString('0+')),
      arrays: f.array('0+', f.array('0+', f.int8('0+'))),
      struct: f.struct('0+', inner),
      nullableStruct: f.nullableStruct('0+', inner, { default: null }),
      taggedBytes: f.nullableBytes('2+', { default: null, tag: 200 }),
      taggedStruct: f.nullableStruct('2+', inner, { default: null, tag: 1 }),
      taggedArray: f.nullableArray('3+', inner, { default: null, tag: 20_000 }),
    },
  });

  test.each([0, 1, 2, 3])('v%i comes back as it was', (version) => {
    fc.assert(
      fc.property(bodyArbitrary(everything.fields, version), (value) => {
        const bytes = encodeMessage(everything, version, value as f.MessageInitOf<typeof everything>);
        expect(decodeMessage(everything, version, bytes)).toEqual(withDefaults(everything.fields, value));
      }),
      { numRuns: 200 },
    );
  });

  test('decoded values may be encoded again, and keep the order of the schema', () => {
    const body = { errorCode: 0, apiKeys: [{ apiKey: 1, minVersion: 2, maxVersion: 3 }], throttleTimeMs: 4 };
    const first = encodeResponse(apiVersionsApi, 3, 1, body);
    const decoded = decodeResponse(apiVersionsApi, 3, unprefixed(Buffer.concat(first))).body;
    expect(Object.keys(decoded)).toEqual(Object.keys(apiVersionsApi.response));
    expect(encodeResponse(apiVersionsApi, 3, 1, decoded)).toEqual(first);
  });
});
