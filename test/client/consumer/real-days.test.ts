import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ConnectOptions } from '../../../src/client/connect.ts';
import type { ConsumedRecord } from '../../../src/client/consumer/consumed-record.ts';
import { connect } from '../../../src/hosts/node/connect.ts';
import { tcpTransport } from '../../../src/hosts/node/tcp-transport.ts';
import type { Transport } from '../../../src/ports/transport.ts';
import { brokerForTest, type ClientBroker, eventually } from '../../clients/fixture.ts';
import { SeededRandom } from '../../../src/hosts/sim/random.ts';
import { type Fate, FaultyProxy } from '../faulty-proxy.ts';

/** Real brokers that end, come back, and are hard to reach; topics that go while they are read. */

let broker: ClientBroker;
beforeEach(async () => {
  broker = await brokerForTest('files');
});

/** To wherever the broker is by then. */
const transport: Transport = {
  open: (_address, events, signal) => {
    const { port } = broker;
    return tcpTransport.open({ host: '127.0.0.1', port }, events, signal);
  },
};

async function client(options: ConnectOptions = {}) {
  const connected = await connect('kafka://broker:1', { transport, ...options });
  onTestFinished(() => connected.close({ timeoutMs: 100 }).catch(() => {}));
  return connected;
}

const valueOf = ({ value }: ConsumedRecord) => String(Buffer.from(value ?? []));
const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({ value: `v${from + at}` }));

test('a broker that is restarted: members go on where they were, and nothing is lost', async () => {
  const milena = await client();
  const topic = broker.name('topic');
  await milena.admin.topics.create(topic, { partitions: 4 });
  await milena.send(topic, numbered(0, 100));
  const seen = new Set<string>();
  const consumers = [1, 2].map(() => {
    const quick = { heartbeatIntervalMs: 50, autoCommit: { intervalMs: 20 } };
    const consumer = milena.consumer({ group: 'group', topics: topic, ...quick });
    const over = consumer.run((record) => void seen.add(valueOf(record)), { concurrency: 2 });
    over.catch(() => {});
    return consumer;
  });
  await eventually(() => seen.size === 100);
  for (let round = 1; round <= 3; round++) {
    await broker.stop();
    await broker.start();
    await milena.send(topic, numbered(100 * round, 100));
    await eventually(() => seen.size === 100 * (round + 1));
  }
  expect(consumers.map(({ status }) => status)).not.toContain('failed');
  for (const consumer of consumers) await consumer.close();
  const after = milena.consumer({ group: 'group', topics: topic });
  const next = after.next();
  await eventually(() => after.assignment.length === 4);
  const lag = await after.lag();
  expect(lag.reduce((sum, one) => sum + one.lag, 0)).toBe(0);
  await after.close();
  await next;
});

test('a broker that never comes back: the iterator throws once the budget is spent', async () => {
  const milena = await client({ retryForMs: 300 });
  const topic = broker.name('topic');
  await milena.admin.topics.create(topic);
  await milena.send(topic, numbered(0, 1));
  const consumer = milena.consumer({ group: 'group', topics: topic, heartbeatIntervalMs: 20 });
  await consumer.next();
  const next = consumer.next();
  await broker.stop();
  await expect(next).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  expect(consumer.status).toBe('failed');
  await broker.start();
});

test('connections that are cut now and then: each record at least once, in the order of its partition', async () => {
  const random = new SeededRandom(7);
  const fate = (): Fate => (random.chance(0.05) ? 'cut' : random.chance(0.05) ? 'delayed' : 'passes');
  await using proxy = await FaultyProxy.to({ host: '127.0.0.1', port: broker.port }, fate);
  const milena = await client();
  const topic = broker.name('topic');
  await milena.admin.topics.create(topic, { partitions: 3 });
  const bad = await client({ transport: proxy.over(tcpTransport) });
  const quick = { heartbeatIntervalMs: 10, autoCommit: { intervalMs: 5 } };
  const consumer = bad.consumer({ group: 'group', topics: topic, ...quick });
  const last = new Map<number, number>();
  const seen = new Set<string>();
  const over = (async () => {
    for await (const record of consumer) {
      const before = last.get(record.partition) ?? -1;
      expect(record.offset).toBe(before + 1);
      last.set(record.partition, record.offset);
      seen.add(valueOf(record));
    }
  })();
  for (let round = 0; round < 20 || proxy.counts.cut < 5; round++) {
    await milena.send(topic, numbered(10 * round, 10));
    await eventually(() => seen.size === 10 * (round + 1));
  }
  expect(consumer.status).not.toBe('failed');
  await consumer.close();
  await over;
});

describe('a topic that is deleted while it is read', () => {
  test('by name: the iterator says that it is gone, and what to do', async () => {
    const milena = await client({ retryForMs: 300 });
    const topic = broker.name('topic');
    await milena.admin.topics.create(topic);
    await milena.send(topic, numbered(0, 2));
    const consumer = milena.consumer({ group: 'group', topics: topic });
    await consumer.next();
    await consumer.next();
    const next = consumer.next();
    await milena.admin.topics.delete(topic);
    await expect(next).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining(topic) as string,
      hint: expect.stringContaining('create') as string,
    });
  });

  test('by pattern: it is given up, and the others are read on', async () => {
    const milena = await client({ retryForMs: 5_000 });
    const topics = [broker.name('some'), broker.name('some')];
    for (const topic of topics) await milena.admin.topics.create(topic);
    const consumer = milena.consumer({ group: 'group', pattern: /^some-/, heartbeatIntervalMs: 50 });
    const next = consumer.next();
    await eventually(() => consumer.assignment.length === 2);
    await milena.admin.topics.delete(topics[0] ?? '');
    await eventually(() => consumer.assignment.length === 1);
    await milena.send(topics[1] ?? '', numbered(0, 1));
    expect(valueOf((await next).value as ConsumedRecord)).toBe('v0');
    await eventually(() => consumer.status === 'running');
    await consumer.return();
  });
});
