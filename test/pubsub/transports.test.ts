import { MessageChannel } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inProcessTransport } from '../../src/broker/in-process.ts';
import { acceptPort } from '../../src/broker/message-port.ts';
import { messagePortTransport } from '../../src/client/transports/message-port.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { type RawClient, TestBroker } from '../gateway/harness.ts';
import { Inbox, Page, States } from './world.ts';

/** A broker that is no WebSocket away: in another thread, or in the page itself. */

let server: TestBroker;
let raw: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  raw = await server.client();
});
afterAll(() => server.close());

describe.each([
  ['a MessagePort', () => portTo(server.broker)],
  ['in process', () => inProcessTransport(server.broker.gateway, server.broker.kafka)],
])('over %s', (_, transport) => {
  test('each record once, in order', async () => {
    const { name } = await server.topic(raw, { partitions: 2 });
    await using connection = new Page().connect('ws://here:1', { transport: transport() });
    const inbox = new Inbox();
    const states = new States();
    connection.subscribe(name, inbox.take, { from: 'earliest', onStatus: states.tell });
    await states.until('live');
    for (let number = 0; number < 20; number++)
      await connection.publish(name, { value: number, partition: number % 2 });
    await inbox.count(20);
    for (const partition of [0, 1])
      expect(inbox.texts(partition)).toEqual(Array.from({ length: 10 }, (__, at) => `${2 * at + partition}`));
  });
});

function portTo({ gateway, kafka }: TestBroker['broker']): Transport {
  return messagePortTransport(() => {
    const { port1, port2 } = new MessageChannel();
    acceptPort(gateway, port2, kafka);
    return port1;
  });
}
