import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TRANSPORTS } from '../client/ways.ts';
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
  ['a MessagePort', () => TRANSPORTS.MessagePort(() => server.broker)],
  ['in process', () => TRANSPORTS['in process'](() => server.broker)],
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
