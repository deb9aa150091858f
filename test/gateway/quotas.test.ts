import { Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startBroker } from '../../src/hosts/node/testing.ts';
import { VirtualClock } from '../../src/hosts/node/virtual-clock.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../src/wire/apis/20-delete-topics.ts';
import { createPartitionsApi } from '../../src/wire/apis/37-create-partitions.ts';
import { incrementalAlterConfigsApi } from '../../src/wire/apis/44-incremental-alter-configs.ts';
import { alterClientQuotasApi } from '../../src/wire/apis/49-alter-client-quotas.ts';
import { TestBroker, batch, fetchBody, produceBody } from './harness.ts';
import type { RawClient } from './raw-client.ts';
import { until } from './until.ts';

/** Time in which whoever works for a request takes a tenth of a second a look. */
class BusyClock extends VirtualClock {
  #workedMs = 0;
  preciseMs(): number {
    return (this.#workedMs += 100);
  }
}

let clock: BusyClock;
let server: TestBroker;
let client: RawClient;
/** Nobody limits it, and it tells that the broker has had time to answer others. */
let witness: RawClient;
beforeEach(async () => {
  clock = new BusyClock(Date.UTC(2030, 0, 1));
  server = await TestBroker.start({ clock });
  client = await server.client();
  witness = await server.client();
  witness.clientId = 'witness';
});
afterEach(() => server.close());

async function setQuota(
  key: string,
  value: number | null,
  entity: Record<string, string | null> = { 'client-id': 'raw' },
): Promise<void> {
  const named = Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }));
  const ops = [{ key, value: value ?? 0, remove: value === null }];
  const { entries } = await witness.send(alterClientQuotasApi, 1, {
    entries: [{ entity: named, ops }],
    validateOnly: false,
  });
  expect(entries).toMatchObject([{ errorCode: 0 }]);
}

/** Whether it is answered before the broker's clock moves: another client has had answers meanwhile. */
async function isAnswered(answer: Promise<unknown>): Promise<boolean> {
  let done = false;
  answer.then(
    () => (done = true),
    () => (done = true),
  );
  for (let i = 0; i < 3; i++) await witness.send(metadataApi, 12, { topics: [] });
  return done;
}

