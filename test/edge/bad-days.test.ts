import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { FaultyProxy } from '../client/faulty-proxy.ts';
import { text } from '../clients/fixture.ts';
import { useEdge } from './place.ts';

const place = useEdge();
const MEGABYTE = 1024 * 1024;
const CONNECTIONS = 1_000;
/** Of them: they write, and some read; each has a connection or two. */
const CLIENTS = 20;
const READERS = 4;
const SENDS = 20;
const HELLO = encodeRequest(
  apiVersionsApi,
  3,
  { correlationId: 1, clientId: 'test' },
  { clientSoftwareName: 'test', clientSoftwareVersion: '1' },
);

async function dial(url = place.url): Promise<WebSocket> {
  const socket = new WebSocket(url, 'milena.kafka.v1');
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

/** So many more connections, each of which was answered. */
async function greeted(url: string, count: number): Promise<{ closed: Promise<unknown> }[]> {
  const sockets = await Promise.all(Array.from({ length: count }, () => dial(url)));
  const answers = sockets.map((socket) => once(socket, 'message'));
  for (const socket of sockets) socket.send(HELLO);
  const correlationIds = (await Promise.all(answers)).map(([answer]) => (answer as Buffer).readInt32BE(4));
  expect(new Set(correlationIds)).toEqual(new Set([1]));
  return sockets.map((socket) => ({
    closed: once(
      socket.on('error', () => {}),
      'close',
    ),
  }));
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

test('1,000 connections are cut at once: clients come back by themselves, nothing is lost or doubled', async () => {
  const topic = place.name('cut');
  const direct = await connect(place.url);
  onTestFinished(() => direct.close());
  await direct.admin.topics.create(topic);
  await using proxy = await FaultyProxy.to({ host: '127.0.0.1', port: place.port }, () => 'passes');
  const url = `ws://127.0.0.1:${proxy.address.port}/kafka`;
  const names = Array.from({ length: CLIENTS }, (_, name) => name);
  const clients = await Promise.all(names.map(() => connect(url)));
  onTestFinished(() => Promise.all(clients.map((client) => client.close())).then(() => {}));
  const bystanders = await greeted(url, CONNECTIONS - 2 * CLIENTS);

  const wanted = names.flatMap((name) => Array.from({ length: SENDS }, (_, send) => `${name}-${send}`));
  let acked = 0;
  let cut = 0;
  const writing = clients.map(async (client, name) => {
    for (let send = 0; send < SENDS; send++) {
      await client.send(topic, { value: `${name}-${send}` });
      if (++acked === wanted.length / 2) cut = proxy.cutAll();
    }
  });
  const read = async (client: Client) => {
    const values: string[] = [];
    for await (const { value } of client.read(topic, { from: 'earliest' })) {
      values.push(String(text(value)));
      if (values.length === wanted.length) break;
    }
    return values;
  };
  const reading = clients.slice(0, READERS).map(read);
  await Promise.all(writing);
  expect(cut).toBeGreaterThanOrEqual(CONNECTIONS - CLIENTS);
  await Promise.all(bystanders.map(({ closed }) => closed));
  await greeted(url, bystanders.length);

  const stored: string[] = [];
  for await (const { value } of direct.read(topic, { from: 'earliest', live: false }))
    stored.push(String(text(value)));
  expect(stored.toSorted()).toEqual(wanted.toSorted());
  for (const values of await Promise.all(reading)) expect(values).toEqual(stored);
}, 60_000);
