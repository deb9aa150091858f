import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/hosts/node/virtual-clock.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { ZERO_UUID } from '../../src/model/ids.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { incrementalAlterConfigsApi } from '../../src/wire/apis/44-incremental-alter-configs.ts';
import { getTelemetrySubscriptionsApi } from '../../src/wire/apis/71-get-telemetry-subscriptions.ts';
import { pushTelemetryApi } from '../../src/wire/apis/72-push-telemetry.ts';
import { listConfigResourcesApi } from '../../src/wire/apis/74-list-config-resources.ts';
import { TestBroker } from './harness.ts';
import type { RawClient } from './raw-client.ts';
import { until } from './until.ts';

const MINUTE_MS = 60_000;

let clock: VirtualClock;
let server: TestBroker;
let client: RawClient;
let sink: Server;
let status = 200;
const received: { type: string | undefined; body: Buffer }[] = [];

beforeEach(async () => {
  received.length = 0;
  status = 200;
  sink = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ type: request.headers['content-type'], body: Buffer.concat(chunks) });
      response.writeHead(status).end();
    });
  });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const { port } = sink.address() as AddressInfo;
  clock = new VirtualClock(Date.UTC(2030, 0, 1));
  server = await TestBroker.start({ clock, telemetryEndpoint: `http://127.0.0.1:${port}/v1/metrics` });
  client = await server.client();
});
afterEach(async () => {
  await server.close();
  sink.closeAllConnections();
  sink.close();
});

async function subscribe(name: string, configs: Record<string, string>): Promise<void> {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, configOperation: 0, value }));
  const resources = [{ resourceType: 16, resourceName: name, configs: entries }];
  const { responses } = await client.send(incrementalAlterConfigsApi, 1, { resources, validateOnly: false });
  expect(responses).toMatchObject([{ errorCode: 0 }]);
}

const get = (clientInstanceId = ZERO_UUID, from = client) =>
  from.send(getTelemetrySubscriptionsApi, 0, { clientInstanceId });

type Subscription = Awaited<ReturnType<typeof get>>;

async function push(
  { clientInstanceId, subscriptionId }: Pick<Subscription, 'clientInstanceId' | 'subscriptionId'>,
  { metrics = METRICS, compressionType = 0, terminating = false } = {},
): Promise<number> {
  const body = { clientInstanceId, subscriptionId, terminating, compressionType, metrics };
  return (await client.send(pushTelemetryApi, 0, body)).errorCode;
}

/** A field of protobuf whose length is told. */
function field(number: number, ...parts: (Uint8Array | string)[]): Uint8Array {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
  return new Uint8Array(Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), body]));
}

const pair = (key: string, value: string) => field(1, field(1, key), field(2, field(1, value)));
const SCOPE_METRICS = field(2, field(2, field(1, 'org.apache.kafka.producer.record.send.total')));
/** MetricsData of one resource with one attribute, and one without any. */
const METRICS = new Uint8Array(
  Buffer.concat([field(1, field(1, pair('region', 'north')), SCOPE_METRICS), field(1, SCOPE_METRICS)]),
);

/** Fields of a message, as a reader of protobuf sees them: of those that occur more than once all. */
function fieldsOf(bytes: Uint8Array): [number, Uint8Array][] {
  const found: [number, Uint8Array][] = [];
  for (let at = 0; at < bytes.length;) {
    const number = (bytes[at++] ?? 0) >> 3;
    let length = bytes[at++] ?? 0;
    for (let shift = 7; length >= 1 << shift; shift += 7)
      length = (length & ((1 << shift) - 1)) | ((bytes[at++] ?? 0) << shift);
    found.push([number, bytes.subarray(at, at + length)]);
    at += length;
  }
  return found;
}

/** Attributes of each resource, merged as protobuf merges, and whether its metrics are as they were. */
function resourcesOf(body: Uint8Array) {
  return fieldsOf(body).map(([, resourceMetrics]) => {
    const fields = fieldsOf(resourceMetrics);
    const attributes = fields
      .filter(([number]) => number === 1)
      .flatMap(([, resource]) => fieldsOf(resource))
      .map(([, attribute]) => {
        const [key, value] = fieldsOf(attribute).map(([, part]) => part);
        const [[, text] = []] = fieldsOf(value ?? new Uint8Array(0));
        return [String(Buffer.from(key ?? [])), String(Buffer.from(text ?? []))];
      });
    const [, metrics = new Uint8Array(0)] = fields.find(([number]) => number === 2) ?? [];
    return { attributes: Object.fromEntries(attributes) as Record<string, string>, metrics };
  });
}

