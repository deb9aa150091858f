import { describe, expect, test } from 'vitest';
import { decodeRequest, decodeRequestHeader, encodeRequest, encodeResponse } from '../../src/wire/frame.ts';
import {
  KAFKAJS_INVENTS,
  kafkajsCases,
  kafkajsLeaves,
  kafkajsRequest,
  kafkajsVersions,
} from './oracle-kafkajs.ts';
import { kafkajsMoreCases } from './oracle-kafkajs-more.ts';
import { apiNamed, comparable, distinctBody, leavesOf, leavesUnder, recordsIn } from './oracle.ts';

const HEADER = { correlationId: 77, clientId: 'orácle' };

const cases = [...kafkajsCases, ...kafkajsMoreCases];

describe.each(cases.map((oracle) => [oracle.api, oracle] as const))('%s', (name, oracle) => {
  const api = apiNamed(name);

  test.each(kafkajsVersions(oracle))('request v%i has the bytes of kafkajs', async (version) => {
    const theirs = await kafkajsRequest(oracle, version, HEADER);
    const { bodyAt, ...header } = decodeRequestHeader(theirs.subarray(4));
    expect(header).toEqual({ apiKey: api.key, apiVersion: version, ...HEADER });
    const decoded = decodeRequest(api, version, theirs.subarray(4), bodyAt);
    const ours = encodeRequest(api, version, HEADER, oracle.body(version, recordsIn(decoded)));
    expect(Buffer.from(ours).toString('hex')).toBe(theirs.toString('hex'));
    expect(encodeRequest(api, version, HEADER, decoded)).toEqual(ours);
  });

  test.each(kafkajsVersions(oracle))('response v%i reads in kafkajs as it was meant', async (version) => {
    const body = distinctBody(api.response, version);
    const frame = Buffer.concat(encodeResponse(api, version, 1, body));
    const theirs = await kafkajsLeaves(oracle, version, frame.subarray(8));
    const ignored = [...KAFKAJS_INVENTS, ...leavesUnder(oracle.unread?.(version), body)];
    expect(comparable(theirs, ignored)).toEqual(comparable(leavesOf(body), ignored));
  });
});
