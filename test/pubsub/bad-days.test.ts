import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Broker } from '../../src/hosts/node/broker.ts';
import { SeededRandom } from '../../src/hosts/sim/random.ts';
import type { Connection } from '../../src/web/connection.ts';
import { webSocketTransport } from '../../src/client/transports/web-socket.ts';
import { type Fate, FaultyProxy } from '../client/faulty-proxy.ts';
import { type RawClient, TestBroker } from '../gateway/harness.ts';
import { doorOf, Inbox, Page, States } from './world.ts';

/** A network that fails, a broker that dies, a page that sleeps: no loss, no duplicate, the order kept. */

let server: TestBroker;
let raw: RawClient;
const http = () => server.broker.http ?? { host: '', port: 0 };
beforeAll(async () => {
  server = await TestBroker.start({ httpPort: 0 });
  raw = await server.client();
});
afterAll(() => server.close());

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `${from + at}`);

/** Publishes so many numbers to a partition, some at a time; resolves when all are acknowledged. */
async function publishNumbers(
  connection: Connection,
  topic: string,
  to: { partition: number; count: number; from?: number },
) {
  const { partition, count, from = 0 } = to;
  const told: Promise<unknown>[] = [];
  for (const value of numbers(count, from)) {
    told.push(connection.publish(topic, { value, partition }));
    if (told.length % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(told);
}

describe('a faulty proxy', () => {
  test.each(numbers(5).map(Number))('each record once, in order, both ways (seed %i)', async (seed) => {
    const random = new SeededRandom(seed);
    let chunks = 0;
    const fate = (): Fate => {
      chunks++;
      if (chunks === 8) return 'cut';
      if (chunks === 20) return 'half-open';
      const chance = random.next();
      if (chance < 0.04) return 'cut';
      if (chance < 0.045) return 'half-open';
      return chance < 0.3 ? 'delayed' : 'passes';
    };
    const { name } = await server.topic(raw, { partitions: 2 });
    await using proxy = await FaultyProxy.to(http(), fate);
    // Its seconds are short: what is half-open is given up before the test ends.
    await using connection = new Page(40).connect(doorOf(proxy.address));
    const inbox = new Inbox();
    connection.subscribe(name, inbox.take, { from: 'earliest' });
    await Promise.all([0, 1].map((partition) => publishNumbers(connection, name, { partition, count: 400 })));
    await inbox.count(800);
    for (const partition of [0, 1]) expect(inbox.texts(partition)).toEqual(numbers(400));
    expect(proxy.counts.cut).toBeGreaterThan(0);
    expect(proxy.counts['half-open']).toBeGreaterThan(0);
  });

  test('it goes silent for good: closing settles in its time, and says what became of records', async () => {
    let isSilent = false;
    const { name } = await server.topic(raw);
    await using proxy = await FaultyProxy.to(http(), () => (isSilent ? 'half-open' : 'passes'));
    const connection = new Page().connect(doorOf(proxy.address));
    await connection.publish(name, { value: 'in' });
    isSilent = true;
    const published = connection.publish(name, { value: 'unknown' });
    const [told, closed] = await Promise.allSettled([published, connection.close({ timeoutMs: 50 })]);
    expect(told).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
    expect(closed.status).toBe('fulfilled');
    expect(connection.pendingBytes).toBe(0);
    await expect(connection.publish(name, { value: 'late' })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(() => connection.subscribe(name)).toThrow(expect.objectContaining({ code: 'CLOSED' }) as Error);
  });
});

test('a broker that is stopped and started again: pages wait, and go on', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'milena-pubsub-'));
  const start = (httpPort: number) => Broker.start({ directory, httpPort, flush: 'never' });
  let broker = await start(0);
  const address = broker.http ?? { host: '', port: 0 };
  const page = new Page(5);
  const connection = page.connect(doorOf(address));
  const inbox = new Inbox();
  const states = new States();
  const subscription = connection.subscribe('orders', inbox.take, {
    from: 'earliest',
    onStatus: states.tell,
  });
  await publishNumbers(connection, 'orders', { partition: 0, count: 50 });
  await inbox.count(50);
  await states.until('live');
  for (let round = 1; round <= 3; round++) {
    const publishing = publishNumbers(connection, 'orders', { partition: 0, count: 50, from: 50 * round });
    await broker.close({ timeoutMs: 0 });
    await states.until('retrying', round);
    expect(subscription.status.error).toMatchObject({
      code: 'CONNECTION_LOST',
      hint: expect.any(String) as string,
    });
    broker = await start(address.port);
    await publishing;
    await inbox.count(50 * (round + 1));
  }
  expect(inbox.texts()).toEqual(numbers(200));
  await connection.close();
  await broker.close();
  await rm(directory, { recursive: true });
});