describe('bytes written', () => {
  test('the answer comes at once, and says how long the connection is not read', async () => {
    const topic = await server.topic(client);
    await setQuota('producer_byte_rate', 1_000);
    const body = produceBody(topic, batch([new Uint8Array(20_000)]));
    const first = await client.send(produceApi, 9, body);
    expect(first.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 });
    // Some 20 KB as if in 10 s, where 10 KB may be: as long again.
    expect(first.throttleTimeMs).toBeGreaterThan(10_000);
    expect(first.throttleTimeMs).toBeLessThan(10_500);
    const second = client.send(produceApi, 9, produceBody(topic, batch(['more'])));
    expect(await isAnswered(second)).toBe(false);
    await clock.advance(first.throttleTimeMs - 1);
    expect(await isAnswered(second)).toBe(false);
    await clock.advance(1);
    expect((await second).responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 1 });
  });

  test('what waits is neither read nor lost, and ends with its client', async () => {
    const topic = await server.topic(client);
    await setQuota('producer_byte_rate', 1_000);
    await client.send(produceApi, 9, produceBody(topic, batch([new Uint8Array(20_000)])));
    const waiting = client.send(metadataApi, 12, { topics: [] });
    expect(await isAnswered(waiting)).toBe(false);
    client.destroy();
    await expect(waiting).rejects.toThrow('connection closed');
    // Nobody reads it, so nobody knows.
    await clock.advance(11_000);
    await until('it is gone', () => server.connections === 1);
  });

  test('without acks they count, too', async () => {
    const topic = await server.topic(client);
    await setQuota('producer_byte_rate', 1_000);
    client.post(produceApi, 9, produceBody(topic, batch([new Uint8Array(20_000)]), { acks: 0 }));
    const { throttled } = server.broker.gateway.quotas;
    await until('it is held up', () => throttled.has('producer_byte_rate'));
    const later = client.send(metadataApi, 12, { topics: [] });
    expect(await isAnswered(later)).toBe(false);
    await clock.advance(11_000);
    await later;
  });

  test('clients that share a quota share what is left of it; others have theirs', async () => {
    const topic = await server.topic(client);
    await setQuota('producer_byte_rate', 1_000);
    const second = await server.client();
    await client.send(produceApi, 9, produceBody(topic, batch([new Uint8Array(20_000)])));
    const { throttleTimeMs } = await second.send(produceApi, 9, produceBody(topic, batch(['x'])));
    expect(throttleTimeMs).toBeGreaterThan(10_000);
    await setQuota('producer_byte_rate', 1e9, { user: 'ANONYMOUS', 'client-id': 'raw' });
    const third = await server.client();
    expect((await third.send(produceApi, 9, produceBody(topic, batch(['x'])))).throttleTimeMs).toBe(0);
  });

  test('a quota that goes holds nobody up', async () => {
    const topic = await server.topic(client);
    await setQuota('producer_byte_rate', 1);
    await setQuota('producer_byte_rate', null);
    const answer = await client.send(produceApi, 9, produceBody(topic, batch([new Uint8Array(20_000)])));
    expect(answer.throttleTimeMs).toBe(0);
  });

  test('kafkajs is held up, and loses nothing', async () => {
    const topic = await server.topic(client);
    // 50 ms that kafkajs waits by itself, for a batch of 10 KB and more.
    await setQuota('producer_byte_rate', 1_020, { 'client-id': 'kafkajs' });
    const { host, port } = server.broker.kafka;
    const kafka = new Kafka({
      clientId: 'kafkajs',
      brokers: [`${host}:${port}`],
      logLevel: logLevel.NOTHING,
    });
    const producer = kafka.producer();
    onTestFinished(() => producer.disconnect());
    await producer.connect();
    const value = Buffer.alloc(10_240);
    await producer.send({ topic: topic.name, messages: [{ value }] });
    const { throttled } = server.broker.gateway.quotas;
    await until('it is held up', () => (throttled.get('producer_byte_rate')?.count ?? 0) === 1);
    const second = producer.send({ topic: topic.name, messages: [{ value: 'b' }] });
    expect(await isAnswered(second)).toBe(false);
    await clock.advance(30_000);
    expect(await second).toMatchObject([{ errorCode: 0, baseOffset: '1' }]);
  });
});

