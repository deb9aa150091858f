import { describe, expect, test } from 'vitest';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { decodeMessage, encodeMessage } from '../../src/wire/codec.ts';
import { WireError } from '../../src/wire/error.ts';
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../src/wire/frame.ts';
import { APIS } from '../../src/wire/registry.ts';
import {
  array,
  int32,
  loadedApi,
  message,
  nullableString,
  string,
  type RequestInitOf,
} from '../../src/wire/schema.ts';

const hexOf = (...chunks: Uint8Array[]) => Buffer.concat(chunks).toString('hex');
const frameOf = (hex: string) => Buffer.from(hex, 'hex');

describe('headers', () => {
  const request = (version: number, clientId: string | null) =>
    hexOf(encodeRequest(apiVersionsApi, version, { correlationId: 5, clientId }, {}));

  test('v1 has a client id, or null', () => {
    expect(request(0, 'me')).toBe('0000000c' + '00120000' + '00000005' + '00026d65');
    expect(request(0, null)).toBe('0000000a' + '00120000' + '00000005' + 'ffff');
  });

  test('v2 has tagged fields too, but a plain client id', () => {
    expect(request(3, 'me')).toBe('00000010' + '00120003' + '00000005' + '00026d65' + '00' + '010100');
  });

  test('tagged fields of a header are skipped', () => {
    const header = decodeRequestHeader(
      frameOf('00120003' + '00000005' + 'ffff' + '02' + '0001aa' + '0702bbcc' + '010100'),
    );
    expect(header).toEqual({ apiKey: 18, apiVersion: 3, correlationId: 5, clientId: null, bodyAt: 18 });
  });

  test.each([
    ['an API nobody knows', '7fff0000'],
    ['a version nobody knows', '0012007f'],
    ['a negative version', '0012ffff'],
  ])('%s reads as v1', (_what, start) => {
    const header = decodeRequestHeader(frameOf(`${start}0000000500026d65ffffffff`));
    expect(header).toMatchObject({ correlationId: 5, clientId: 'me', bodyAt: 12 });
  });

  test('a response has tagged fields when flexible, except of ApiVersions', () => {
    const beat = { throttleTimeMs: 0, errorCode: 27 };
    expect(hexOf(...encodeResponse(heartbeatApi, 3, 9, beat))).toBe(
      '0000000a' + '00000009' + '00000000' + '001b',
    );
    expect(hexOf(...encodeResponse(heartbeatApi, 4, 9, beat))).toBe(
      '0000000c' + '0000000900' + '00000000' + '001b00',
    );
    const versions = { errorCode: 35, apiKeys: [] };
    expect(hexOf(...encodeResponse(apiVersionsApi, 3, 9, versions))).toBe(
      '0000000c' + '00000009' + '0023' + '01' + '00000000' + '00',
    );
  });
});

describe('large byte fields', () => {
  const records = new Uint8Array(2_000).fill(7);
  const partition = { errorCode: 0, highWatermark: 9, abortedTransactions: [] };
  const body = {
    responses: [
      {
        topic: 't',
        partitions: [
          { partitionIndex: 0, ...partition, records },
          { partitionIndex: 1, ...partition, records: new Uint8Array(100) },
          { partitionIndex: 2, ...partition, records },
        ],
      },
    ],
  };

  test.each([4, 11, 12])('leave by reference from a response, in place (Fetch v%i)', (version) => {
    const chunks = encodeResponse(fetchApi, version, 3, body);
    expect(chunks.filter((chunk) => chunk === records)).toHaveLength(2);
    const frame = Buffer.concat(chunks);
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    const { partitions } = decodeResponse(fetchApi, version, frame.subarray(4)).body.responses[0] ?? {};
    expect(partitions?.map((read) => read.records?.length)).toEqual([2_000, 100, 2_000]);
  });

  test('small answers share memory, and none touches another', () => {
    const answers = Array.from({ length: 2_000 }, (_, errorCode) =>
      encodeResponse(heartbeatApi, 3, errorCode, { errorCode, throttleTimeMs: errorCode }),
    );
    for (const [errorCode, chunks] of answers.entries()) {
      const frame = Buffer.concat(chunks).subarray(4);
      const { correlationId, body } = decodeResponse(heartbeatApi, 3, frame);
      expect([correlationId, body.errorCode, body.throttleTimeMs]).toEqual(Array(3).fill(errorCode));
    }
    expect(new Set(answers.flat().map(({ buffer }) => buffer)).size).toBeLessThan(10);
  });

  test('are views into the frame of a request', () => {
    const request = {
      acks: 1,
      timeoutMs: 1,
      topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
    };
    const frame = encodeRequest(produceApi, 9, { correlationId: 1, clientId: null }, request).subarray(4);
    const decoded = decodeRequest(produceApi, 9, frame, decodeRequestHeader(frame).bodyAt);
    const view = decoded.topicData[0]?.partitionData[0]?.records;
    expect(view?.buffer).toBe(frame.buffer);
    expect(view).toEqual(records);
  });
});

