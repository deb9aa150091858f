import * as api from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openTelemetry } from '../../src/client/tracing/open-telemetry.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { Recorder } from '../client/tracing/recorder.ts';
import { TestBroker, batch, fetchBody, produceBody } from './harness.ts';
import type { RawClient } from './raw-client.ts';

/** What a broker tells OpenTelemetry of the requests it serves. */

const recorder = new Recorder();
let untraced: TestBroker;
let server: TestBroker;
let client: RawClient;

beforeAll(async () => {
  // Before anybody has set anything up.
  untraced = await TestBroker.start();
  recorder.setUp();
  server = await TestBroker.start();
  client = await server.client();
});
afterAll(async () => {
  await server.close();
  await untraced.close();
});
afterEach(() => void (recorder.spans = []));

/** Those that were told. */
const told = () => recorder.spans.filter(({ ends }) => ends > 0);

const carrying = (traceparent: string) => ({
  value: new Uint8Array(1),
  headers: [{ key: 'traceparent', value: traceparent }],
});
const PARENT = { traceId: 'f'.repeat(32), spanId: 'e'.repeat(16) };

test('where a process has set nothing up there is none, and it costs a look at a field', async () => {
  expect(untraced.broker.gateway.spans).toBeUndefined();
  const other = await untraced.client();
  const topic = await untraced.topic(other);
  await other.send(produceApi, 9, produceBody(topic, batch(['x'])));
  expect(told()).toEqual([]);
});

test('a write is a span, what each partition does one within', async () => {
  const topic = await server.topic(client, { partitions: 2 });
  recorder.spans = [];
  await client.send(produceApi, 9, {
    acks: -1,
    timeoutMs: 5_000,
    topicData: [
      {
        name: topic.name,
        partitionData: [0, 1].map((index) => ({ index, records: batch(['a', 'b']) })),
      },
    ],
  });
  const [produce, ...appends] = told();
  expect(produce).toMatchObject({
    name: `produce ${topic.name}`,
    kind: api.SpanKind.SERVER,
    error: undefined,
    ends: 1,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic.name,
      'messaging.client.id': 'raw',
      'client.address': '127.0.0.1',
    },
  });
  expect(appends.map(({ name, parentSpanId, ends }) => [name, parentSpanId, ends])).toEqual(
    [0, 1].map((partition) => [`append ${topic.name}-${partition}`, produce?.spanId, 1]),
  );
  expect(appends[0]?.attributes['messaging.kafka.offset']).toBe(0);
});

describe('it goes on from what the first record carries', () => {
  test.each(['none', 'gzip', 'zstd'] as const)('packed with %s', async (compression) => {
    await using traced = await connect(`kafka://127.0.0.1:${server.broker.kafka.port}`, {
      tracing: openTelemetry(api),
    });
    await using producer = traced.producer({ compression });
    await producer.send(`traced-${compression}`, { value: 'x'.repeat(500) });
    const [send] = recorder.named(`send traced-${compression}`);
    const [produce] = recorder.named(`produce traced-${compression}`);
    expect(send?.spanId).toBeDefined();
    expect(produce).toMatchObject({ parentSpanId: send?.spanId, traceId: send?.traceId, ends: 1 });
    const [append] = recorder.named(`append traced-${compression}-0`);
    expect(append).toMatchObject({ parentSpanId: produce?.spanId, traceId: send?.traceId });
  });

  test('by topic id too, and without an answer', async () => {
    const topic = await server.topic(client);
    const bytes = batch([carrying(`00-${PARENT.traceId}-${PARENT.spanId}-01`)]);
    await client.send(produceApi, 13, produceBody(topic, bytes));
    client.post(produceApi, 9, produceBody(topic, bytes, { acks: 0 }));
    await client.send(metadataApi, 12, { topics: [] });
    expect(recorder.named(`produce ${topic.name}`)).toMatchObject([
      { parentSpanId: PARENT.spanId, traceId: PARENT.traceId, ends: 1 },
      { parentSpanId: PARENT.spanId, traceId: PARENT.traceId },
    ]);
  });

  test('damage says nothing, and what is refused is an error', async () => {
    const topic = await server.topic(client);
    const bytes = new Uint8Array(batch([carrying(`00-${PARENT.traceId}-${PARENT.spanId}-01`)]));
    bytes.fill(0xff, 62);
    await client.send(produceApi, 9, produceBody(topic, bytes));
    expect(recorder.named(`produce ${topic.name}`)).toMatchObject([
      { parentSpanId: undefined, error: 'CORRUPT_MESSAGE', ends: 1 },
    ]);
    expect(recorder.named(`append ${topic.name}-0`)).toMatchObject([{ error: 'CORRUPT_MESSAGE', ends: 1 }]);
  });
});

test('a fetch is told when it brings something, not each time it waited for nothing', async () => {
  const topic = await server.topic(client);
  recorder.spans = [];
  await client.send(fetchApi, 12, fetchBody([{ topic }]));
  expect(told()).toEqual([]);
  await client.send(produceApi, 9, produceBody(topic, batch(['a'])));
  recorder.spans = [];
  const { responses } = await client.send(fetchApi, 12, fetchBody([{ topic }]));
  const bytes = responses[0]?.partitions[0]?.records?.length;
  expect(told()).toMatchObject([
    { name: 'fetch', kind: api.SpanKind.SERVER, attributes: { 'messaging.message.body.size': bytes } },
  ]);
});
