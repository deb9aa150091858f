import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { ReadBuffers } from '../../src/hosts/node/read-buffers.ts';
import { doorOf } from '../../src/hosts/node/security/doors.ts';
import { acceptWebSockets } from '../../src/hosts/node/websocket.ts';
import { FakeGateway, overlapping } from '../gateway/fake-gateway.ts';
import { until } from '../gateway/until.ts';
import { frame, upgrade } from './upgrade.ts';

/** The door before a gateway of which we see the inside. */

const KIB = 1024;
/** Longer than a busy machine keeps a client from answering. */
const PING_MS = 250;

async function door(fake: FakeGateway, pingIntervalMs = 60_000): Promise<number> {
  const server = createServer();
  acceptWebSockets(server, {
    gateway: fake.gateway,
    buffers: new ReadBuffers(),
    notReady: () => undefined,
    allowedOrigins: [],
    door: doorOf('PLAINTEXT', new Map()),
    pingIntervalMs,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    fake.gateway.closeAll();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function connect(port: number, options: object = {}): Promise<WebSocket> {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/kafka`, options);
  onTestFinished(() => webSocket.terminate());
  await once(webSocket, 'open');
  return webSocket;
}

test('what a WebSocket message keeps until its end has come counts as an unfinished message', async () => {
  const fake = new FakeGateway({ unfinishedBytesMax: 1_000 * KIB });
  const port = await door(fake);
  const first = await upgrade({ port });
  first.socket.write(frame(new Uint8Array(600 * KIB), { announcedBytes: 700 * KIB }));
  const second = await upgrade({ port });
  second.socket.write(frame(new Uint8Array(600 * KIB), { announcedBytes: 700 * KIB }));
  await until('one of them is closed', () => fake.closedFor('memory') === 1);
  expect(fake.gateway.connectionCount).toBe(1);
  first.socket.destroy();
  second.socket.destroy();
});

test('pings, answers and whole messages are not kept, however many', async () => {
  const fake = new FakeGateway({ unfinishedBytesMax: 100 * KIB });
  const webSocket = await connect(await door(fake));
  // In turn: messages wait for their answer, and a message that waits holds back those behind it.
  for (let i = 1; i <= 300; i++) {
    for (let j = 0; j < 10; j++) webSocket.pong(new Uint8Array(100));
    webSocket.send(overlapping(i));
    await until('it is asked', () => fake.link.asked.length === i);
    fake.answer(i - 1);
  }
  expect(fake.closedFor('memory')).toBe(0);
  expect(webSocket.readyState).toBe(WebSocket.OPEN);
});

test('a client that answers no ping is closed, one that does is not', async () => {
  const fake = new FakeGateway();
  const port = await door(fake, PING_MS);
  const silent = await connect(port, { autoPong: false });
  const alive = await connect(port);
  let pings = 0;
  alive.on('ping', () => pings++);
  const [code, reason] = (await once(silent, 'close')) as [number, Buffer];
  expect([code, String(reason)]).toEqual([1001, 'unanswered_ping']);
  const before = pings;
  await until('the other was asked twice more', () => pings >= before + 2);
  expect([fake.closedFor('unanswered_ping'), alive.readyState]).toEqual([1, WebSocket.OPEN]);
});

test('who is not read cannot answer, and is left alone; read again, it has its time', async () => {
  const fake = new FakeGateway({ inFlightRequestsMax: 1 });
  const port = await door(fake, PING_MS);
  const busy = await connect(port);
  const witness = await connect(port);
  let pings = 0;
  witness.on('ping', () => pings++);
  // One is worked on, one waits: its socket is not read.
  busy.send(Buffer.concat([overlapping(1), overlapping(2)]));
  await until('the first is asked', () => fake.link.asked.length === 1);
  await until('pings have come and gone', () => pings >= 4);
  fake.answer(0);
  await until('the second is asked', () => fake.link.asked.length === 2);
  fake.answer(1);
  const before = pings;
  await until('it was asked twice more', () => pings >= before + 3);
  expect([fake.closedFor('unanswered_ping'), busy.readyState]).toEqual([0, WebSocket.OPEN]);
});
