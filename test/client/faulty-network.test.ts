import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import type { ConnectOptions } from '../../src/client/connect.ts';
import { webSocketTransport } from '../../src/client/transports/web-socket.ts';
import { clientClock } from '../../src/hosts/node/clock.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { tcpTransport } from '../../src/hosts/node/tcp-transport.ts';
import { SeededRandom } from '../../src/hosts/sim/random.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import type { BrokerAddress } from '../../src/ports/transport.ts';
import { type BatchRecords, records } from '../../src/records/batch.ts';
import { forEachBatch } from '../../src/records/header.ts';
import { fetchOne, type RawClient, TestBroker } from '../gateway/harness.ts';
import { type Fate, FaultyProxy } from './faulty-proxy.ts';

/**
 * A real broker behind a network that delays, cuts within a frame, and goes silent: nothing is lost, nothing is written
 * twice, what is read comes in order, and all ends in its time.
 */

const kernels = await loadKernels();
let server: TestBroker;
let raw: RawClient;
beforeAll(async () => {
  server = await TestBroker.start({
    httpPort: 0,
    settings: new Map([['group.initial.rebalance.delay.ms', '0']]),
  });
  raw = await server.client();
});
afterAll(() => server.close());

/** What gets no answer is given up after so long: nothing but that tells of a half-open connection. */
const requestTimeoutMs = 150;
const COUNT = 1_000;
const SEEDS = [0, 1, 2];
/** Many answers, soon. */
const SMALL = { maxWaitMs: 50, fetchMaxBytes: 2_000, partitionMaxBytes: 2_000, maxBufferedBytes: 10_000 };

interface Way {
  name: string;
  target: () => BrokerAddress;
  connect: (proxy: FaultyProxy, options: ConnectOptions) => Promise<Client>;
}

const WAYS: readonly Way[] = [
  {
    name: 'TCP',
    target: () => server.broker.kafka,
    connect: (proxy, options) =>
      connect(`kafka://${placeOf(proxy)}`, { ...options, transport: proxy.over(tcpTransport) }),
  },
  {
    name: 'WebSocket',
    target: () => server.broker.http as BrokerAddress,
    connect(proxy, options) {
      const url = `ws://${placeOf(proxy)}/kafka`;
      const transport = proxy.over(webSocketTransport(url, clientClock));
      return connect(url, { ...options, transport });
    },
  },
];

function placeOf({ address: { host, port } }: FaultyProxy): string {
  return `${host}:${port}`;
}

function connectOver(way: Way, proxy: FaultyProxy): Promise<Client> {
  return way.connect(proxy, { connectTimeoutMs: requestTimeoutMs, requestTimeoutMs });
}

/** Each fate at least once, however few chunks there are, and then by chance. */
function fatesOf(random: SeededRandom): () => Fate {
  let chunks = 0;
  return () => {
    chunks++;
    if (chunks === 10 || chunks === 60) return 'cut';
    if (chunks === 30) return 'half-open';
    const chance = random.next();
    if (chance < 0.02) return 'cut';
    if (chance < 0.023) return 'half-open';
    return chance < 0.2 ? 'delayed' : 'passes';
  };
}

function expectAllFates({ counts }: FaultyProxy): void {
  for (const fate of ['cut', 'half-open', 'delayed'] as const) expect(counts[fate]).toBeGreaterThan(0);
}

async function valuesIn(topic: { name: string; id: string }, partition: number): Promise<string[]> {
  const values: string[] = [];
  for (;;) {
    const { records: bytes } = await fetchOne(raw, { topic, partition, fetchOffset: values.length });
    if (bytes === null || bytes.length === 0) return values;
    forEachBatch(bytes, (header) => {
      for (const { value } of records(header.bytes, kernels, new Map()) as BatchRecords)
        values.push(String(Buffer.from(value ?? [])));
    });
  }
}

/** A topic of two partitions, with so many records: the values of each. */
async function filledTopic(): Promise<{ name: string; written: string[][] }> {
  const { name } = await server.topic(raw, { partitions: 2 });
  await using client = await connect(`kafka://${server.broker.kafka.host}:${server.broker.kafka.port}`);
  const written: string[][] = [[], []];
  await using producer = client.producer({ batchBytes: 2_000 });
  for (let number = 0; number < COUNT; number++) {
    const partition = number % 2;
    const value = `${number}`.padEnd(100, '.');
    written[partition]?.push(value);
    await producer.write(name, { value, partition });
  }
  await producer.flush();
  return { name, written };
}

const CASES = WAYS.flatMap((way) => SEEDS.map((seed) => ({ way, over: way.name, seed })));
const DECODER = new TextDecoder();

