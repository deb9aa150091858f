import { describe, expect, test } from 'vitest';
import { decodeRequest, decodeRequestHeader, encodeRequest, encodeResponse } from '../../src/wire/frame.ts';
import { inRange } from '../../src/wire/schema.ts';
import {
  PLATFORMATIC_INVENTS,
  platformaticCases,
  platformaticRequest,
  platformaticLeaves,
  platformaticVersions,
} from './oracle-platformatic.ts';
import { platformaticMoreCases } from './oracle-platformatic-more.ts';
import { apiNamed, comparable, distinctBody, leavesOf, leavesUnder, recordsIn } from './oracle.ts';

const HEADER = { correlationId: 77, clientId: 'orácle' };

const cases = [...platformaticCases, ...platformaticMoreCases];

describe.each(cases.map((oracle) => [oracle.api, oracle] as const))('%s', (name, oracle) => {
  const api = apiNamed(name);
  const versions = platformaticVersions(oracle).filter((version) => inRange(api.versions, version));

  test.each(versions)('request v%i has the bytes of platformatic', (version) => {
    const theirs = platformaticRequest(oracle, api.key, version, HEADER);
    const { bodyAt, ...header } = decodeRequestHeader(theirs.subarray(4));
    expect(header).toEqual({ apiKey: api.key, apiVersion: version, ...HEADER });
    const decoded = decodeRequest(api, version, theirs.subarray(4), bodyAt);
    const ours = encodeRequest(api, version, HEADER, oracle.body(version, recordsIn(decoded)));
    expect(Buffer.from(ours).toString('hex')).toBe(theirs.toString('hex'));
    expect(encodeRequest(api, version, HEADER, decoded)).toEqual(ours);
  });

  test.each(versions)('response v%i reads in platformatic as it was meant', (version) => {
    // It stops reading ApiVersions at an error code, as it has to.
    const body = { ...distinctBody(api.response, version), ...(name === 'ApiVersions' && { errorCode: 0 }) };
    const frame = Buffer.concat(encodeResponse(api, version, 1, body)).subarray(4);
    const theirs = platformaticLeaves(oracle, api.key, version, frame);
    const ignored = [...PLATFORMATIC_INVENTS, ...leavesUnder(oracle.unread?.(version), body)];
    expect(comparable(theirs, ignored)).toEqual(comparable(leavesOf(body), ignored));
  });
});
