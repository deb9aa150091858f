import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { connect } from '../../src/hosts/node/connect.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { useEdge } from './place.ts';

const place = useEdge();
const MEGABYTE = 1024 * 1024;
const HELLO = encodeRequest(
  apiVersionsApi,
  3,
  { correlationId: 1, clientId: 'test' },
  { clientSoftwareName: 'test', clientSoftwareVersion: '1' },
);

async function dial(): Promise<WebSocket> {
  const socket = new WebSocket(place.url, 'milena.kafka.v1');
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

/** The code that the Worker closes with, after it was sent this. */
async function closedAfter(...messages: (Uint8Array | string)[]): Promise<number> {
  const socket = await dial();
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  for (const message of messages) socket.send(message);
  const [code] = (await closed) as [number];
  return code;
}

/** Whatever has happened before, this is served. */
async function expectServed(): Promise<void> {
  const client = await connect(place.url);
  try {
    const topic = place.name('still');
    await client.admin.topics.create(topic);
    expect(await client.send(topic, { value: 'x' })).toMatchObject({ offset: 0 });
  } finally {
    await client.close();
  }
}

describe('what clients may send', () => {
  test.each([
    ['text', [1003], ['hello']],
    ['no Kafka', [1007], [new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')]],
    // Whoever is still sending may not hear why.
    ['a message of 33 MB', [1009, 1006], [new Uint8Array(33 * MEGABYTE)]],
  ] as const)('%s ends its connection with %j, and nobody else hears of it', async (_, codes, messages) => {
    expect(codes).toContain(await closedAfter(...messages));
    await expectServed();
  });

  test('a message in any cut', async () => {
    const socket = await dial();
    const answer = once(socket, 'message');
    for (const byte of HELLO) socket.send(Uint8Array.of(byte));
    const [bytes] = (await answer) as [Buffer];
    expect(bytes.readInt32BE(4)).toBe(1);
  });

  test('is not compressed a second time, though clients offer it', async () => {
    expect((await dial()).extensions).toBe('');
  });
});

test('300 clients go at once, and come again', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 2; round++) {
    const sockets = await Promise.all(Array.from({ length: 300 }, dial));
    const answers = sockets.map((socket) => once(socket, 'message'));
    for (const socket of sockets) socket.send(HELLO);
    const correlationIds = (await Promise.all(answers)).map(([answer]) => (answer as Buffer).readInt32BE(4));
    expect(new Set(correlationIds)).toEqual(new Set([1]));
    for (const socket of sockets) socket.terminate();
  }
  await expectServed();
});
