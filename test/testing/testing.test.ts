import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MessageChannel } from 'node:worker_threads';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { messagePortTransport } from '../../src/client/transports/message-port.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { startBroker, type TestBroker, virtualClock } from '../../src/hosts/node/testing.ts';

/** The entry `milena/testing`. */

const HOUR_MS = 3_600_000;

/** Ways in, beside the broker's own clients. */
const DOORS: Readonly<Record<string, (broker: TestBroker) => ReturnType<typeof connect>>> = {
  'in process': (broker) => broker.connect(),
  TCP: ({ url }) => connect(url),
  WebSocket: ({ webSocketUrl }) => connect(webSocketUrl),
  MessagePort: (broker) =>
    connect(
      messagePortTransport(() => {
        const { port1, port2 } = new MessageChannel();
        broker.accept(port2);
        return port1;
      }),
    ),
};

describe('startBroker', () => {
  test.each(Object.entries(DOORS))('over %s a client writes', async (_, open) => {
    await using broker = await startBroker();
    await using client = await open(broker);
    expect(await client.send('orders', { value: 'a' })).toMatchObject({ partition: 0, offset: 0 });
    expect(await client.send('orders', { value: 'b' })).toMatchObject({ partition: 0, offset: 1 });
  });

  test('each is its own, and forgets all when it is closed', async () => {
    await using first = await startBroker();
    await using second = await startBroker();
    await (await first.connect()).send('orders', { value: 'a' });
    expect(await (await second.connect()).send('orders', { value: 'b' })).toMatchObject({ offset: 0 });
    await first.close();
    await first.close();
    await expect(connect(first.url, { retryForMs: 1 })).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test('its clients are closed with it', async () => {
    const broker = await startBroker();
    const client = await broker.connect();
    await broker.close();
    expect(client.status).toBe('closed');
  });

  test('takes settings, and says which is wrong', async () => {
    await using broker = await startBroker({ settings: { 'num.partitions': '4' } });
    await using client = await broker.connect();
    await expect(client.send('orders', { value: 'a', partition: 3 })).resolves.toMatchObject({
      partition: 3,
    });
    await expect(startBroker({ settings: { 'num.partitions': 'four' } })).rejects.toThrow(/num\.partitions/);
  });

  test('a group of kafkajs does not wait for members that may come', async () => {
    await using broker = await startBroker();
    const brokers = [broker.url.replace('kafka://', '')];
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    await (await broker.connect()).send('orders', { value: 'hello' });
    const consumer = kafka.consumer({ groupId: 'billing' });
    await consumer.subscribe({ topic: 'orders', fromBeginning: true });
    const value = await new Promise((resolve, reject) => {
      consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) }).catch(reject);
    });
    expect(value).toBe('hello');
    await consumer.disconnect();
  });
});

describe('virtual time', () => {
  test('stands still until it is told to pass; the records of its clients have it', async () => {
    const clock = virtualClock({ startMs: 1_000 });
    await using broker = await startBroker({ clock });
    const client = await broker.connect();
    expect((await client.send('orders', { value: 'a' })).timestamp).toBe(1_000);
    await clock.advance(HOUR_MS);
    expect((await client.send('orders', { value: 'b' })).timestamp).toBe(1_000 + HOUR_MS);
  });

  test("the broker's timers follow it: an idle connection is closed, and found again", async () => {
    const clock = virtualClock();
    await using broker = await startBroker({ clock, settings: { 'connections.max.idle.ms': '600000' } });
    const client = await broker.connect();
    await clock.advance(500_000);
    expect(client.status).toBe('connected');
    await clock.advance(200_000);
    expect(client.status).not.toBe('connected');
    await client.send('orders', { value: 'a' });
    expect(client.status).toBe('connected');
  });

  test('deadlines are met in order, each with what follows from it; who takes one back is not called', async () => {
    const clock = virtualClock({ startMs: 0 });
    const told: string[] = [];
    const tell = (what: string) => () => void told.push(`${what} at ${clock.now()}`);
    clock.at(20, tell('second'));
    clock.at(10, () => {
      tell('first')();
      clock.at(15, tell('from first'));
      clock.at(10, tell('at once'));
    });
    clock.at(20, tell('third'));
    clock.at(15, tell('never'))();
    clock.at(31, tell('too late'));
    await Promise.all([clock.advance(15), clock.advance(15)]);
    expect(told).toEqual(['first at 10', 'at once at 10', 'from first at 15', 'second at 20', 'third at 20']);
    expect(clock.now()).toBe(30);
  });
});

describe('nothing stays', () => {
  test('no handle is left, with clients that were closed and one that was not', async () => {
    const script = join(import.meta.dirname, 'leaves-nothing.ts');
    // It ends by itself, or this times out.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ before: [], after: [], written: 60 });
  });
});
