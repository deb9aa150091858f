import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../src/wire/frame.ts';
import { type GoldenFrame, parseGolden } from '../record/golden.ts';
import { apiNamed } from './oracle.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
/** All of them together, with room for a client or two. */
const GOLDEN_MAX_BYTES = 300 * 1024;

const files = readdirSync(GOLDEN).map((name) => [name, readFileSync(join(GOLDEN, name), 'utf8')] as const);

/** What our schema makes of a frame once it has read it. */
function encodedAgain({ api: name, version, part, bytes }: GoldenFrame): Buffer {
  const api = apiNamed(name);
  if (part === 'response') {
    const { correlationId, body } = decodeResponse(api, version, bytes);
    return Buffer.concat(encodeResponse(api, version, correlationId, body));
  }
  const { bodyAt, apiKey, apiVersion, ...header } = decodeRequestHeader(bytes);
  expect([apiKey, apiVersion]).toEqual([api.key, version]);
  return Buffer.from(encodeRequest(api, version, header, decodeRequest(api, version, bytes, bodyAt)));
}

describe.each(files)('%s: what a real client and the broker said (npm run record)', (_name, text) => {
  const frames = parseGolden(text);

  test.each([...new Set(frames.map(({ api, version }) => `${api} v${version}`))])('%s', (kind) => {
    for (const frame of frames.filter(({ api, version }) => `${api} v${version}` === kind))
      expect(encodedAgain(frame).toString('hex', 4)).toBe(frame.bytes.toString('hex'));
  });
});

test('the recordings show each client at work, and are small', () => {
  const apis = Object.fromEntries(
    files.map(([name, text]) => [name, new Set(parseGolden(text).map(({ api }) => api))]),
  );
  expect(Object.keys(apis)).toEqual(['java.txt', 'kafkajs.txt', 'librdkafka.txt', 'platformatic.txt']);
  const everyClient = [
    'ApiVersions',
    'Fetch',
    'JoinGroup',
    'ListOffsets',
    'Metadata',
    'OffsetCommit',
    'Produce',
  ];
  for (const seen of Object.values(apis)) expect([...seen]).toEqual(expect.arrayContaining(everyClient));
  expect(new Set(Object.values(apis).flatMap((seen) => [...seen])).size).toBeGreaterThanOrEqual(20);
  expect(files.reduce((sum, [, text]) => sum + text.length, 0)).toBeLessThan(GOLDEN_MAX_BYTES);
});