describe('bytes read', () => {
  test('records come with how long to wait; whoever asks from elsewhere gets none', async () => {
    const topic = await server.topic(client);
    for (let i = 0; i < 10; i++)
      await client.send(produceApi, 9, produceBody(topic, batch([new Uint8Array(5_000)])));
    await setQuota('consumer_byte_rate', 1_000);
    const reader = await server.client();
    const first = await reader.send(fetchApi, 12, fetchBody([{ topic }]));
    const bytes = first.responses[0]?.partitions[0]?.records?.length ?? 0;
    // No more than fits all windows, of 50 KB that are there.
    expect(bytes).toBeGreaterThan(5_000);
    expect(bytes).toBeLessThanOrEqual(11_000);
    expect(first.throttleTimeMs).toBeGreaterThan(0);
    const elsewhere = await (await server.client()).send(fetchApi, 12, fetchBody([{ topic }]));
    expect(elsewhere).toMatchObject({ errorCode: 0, sessionId: 0, responses: [] });
    expect(elsewhere.throttleTimeMs).toBe(first.throttleTimeMs);
  });

  test('a session goes on: nothing was told, so nothing is missed', async () => {
    const topic = await server.topic(client);
    await client.send(produceApi, 9, produceBody(topic, batch([new Uint8Array(5_000)])));
    const reader = await server.client();
    const opened = await reader.send(fetchApi, 12, {
      ...fetchBody([{ topic }]),
      sessionId: 0,
      sessionEpoch: 0,
    });
    expect(opened.sessionId).toBeGreaterThan(0);
    await client.send(produceApi, 9, produceBody(topic, batch([new Uint8Array(20_000)])));
    await setQuota('consumer_byte_rate', 1_000);
    const greedy = await server.client();
    expect(
      (await greedy.send(fetchApi, 12, fetchBody([{ topic, fetchOffset: 1 }]))).throttleTimeMs,
    ).toBeGreaterThan(0);
    const throttled = await reader.send(fetchApi, 12, {
      ...fetchBody([{ topic, fetchOffset: 1 }]),
      sessionId: opened.sessionId,
      sessionEpoch: 1,
    });
    expect(throttled).toMatchObject({ errorCode: 0, sessionId: opened.sessionId, responses: [] });
    let answer = throttled;
    for (let sessionEpoch = 2; answer.responses.length === 0; sessionEpoch++) {
      const later = reader.send(fetchApi, 12, {
        ...fetchBody([]),
        sessionId: opened.sessionId,
        sessionEpoch,
      });
      await clock.advance(answer.throttleTimeMs);
      answer = await later;
      expect(answer.errorCode).toBe(0);
    }
    expect(answer.responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(20_000);
  });
});

test('time that requests take is counted, and waited for a window at most', async () => {
  await setQuota('request_percentage', 0.5);
  const answer = await client.send(metadataApi, 12, { topics: [] });
  expect(answer.throttleTimeMs).toBe(1_000);
  const second = client.send(metadataApi, 12, { topics: [] });
  expect(await isAnswered(second)).toBe(false);
  await clock.advance(1_000);
  await second;
});

describe('changes of metadata', () => {
  const newTopic = (name: string, numPartitions: number) => ({
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  });

  test('what is too much is refused, item by item, in versions that know the error', async () => {
    await setQuota('controller_mutation_rate', 1);
    const topics = [newTopic('a', 8), newTopic('b', 8), newTopic('c', 8)];
    const first = await client.send(createTopicsApi, 6, { topics });
    const codes = first.topics.map(({ name, errorCode }) => [name, errorCode]);
    expect(codes).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', ErrorCode.THROTTLING_QUOTA_EXCEEDED],
    ]);
    expect(first.throttleTimeMs).toBe(5_000);
    const again = client.send(createTopicsApi, 6, { topics: [newTopic('c', 8)] });
    expect(await isAnswered(again)).toBe(false);
    await clock.advance(5_000);
    expect((await again).topics[0]?.errorCode).toBe(0);
  });

  test('older versions do it, and wait', async () => {
    await setQuota('controller_mutation_rate', 1);
    const { topics, throttleTimeMs } = await client.send(createTopicsApi, 5, {
      topics: [newTopic('a', 20), newTopic('b', 20)],
    });
    expect(topics.map(({ errorCode }) => errorCode)).toEqual([0, 0]);
    expect(throttleTimeMs).toBe(29_000);
  });

  test('what was not done, or only looked at, costs nothing', async () => {
    await setQuota('controller_mutation_rate', 1);
    const bad = { ...newTopic('bad', 100), configs: [{ name: 'no.such', value: '1' }] };
    expect((await client.send(createTopicsApi, 6, { topics: [bad] })).throttleTimeMs).toBe(0);
    const looked = await client.send(createTopicsApi, 6, {
      topics: [newTopic('a', 100)],
      validateOnly: true,
    });
    expect(looked).toMatchObject({ throttleTimeMs: 0, topics: [{ errorCode: 0 }] });
    expect((await client.send(createTopicsApi, 6, { topics: [newTopic('a', 1)] })).topics[0]?.errorCode).toBe(
      0,
    );
  });

  test('topics that are made by being named count, too', async () => {
    await setQuota('controller_mutation_rate', 1);
    const name = (...names: string[]) =>
      client.send(metadataApi, 12, {
        topics: names.map((each) => ({ name: each })),
        allowAutoTopicCreation: true,
      });
    const many = Array.from({ length: 20 }, (_, at) => `named-${at}`);
    const first = await name(...many);
    expect(first.topics.every(({ errorCode }) => errorCode === 0)).toBe(true);
    expect(first.throttleTimeMs).toBe(9_000);
    const elsewhere = await server.client();
    const { topics } = await elsewhere.send(metadataApi, 12, { topics: [{ name: 'one-more' }] });
    expect(topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('deleting topics and adding partitions count', async () => {
    await server.topic(client, { name: 'many', partitions: 30 });
    await server.topic(client, { name: 'few', partitions: 1 });
    await setQuota('controller_mutation_rate', 1);
    const grown = await client.send(createPartitionsApi, 3, {
      topics: [
        { name: 'many', count: 50, assignments: null },
        { name: 'few', count: 2, assignments: null },
      ],
      timeoutMs: 5_000,
      validateOnly: false,
    });
    expect(grown.results.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['many', 0],
      ['few', ErrorCode.THROTTLING_QUOTA_EXCEEDED],
    ]);
    expect(grown.throttleTimeMs).toBe(9_000);
    await clock.advance(9_000);
    const gone = await client.send(deleteTopicsApi, 5, { topicNames: ['many', 'few'], timeoutMs: 5_000 });
    expect(gone.responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['many', 0],
      ['few', ErrorCode.THROTTLING_QUOTA_EXCEEDED],
    ]);
  });
});