describe('a page', () => {
  /** Silent once told: nobody hears that the other end is gone. */
  async function behindProxy(page: Page) {
    const network = { isSilent: false };
    const { name } = await server.topic(raw);
    const proxy = await FaultyProxy.to(http(), () => (network.isSilent ? 'half-open' : 'passes'));
    const connection = page.connect(doorOf(proxy.address));
    const inbox = new Inbox();
    const states = new States();
    connection.subscribe(name, inbox.take, { onStatus: states.tell });
    await states.until('live');
    const close = async () => {
      await connection.close();
      await proxy[Symbol.asyncDispose]();
    };
    return { name, network, connection, inbox, states, close };
  }

  test('that sleeps for an hour, its connection dead: when it is shown again it goes on at once', async () => {
    const page = new Page();
    const { name, network, connection, inbox, states, close } = await behindProxy(page);
    network.isSilent = true;
    await using other = new Page().connect(doorOf(http()));
    await other.publish(name, { value: 'while it slept' });
    page.sleep(3_600_000);
    network.isSilent = false;
    page.happens('shown');
    await inbox.count(1);
    await connection.publish(name, { value: 'after' });
    await inbox.count(2);
    expect(inbox.texts()).toEqual(['while it slept', 'after']);
    expect(states.seen).not.toContain('failed');
    await close();
  });

  test('on another network: what looks connected is given up', async () => {
    const page = new Page();
    const { name, network, connection, inbox, close } = await behindProxy(page);
    await connection.publish(name, { value: 'before' });
    network.isSilent = true;
    const published = connection.publish(name, { value: 'on its way' });
    await new Promise((resolve) => setImmediate(resolve));
    network.isSilent = false;
    page.happens('network');
    await published;
    await inbox.count(2);
    expect(inbox.texts()).toEqual(['before', 'on its way']);
    await close();
  });

  test('that is only looked at again keeps its connection', async () => {
    const page = new Page();
    const connections = () => server.broker.gateway.connectionCount;
    const { name, inbox, connection, states, close } = await behindProxy(page);
    const before = connections();
    page.happens('shown');
    await connection.publish(name, { value: 'a' });
    await inbox.count(1);
    expect(connections()).toBe(before + 1);
    expect(states.seen).toEqual(['live']);
    await close();
    expect(page.listeners).toBe(0);
  });

  test('does not wait for its next try when the network is back', async () => {
    // A second of its time takes us an hour.
    const page = new Page(1 / 3_600);
    const broker = await Broker.start({ httpPort: 0 });
    const address = broker.http ?? { host: '', port: 0 };
    const connection = page.connect(doorOf(address));
    const states = new States();
    await connection.publish('orders', { value: 'a' });
    const subscription = connection.subscribe('orders', () => {}, { onStatus: states.tell });
    await states.until('live');
    await broker.close();
    await states.until('retrying');
    const again = await Broker.start({ httpPort: address.port });
    page.happens('network');
    await states.until('retrying', 2);
    // It has been there: this one has no such topic.
    expect(subscription.status.error?.code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    await connection.close({ timeoutMs: 0 });
    await again.close();
  });
});

test('a broker alone is asked where we came to it, whatever it believes its address is', async () => {
  const { name } = await server.topic(raw, { partitions: 2 });
  const opened: string[] = [];
  const page = new Page();
  const real = webSocketTransport(doorOf(http()), page.clock);
  await using connection = page.connect(doorOf({ host: 'somewhere.example', port: 1 }), {
    transport: {
      open: (address, events, signal) => {
        opened.push(`${address.host}:${address.port}`);
        return real.open(http(), events, signal);
      },
    },
  });
  const inbox = new Inbox();
  connection.subscribe(name, inbox.take, { from: 'earliest' });
  await publishNumbers(connection, name, { partition: 1, count: 5 });
  await inbox.count(5);
  expect(new Set(opened)).toEqual(new Set(['somewhere.example:1']));
});
