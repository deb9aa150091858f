import * as api from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { serde } from '../../../src/client/topics/serde.ts';
import { topic } from '../../../src/client/topics/topic.ts';
import { openTelemetry } from '../../../src/client/tracing/open-telemetry.ts';
import { connect } from '../../../src/hosts/node/connect.ts';
import { startBroker, type TestBroker } from '../../../src/hosts/node/testing.ts';
import { tracingOfProcess } from '../../../src/hosts/node/tracing.ts';
import { Recorder } from './recorder.ts';

/** Spans and headers, by the real `@opentelemetry/api` and a real broker. */

const recorder = new Recorder();
let broker: TestBroker;
let client: Client;
const beforeSetUp = await tracingOfProcess();

beforeAll(async () => {
  recorder.setUp();
  broker = await startBroker();
  client = await connect(broker.url);
});
afterAll(async () => {
  await client.close();
  await broker.close();
});
beforeEach(() => {
  recorder.spans = [];
});

/** Runs until so many records were handled. */
async function consume(topic: string, count: number, handle: (value: string) => unknown = () => {}) {
  const consumer = client.consumer({ group: `group of ${topic}`, topics: [topic], from: 'earliest' });
  let handled = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = consumer.run(async (record) => {
    await handle(new TextDecoder().decode(record.value ?? undefined));
    if (++handled === count) resolve();
  });
  await Promise.race([promise, running]);
  await consumer.close();
  await running;
}

test('where nobody has set it up there is none', () => {
  expect(beforeSetUp).toBeUndefined();
});

describe('tracing gaps: what is sent', () => {
  test('has a span within what is being done, whose context goes with the record', async () => {
    const tracer = api.trace.getTracer('the user');
    const user = tracer.startSpan('checkout');
    const within = api.trace.setSpan(api.context.active(), user);
    const { offset } = await api.context.with(within, () =>
      client.send('one', { key: 'c17', value: 'v', headers: { own: 'kept', traceparent: 'old' } }),
    );
    const [sent] = recorder.named('send one');
    expect(sent).toMatchObject({
      kind: api.SpanKind.PRODUCER,
      parentSpanId: user.spanContext().spanId,
      traceId: user.spanContext().traceId,
      error: undefined,
      ends: 1,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'one',
        'messaging.destination.partition.id': '0',
        'messaging.kafka.offset': offset,
        'messaging.kafka.message.key': 'c17',
        'messaging.client.id': 'milena',
      },
    });
    for await (const { headers } of client.read('one', { from: 'earliest', live: false })) {
      const texts = headers.map(({ key, value }) => [key, new TextDecoder().decode(value ?? undefined)]);
      expect(texts).toEqual([
        ['own', 'kept'],
        ['traceparent', `00-${sent?.traceId}-${sent?.spanId}-01`],
      ]);
    }
  });

  test('a list has one, which all of its records carry', async () => {
    await client.send('list', [{ value: 'a' }, { value: null }, { value: 'c' }]);
    expect(recorder.spans).toHaveLength(1);
    expect(recorder.spans[0]).toMatchObject({
      name: 'send list',
      attributes: { 'messaging.batch.message_count': 3 },
      ends: 1,
    });
  });

  test('what is written has one each, which ends when it is acknowledged', async () => {
    await using producer = client.producer({ lingerMs: 60_000 });
    await producer.write('written', { value: 'a' });
    await producer.write('written', { value: null, key: new Uint8Array([65]) });
    expect(recorder.named('send written').map(({ ends }) => ends)).toEqual([0, 0]);
    await producer.flush();
    expect(recorder.named('send written')).toMatchObject([
      { ends: 1, attributes: { 'messaging.kafka.offset': 0 } },
      {
        ends: 1,
        attributes: {
          'messaging.kafka.offset': 1,
          'messaging.kafka.message.tombstone': true,
          'messaging.kafka.message.key': 'A',
        },
      },
    ]);
  });

  test.each(['send', 'write'] as const)('what fails says so, once (%s)', async (how) => {
    await using producer = client.producer();
    const record = { value: new Uint8Array(2_000_000) };
    await expect(producer[how]('large', record)).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
    expect(recorder.spans).toMatchObject([
      { ends: 1, error: expect.stringContaining('2000'), attributes: { 'error.type': 'RECORD_TOO_LARGE' } },
    ]);
  });

  test('what waits for room and is aborted ends too', async () => {
    await using producer = client.producer({ maxBufferedBytes: 10, lingerMs: 60_000 });
    await producer.write('full', { value: 'x'.repeat(100) });
    const late = producer.write(
      'full',
      { value: 'never' },
      { signal: AbortSignal.abort(new Error('enough')) },
    );
    await expect(late).rejects.toThrow('enough');
    const [, aborted] = recorder.named('send full');
    expect(aborted).toMatchObject({ ends: 1, error: 'enough' });
  });
});