describe('connections', () => {
  const set = async (name: string, value: string) => {
    const resources = [{ resourceType: 4, resourceName: '', configs: [{ name, configOperation: 0, value }] }];
    const { responses } = await witness.send(incrementalAlterConfigsApi, 1, {
      resources,
      validateOnly: false,
    });
    expect(responses).toMatchObject([{ errorCode: 0 }]);
  };
  const ask = (from: RawClient) => from.send(metadataApi, 12, { topics: [] });

  test.each([
    ['max.connections.per.ip', '4', 'too_many_from_ip'],
    ['max.connections.per.ip.overrides', '127.0.0.1:4,10.0.0.1:1', 'too_many_from_ip'],
  ])('%s', async (name, value, reason) => {
    await set(name, value);
    const others = [await server.client(), await server.client()];
    for (const other of others) await ask(other);
    const fifth = await server.client();
    await fifth.closed;
    expect(server.closedFor(reason)).toBe(1);
    others[0]?.destroy();
    await until('it has gone', () => server.connections === 3);
    await ask(await server.client());
  });

  test('max.connections: who comes then is heard once another has left, in their order', async () => {
    await set('max.connections', '4');
    const others = [await server.client(), await server.client()];
    for (const other of others) await ask(other);
    const [fifth, sixth] = [await server.client(), await server.client()];
    const waiting = [ask(fifth), ask(sixth)] as const;
    expect(await isAnswered(waiting[0])).toBe(false);
    others[0]?.destroy();
    await waiting[0];
    expect(await isAnswered(waiting[1])).toBe(false);
    // That he has gone is found out when it is his turn.
    const lost = waiting[1].catch(() => 'closed');
    sixth.destroy();
    expect(await lost).toBe('closed');
    const seventh = ask(await server.client());
    const eighth = ask(await server.client());
    others[1]?.destroy();
    await seventh;
    expect(await isAnswered(eighth)).toBe(false);
    await set('max.connections', '5');
    await clock.advance(60_000);
    await eighth;
  });

  test('max.connections: no more wait than may', async () => {
    await using broker = await startBroker({
      settings: { 'max.connections': '1', 'socket.listen.backlog.size': '1' },
    });
    await using first = await broker.connect();
    const second = broker.connect();
    await expect(broker.connect({ retryForMs: 50 })).rejects.toMatchObject({ retriable: true });
    expect(await first.admin.topics.list()).toEqual([]);
    await first.close();
    await using next = await second;
    expect(await next.admin.topics.list()).toEqual([]);
  });

  test('too many in a while from one address: the last is closed once time has passed', async () => {
    await setQuota('connection_creation_rate', 1, { ip: '127.0.0.1' });
    for (let i = 0; i < 10; i++) await ask(await server.client());
    const eleventh = await server.client();
    const lost = ask(eleventh).catch(() => 'closed');
    await until('it has come', () => server.connections === 13);
    await clock.advance(999);
    await clock.advance(1);
    expect(await lost).toBe('closed');
    expect(server.closedFor('connects_too_often')).toBe(1);
    await clock.advance(11_000);
    await ask(await server.client());
  });

  test('too many in a while from everywhere: the last waits', async () => {
    await set('max.connection.creation.rate', '1');
    for (let i = 0; i < 10; i++) await ask(await server.client());
    const later = ask(await server.client());
    expect(await isAnswered(later)).toBe(false);
    await clock.advance(1_000);
    await later;
  });
});