test('without a receiver nothing is told of it, and nothing taken', async () => {
  const without = await TestBroker.start();
  const asks = await without.client();
  const { apiKeys } = await asks.send(apiVersionsApi, 3, {
    clientSoftwareName: 'x',
    clientSoftwareVersion: '1',
  });
  expect(apiKeys.filter(({ apiKey }) => apiKey === 71 || apiKey === 72)).toEqual([]);
  expect((await get(ZERO_UUID, asks)).errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION);
  await without.close();
});

describe('what a client is to push', () => {
  test('nothing, where nobody asks for anything', async () => {
    expect(await get()).toMatchObject({
      errorCode: 0,
      pushIntervalMs: 300_000,
      requestedMetrics: [],
      acceptedCompressionTypes: [4, 3, 1, 2],
      telemetryMaxBytes: 1_048_576,
      deltaTemporality: true,
    });
  });

  test('all that is asked of clients like it, as often as it is wanted at most', async () => {
    await subscribe('a', {
      metrics: 'org.apache.kafka.producer.',
      'interval.ms': '60000',
      match: 'client_id=ra.*',
    });
    await subscribe('b', {
      metrics: 'org.apache.kafka.consumer.,org.apache.kafka.producer.',
      'interval.ms': '30000',
    });
    await subscribe('c', { metrics: '*', match: 'client_id=ra.*,client_software_name=java' });
    await subscribe('d', { metrics: '*', match: 'client_id=ra' });
    const first = await get();
    expect(first).toMatchObject({
      pushIntervalMs: 30_000,
      requestedMetrics: ['org.apache.kafka.consumer.', 'org.apache.kafka.producer.'],
    });
    expect(first.clientInstanceId).not.toBe(ZERO_UUID);
    const java = await server.client();
    await java.send(apiVersionsApi, 3, { clientSoftwareName: 'java', clientSoftwareVersion: '4.3' });
    expect((await get(ZERO_UUID, java)).requestedMetrics).toEqual(['*']);
  });

  test('an instance has an id of its own, and the same subscription while nothing changes', async () => {
    const first = await get();
    expect((await get()).clientInstanceId).not.toBe(first.clientInstanceId);
    await clock.advance(300_000);
    expect(await get(first.clientInstanceId)).toEqual(first);
    await subscribe('more', { metrics: '*' });
    await clock.advance(300_000);
    const changed = await get(first.clientInstanceId);
    expect(changed.clientInstanceId).toBe(first.clientInstanceId);
    expect(changed.subscriptionId).not.toBe(first.subscriptionId);
  });

  test('whoever asks again too early has to wait', async () => {
    const { clientInstanceId } = await get();
    expect((await get(clientInstanceId)).errorCode).toBe(ErrorCode.THROTTLING_QUOTA_EXCEEDED);
    await clock.advance(300_000);
    expect((await get(clientInstanceId)).errorCode).toBe(0);
  });

  test('subscriptions are listed', async () => {
    await subscribe('listed', { metrics: '*' });
    const { configResources } = await client.send(listConfigResourcesApi, 1, { resourceTypes: [16] });
    expect(configResources).toEqual([{ resourceName: 'listed', resourceType: 16 }]);
  });
});