describe('connecting', () => {
  test.each(WAYS.map((way) => ({ way, over: way.name })))(
    'over $over: first it is cut, then nobody answers, then it works',
    async ({ way }) => {
      const first: Fate[] = ['cut', 'half-open', 'delayed', 'cut', 'half-open'];
      await using proxy = await FaultyProxy.to(way.target(), () => first.shift() ?? 'passes');
      await using client = await connectOver(way, proxy);
      expect(client.status).toBe('connected');
      expect(first).toEqual([]);
    },
  );

  test.each(WAYS.map((way) => ({ way, over: way.name })))(
    'over $over: where nobody ever answers it ends in its time',
    async ({ way }) => {
      await using proxy = await FaultyProxy.to(way.target(), () => 'half-open');
      const connecting = way.connect(proxy, { connectTimeoutMs: 20, retryForMs: 200 });
      await expect(connecting).rejects.toMatchObject({ code: 'CONNECTION_LOST', retriable: true });
    },
  );
});

describe('producing', () => {
  test.each(CASES)('over $over: each record once, in order (seed $seed)', async ({ way, seed }) => {
    const random = new SeededRandom(seed);
    const topic = await server.topic(raw, { partitions: 2 });
    await using proxy = await FaultyProxy.to(way.target(), fatesOf(random));
    await using client = await connectOver(way, proxy);
    await using producer = client.producer({
      batchBytes: 1_000,
      requestTimeoutMs,
      maxBufferedBytes: 10_000,
    });
    const expected: string[][] = [[], []];
    for (let number = 0; number < COUNT; number++) {
      const partition = random.int(2);
      const value = `${number}`.padEnd(random.int(200), '.');
      expected[partition]?.push(value);
      await producer.write(topic.name, { value, partition });
    }
    await producer.flush();
    for (const partition of [0, 1]) expect(await valuesIn(topic, partition)).toEqual(expected[partition]);
    expectAllFates(proxy);
  });

  test.each(WAYS.map((way) => ({ way, over: way.name })))(
    'over $over: it goes silent for good: what was written fails, and closing settles in its time',
    async ({ way }) => {
      let isSilent = false;
      const topic = await server.topic(raw);
      await using proxy = await FaultyProxy.to(way.target(), () => (isSilent ? 'half-open' : 'passes'));
      const client = await connectOver(way, proxy);
      const producer = client.producer({ requestTimeoutMs });
      await producer.send(topic.name, { value: 'in' });
      isSilent = true;
      const sent = producer.send(topic.name, { value: 'unknown' });
      await producer.write(topic.name, { value: 'unknown too' });
      const [told, closed] = await Promise.allSettled([sent, client.close({ timeoutMs: 50 })]);
      expect(told).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
      expect(closed).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
      expect(client.status).toBe('closed');
      await expect(client.send(topic.name, { value: 'late' })).rejects.toMatchObject({ code: 'CLOSED' });
    },
  );
});

describe('reading', () => {
  test.each(CASES)('over $over: each record once, in order (seed $seed)', async ({ way, seed }) => {
    const { name, written } = await filledTopic();
    await using proxy = await FaultyProxy.to(way.target(), fatesOf(new SeededRandom(seed)));
    await using client = await connectOver(way, proxy);
    const read: string[][] = [[], []];
    const how = { from: 'earliest', live: false, ...SMALL } as const;
    for await (const { partition, value } of client.read(name, how))
      read[partition]?.push(DECODER.decode(value ?? undefined));
    expect(read).toEqual(written);
    expectAllFates(proxy);
  });
});

describe('a group', () => {
  test.each(CASES)('over $over: each record at least once, in order (seed $seed)', async ({ way, seed }) => {
    const { name, written } = await filledTopic();
    await using proxy = await FaultyProxy.to(way.target(), fatesOf(new SeededRandom(seed)));
    await using client = await connectOver(way, proxy);
    const consumer = client.consumer({
      group: name,
      topics: [name],
      ...SMALL,
      heartbeatIntervalMs: 100,
      autoCommit: { intervalMs: 20 },
    });
    const handled = new Map<string, number>();
    const read: string[][] = [[], []];
    for await (const { partition, value } of consumer) {
      const text = DECODER.decode(value ?? undefined);
      handled.set(text, (handled.get(text) ?? 0) + 1);
      if (handled.get(text) === 1) read[partition]?.push(text);
      if (handled.size === COUNT) break;
    }
    expect(read).toEqual(written);
    expectAllFates(proxy);
  });

  test.each(WAYS.map((way) => ({ way, over: way.name })))(
    'over $over: it goes silent for good: closing settles in its time',
    async ({ way }) => {
      const { name } = await filledTopic();
      let isSilent = false;
      await using proxy = await FaultyProxy.to(way.target(), () => (isSilent ? 'half-open' : 'passes'));
      const client = await connectOver(way, proxy);
      const consumer = client.consumer({ group: name, topics: [name] });
      await consumer.next();
      isSilent = true;
      const outcomes = await Promise.allSettled([
        consumer.close({ timeoutMs: 50 }),
        client.close({ timeoutMs: 50 }),
      ]);
      expect(outcomes).toHaveLength(2);
      expect([consumer.status, client.status]).toEqual(['closed', 'closed']);
    },
  );
});