describe('tracing gaps: what is consumed', () => {
  test('is worked on in a span that goes on from the sender, and all done there belongs to it', async () => {
    await client.send('orders', { value: 'a' });
    await consume('orders', 1, () => client.send('invoices', { value: 'b' }));
    const [sent] = recorder.named('send orders');
    const [processed] = recorder.named('process orders');
    expect(processed).toMatchObject({
      kind: api.SpanKind.CONSUMER,
      traceId: sent?.traceId,
      parentSpanId: sent?.spanId,
      ends: 1,
      attributes: {
        'messaging.operation.type': 'process',
        'messaging.consumer.group.name': 'group of orders',
        'messaging.destination.partition.id': '0',
        'messaging.kafka.offset': 0,
      },
    });
    expect(recorder.named('send invoices')[0]).toMatchObject({ parentSpanId: processed?.spanId });
  });

  describe('by a loop, in a span', () => {
    const beginning = async (topic: string) => {
      await client.send(topic, [{ key: 'c17', value: 'a' }, { value: 'b' }]);
      const consumer = client.consumer({ group: topic, topics: [topic] });
      await consumer.next();
      const ends = () => recorder.named(`process ${topic}`).map((span) => span.ends);
      expect(ends()).toEqual([0]);
      return { consumer, ends };
    };

    test('that goes on from the sender, and ends when the next record is asked for', async () => {
      const { consumer, ends } = await beginning('looped');
      const [sent] = recorder.named('send looped');
      const [processed] = recorder.named('process looped');
      expect(processed).toMatchObject({
        kind: api.SpanKind.CONSUMER,
        traceId: sent?.traceId,
        parentSpanId: sent?.spanId,
        attributes: {
          'messaging.operation.type': 'process',
          'messaging.consumer.group.name': 'looped',
          'messaging.kafka.offset': 0,
          'messaging.kafka.message.key': 'c17',
        },
      });
      await consumer.next();
      expect(ends()).toEqual([1, 0]);
      const waiting = consumer.next();
      expect(ends()).toEqual([1, 1]);
      await consumer.close();
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(ends()).toEqual([1, 1]);
    });

    test('that ends when the record is acked', async () => {
      await client.send('acked', { value: 'a' });
      await using consumer = client.consumer({ group: 'acked', topics: ['acked'] });
      for await (const record of consumer) {
        record.ack();
        expect(recorder.named('process acked')).toMatchObject([{ ends: 1 }]);
        break;
      }
      expect(recorder.named('process acked')).toMatchObject([{ ends: 1 }]);
    });

    test('that ends when the loop is left', async () => {
      const { consumer, ends } = await beginning('left');
      await consumer.return();
      expect(ends()).toEqual([1]);
    });

    test('only for records that are what their topic says', async () => {
      await client.send('numbers', [{ value: 'none' }, { value: '7' }]);
      const numbers = topic('numbers', { value: serde.json<number>() });
      const options = { group: 'numbers', topics: [numbers], onInvalid: 'skip' } as const;
      await using consumer = client.consumer(options);
      expect((await consumer.next()).value?.value).toBe(7);
      expect(recorder.named('process numbers')).toMatchObject([
        { attributes: { 'messaging.kafka.offset': 1 } },
      ]);
    });
  });

  test('records that came together have a span with a link to each of their senders', async () => {
    await client.send('linked', { value: 'a' });
    await client.send('linked', { value: 'b' });
    const plain = await connect(broker.url, { tracing: false });
    await plain.send('linked', { value: 'c' });
    await plain.close();
    await consume('linked', 3);
    const senders = recorder.named('send linked').map(({ spanId }) => spanId);
    const polls = recorder.named('poll linked');
    expect(polls.flatMap(({ links }) => links)).toEqual(senders);
    expect(senders).toHaveLength(2);
    const counts = polls.map(({ attributes }) => attributes['messaging.batch.message_count'] as number);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(polls.every(({ ends, kind }) => ends === 1 && kind === api.SpanKind.CLIENT)).toBe(true);
  });

  test('a handler that fails is an error of its span', async () => {
    await client.send('failing', { value: 'a' });
    const consumer = client.consumer({ group: 'failing', topics: ['failing'], from: 'earliest' });
    const failing = consumer.run(() => Promise.reject(new TypeError('no such customer')));
    await expect(failing).rejects.toThrow('no such customer');
    expect(recorder.named('process failing')).toMatchObject([
      { ends: 1, error: 'no such customer', attributes: { 'error.type': 'TypeError' } },
    ]);
  });
});

describe('who traces', () => {
  test('nobody, when told so: no span, no header', async () => {
    await using plain = await connect(broker.url, { tracing: false });
    await plain.send('plain', { value: 'a' });
    for await (const { headers } of plain.read('plain', { from: 'earliest', live: false }))
      expect(headers).toEqual([]);
    expect(recorder.spans).toEqual([]);
  });

  test('whoever is given it, in any home', async () => {
    await using given = await broker.connect({ tracing: openTelemetry(api), clientId: 'mine' });
    await given.send('given', { value: 'a' });
    expect(recorder.spans).toMatchObject([{ attributes: { 'messaging.client.id': 'mine' } }]);
  });
});