describe('a push', () => {
  beforeEach(() => subscribe('all', { metrics: '*', 'interval.ms': String(MINUTE_MS) }));

  test('goes on as it came, and says whose it is', async () => {
    const subscription = await get();
    expect(await push(subscription)).toBe(0);
    await until('it has arrived', () => received.length === 1);
    expect(received[0]?.type).toBe('application/x-protobuf');
    const [first, second] = resourcesOf(received[0]?.body ?? Buffer.alloc(0));
    const about = {
      client_instance_id: subscription.clientInstanceId,
      client_id: 'raw',
      client_software_name: '',
      client_software_version: '',
      client_source_address: '127.0.0.1',
      principal: 'User:ANONYMOUS',
    };
    expect(first?.attributes).toEqual({ region: 'north', ...about });
    expect(second?.attributes).toEqual(about);
    expect(Buffer.from(first?.metrics ?? []).equals(fieldsOf(SCOPE_METRICS)[0]?.[1] ?? Buffer.alloc(1))).toBe(
      true,
    );
  });

  test.each([
    ['gzip', 1, (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))],
    ['zstd', 4, (bytes: Uint8Array) => new Uint8Array(zstdCompressSync(bytes))],
  ])('may be packed: %s', async (_, compressionType, pack) => {
    expect(await push(await get(), { metrics: pack(METRICS), compressionType })).toBe(0);
    await until('it has arrived', () => received.length === 1);
    expect(resourcesOf(received[0]?.body ?? Buffer.alloc(0))[0]?.attributes['region']).toBe('north');
  });

  test('comes once an interval; the first at any time, the last too', async () => {
    const subscription = await get();
    expect(await push(subscription)).toBe(0);
    expect(await push(subscription)).toBe(ErrorCode.THROTTLING_QUOTA_EXCEEDED);
    await clock.advance(MINUTE_MS - 1);
    expect(await push(subscription)).toBe(ErrorCode.THROTTLING_QUOTA_EXCEEDED);
    await clock.advance(1);
    expect(await push(subscription)).toBe(0);
    expect(await push(subscription, { terminating: true })).toBe(0);
    await clock.advance(MINUTE_MS);
    expect(await push(subscription)).toBe(ErrorCode.INVALID_REQUEST);
  });

  test('by a subscription that has changed is refused, and the client may ask at once', async () => {
    const subscription = await get();
    await subscribe('all', { 'interval.ms': '30000' });
    expect(await push(subscription)).toBe(ErrorCode.UNKNOWN_SUBSCRIPTION_ID);
    const again = await get(subscription.clientInstanceId);
    expect(again).toMatchObject({ errorCode: 0, pushIntervalMs: 30_000 });
    expect(await push(again)).toBe(0);
  });

  test.each<[string, object, number]>([
    ['of nobody', {}, ErrorCode.INVALID_REQUEST],
    ['that is too large', { metrics: new Uint8Array(1_048_577) }, ErrorCode.TELEMETRY_TOO_LARGE],
    ['in a codec there is not', { compressionType: 9 }, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE],
    ['that is no gzip', { compressionType: 1 }, ErrorCode.INVALID_RECORD],
    ['that is no MetricsData', { metrics: new Uint8Array([0x12, 0x00]) }, ErrorCode.INVALID_RECORD],
    ['that breaks off', { metrics: METRICS.subarray(0, 20) }, ErrorCode.INVALID_RECORD],
    ['with a length without end', { metrics: new Uint8Array(20).fill(0xff) }, ErrorCode.INVALID_RECORD],
    [
      'that would unpack to more than there is room for',
      { metrics: new Uint8Array(gzipSync(new Uint8Array(17 * 1024 * 1024))), compressionType: 1 },
      ErrorCode.INVALID_RECORD,
    ],
  ])('%s is refused', async (what, changes, code) => {
    const subscription =
      what === 'of nobody' ? { clientInstanceId: ZERO_UUID, subscriptionId: 1 } : await get();
    expect(await push(subscription, changes)).toBe(code);
    expect(received).toEqual([]);
  });

  test('that the endpoint does not take is gone, and counted; the next goes on', async () => {
    status = 503;
    const subscription = await get();
    expect(await push(subscription)).toBe(0);
    await until('it was tried', () => received.length === 1);
    status = 200;
    await clock.advance(MINUTE_MS);
    expect(await push(subscription)).toBe(0);
    await until('it has arrived', () => received.length === 2);
    expect(server.broker.gateway.telemetry?.pushes).toEqual(new Map([[0, 2]]));
  });
});

test('ids that are made up take no more memory than there is for them', async () => {
  const { telemetry } = server.broker.gateway;
  for (let i = 0; i < 20_000; i++) telemetry?.subscription(`${String(i).padStart(20, '0')}AA`, new Map(), i);
  expect(telemetry?.clientCount).toBe(16_384);
});