describe('tagged fields', () => {
  const tagged = message({
    name: 'Tagged',
    versions: '0',
    flexible: '0+',
    fields: {
      second: int32('0+', { tag: 2, default: -1 }),
      first: nullableString('0+', { tag: 1, default: null }),
      list: array('0+', { name: string('0+') }, { tag: 3 }),
    },
  });
  const read = (hex: string) => decodeMessage(tagged, 0, frameOf(hex));

  test('are written by tag, and not at all when they have their default', () => {
    expect(hexOf(encodeMessage(tagged, 0, { second: -1, first: null, list: [] }))).toBe('00');
    expect(hexOf(encodeMessage(tagged, 0, { second: 7, first: 'a' }))).toBe(
      '02' + '0102' + '0261' + '0204' + '00000007',
    );
    expect(hexOf(encodeMessage(tagged, 0, { list: [{ name: 'a' }] }))).toBe('01' + '0304' + '02' + '026100');
  });

  test('that are unknown are skipped', () => {
    expect(read('02' + '0003aabbcc' + '020400000007')).toEqual({ second: 7, first: null, list: [] });
  });

  test('must be as long as they say', () => {
    expect(() => read('01' + '0205' + '0000000700')).toThrow('tag 2 is not 5 bytes long');
    expect(() => read('01' + '0203' + '00000007')).toThrow('tag 2 is not 3 bytes long');
    expect(() => read('01' + '0904' + '00')).toThrow(WireError);
  });
});

describe('null', () => {
  test('is refused where a version has none', () => {
    expect(() => decodeRequest(metadataApi, 0, frameOf('ffffffff'), 0)).toThrow(WireError);
    expect(decodeRequest(metadataApi, 1, frameOf('ffffffff'), 0).topics).toBeNull();
    const header = { correlationId: 1, clientId: null };
    expect(() => encodeRequest(metadataApi, 0, header, { topics: null })).toThrow(WireError);
    expect(() => encodeRequest(metadataApi, 9, header, { topics: [{ name: null }] })).toThrow(WireError);
    const unnamed = encodeRequest(metadataApi, 10, header, { topics: [{ name: null }] }).subarray(4);
    expect(
      decodeRequest(metadataApi, 10, unnamed, decodeRequestHeader(unnamed).bodyAt).topics?.[0]?.name,
    ).toBeNull();
  });
});

describe('registry', () => {
  test('finds APIs by key, ascending and once each', () => {
    const keys = APIS.map((api) => api.key);
    expect(keys).toEqual([...new Set(keys)].sort((one, other) => one - other));
    expect(loadedApi(1)).toBe(fetchApi);
    expect(loadedApi(999)).toBeUndefined();
  });

  test('a version it has no schema of is refused', () => {
    expect(() => decodeRequest(produceApi, 14, new Uint8Array(0), 0)).toThrow('Produce has no version 14');
    expect(() => encodeResponse(produceApi, -1, 0, { responses: [] })).toThrow(WireError);
  });
});

test('types ask for what has no default, and for nothing else', () => {
  const least: RequestInitOf<typeof heartbeatApi> = { groupId: 'g', generationId: 1, memberId: 'm' };
  // @ts-expect-error memberId has no default and is in every version
  const less: RequestInitOf<typeof heartbeatApi> = { groupId: 'g', generationId: 1 };
  expect(Object.keys(least)).toHaveLength(3);
  expect(Object.keys(less)).toHaveLength(2);
});
