import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HANDLERS } from '../../src/gateway/handlers/index.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { CASES } from './advertised.ts';
import type { Given } from './advertised-case.ts';
import { type RawClient, TestBroker, batch, produce } from './harness.ts';

let server: TestBroker;
let client: RawClient;
let topic: { name: string; id: string };
let names = 0;

beforeAll(async () => {
  server = await TestBroker.start({ telemetryEndpoint: 'http://127.0.0.1:1/nowhere' });
  client = await server.client();
  topic = await server.topic(client);
  await produce(client, topic, batch(['hello']));
  await client.send(findCoordinatorApi, 0, { key: 'first' });
  await client.send(findCoordinatorApi, 1, { key: 'first', keyType: 1 });
});
afterAll(() => server.close());

const ADVERTISED = HANDLERS.map(({ api, min, max, advertisedMin = min }) => ({
  api,
  advertisedMin,
  min,
  max,
}));
const SERVED = ADVERTISED.flatMap(({ api, min, max }) =>
  Array.from({ length: max - min + 1 }, (_, at) => ({ key: api.key, name: api.name, version: min + at })),
);

describe('every version that is advertised is served', () => {
  test('ApiVersions tells the range of each API, by key', async () => {
    const { apiKeys } = await client.send(apiVersionsApi, 4, {
      clientSoftwareName: 'raw',
      clientSoftwareVersion: '1',
    });
    expect(apiKeys).toEqual(
      ADVERTISED.map(({ api, advertisedMin, max }) => ({
        apiKey: api.key,
        minVersion: advertisedMin,
        maxVersion: max,
      })),
    );
  });

  test('there is a request for each API', () => {
    expect(CASES.map(({ api }) => api.name)).toEqual(HANDLERS.map(({ api }) => api.name));
  });

  test.each(SERVED)('$name v$version', async ({ key, version }) => {
    const one = CASES.find(({ api }) => api.key === key);
    expect.assert(one !== undefined);
    const given: Given = { topic, unique: `unique-${++names}`, version };
    const response = await client.send(one.api, version, one.request(given) as never);
    expect(one.found(response as never, given)).toEqual(one.expected(given));
  });

  test.each([0, 1, 2])(
    'Produce v%i is advertised for old clients that look for it, but not served',
    async (version) => {
      const old = await server.client();
      const unsupported = server.closedFor('unsupported');
      old.post(produceApi, version, { acks: 1, timeoutMs: 1_000, topicData: [] });
      await old.closed;
      expect(server.closedFor('unsupported')).toBe(unsupported + 1);
    },
  );
});

describe('what is not served', () => {
  /** API key, version, correlation id, null client id, and `more` zeros. */
  const header = (apiKey: number, apiVersion: number, more = 0) => {
    const frame = Buffer.alloc(14 + more);
    frame.writeInt32BE(10 + more, 0);
    frame.writeInt16BE(apiKey, 4);
    frame.writeInt16BE(apiVersion, 6);
    frame.writeInt32BE(77, 8);
    frame.writeInt16BE(-1, 12);
    return frame;
  };

  test('ApiVersions in an unknown version is answered in v0, with its own range only', async () => {
    const asking = await server.client();
    const answer = new Promise<Buffer>((resolve) =>
      asking.socket.removeAllListeners('data').once('data', resolve),
    );
    asking.write(header(apiVersionsApi.key, 99));
    const expected = Buffer.alloc(4 + 4 + 2 + 4 + 6);
    expected.writeInt32BE(16, 0);
    expected.writeInt32BE(77, 4);
    expected.writeInt16BE(ErrorCode.UNSUPPORTED_VERSION, 8);
    expected.writeInt32BE(1, 10);
    expected.writeInt16BE(apiVersionsApi.key, 14);
    expected.writeInt16BE(0, 16);
    expected.writeInt16BE(4, 18);
    expect(await answer).toEqual(expected);
    // The connection goes on: that is what the answer is for.
    asking.write(header(apiVersionsApi.key, 0));
    const next = await new Promise<Buffer>((resolve) => asking.socket.once('data', resolve));
    expect(next.readInt16BE(8)).toBe(ErrorCode.NONE);
  });

  test.each([
    ['an API nobody has', 9999, 0],
    ['a negative API', -1, 0],
    ['an API of brokers only', 58, 0],
    ['a version below those served', 1, 3],
    ['a version above those served', 3, 14],
    ['a negative version', 3, -1],
  ])('%s: the connection is closed and counted', async (_, apiKey, apiVersion) => {
    const asking = await server.client();
    const before = server.closedFor('unsupported');
    asking.write(header(apiKey, apiVersion, 1));
    await asking.closed;
    expect(server.closedFor('unsupported')).toBe(before + 1);
  });

  test.each([
    ['', '1'],
    ['raw', ''],
    ['-raw', '1'],
    ['raw!', '1'],
  ])('ApiVersions of a client that calls itself %j %j', async (clientSoftwareName, clientSoftwareVersion) => {
    const response = await client.send(apiVersionsApi, 3, { clientSoftwareName, clientSoftwareVersion });
    expect(response.errorCode).toBe(ErrorCode.INVALID_REQUEST);
  });
});
