import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts';
import type { Api, ResponseOf } from '../../src/wire/schema.ts';
import { clientsUse } from '../gateway/doors.ts';
import { TestBroker, batch, fetchBody, produce } from '../gateway/harness.ts';
import { until } from '../gateway/until.ts';
import { closeFrame, frame, upgrade } from './upgrade.ts';

/** What is the WebSocket door's own: how it is asked, how the stream is cut, what its closes say. */

clientsUse('websocket');
let server: TestBroker;
let port: number;
beforeAll(async () => {
  server = await TestBroker.start({ allowedOrigins: ['https://app.example.com'] });
  port = server.broker.http?.port ?? 0;
});
afterAll(() => server.close());

function metadata(correlationId: number): Uint8Array {
  return encodeRequest(metadataApi, 12, { correlationId, clientId: null }, { topics: [] });
}

async function open(path = '/kafka', options: object = {}): Promise<WebSocket> {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
  await once(webSocket, 'open');
  return webSocket;
}

/** One request in one message, its answer in one. */
async function ask<A extends Api>(webSocket: WebSocket, api: A, request: Uint8Array, version: number) {
  webSocket.send(request);
  const [message] = (await once(webSocket, 'message')) as [Buffer];
  return decodeResponse(api, version, message.subarray(4)).body as ResponseOf<A>;
}

describe('asking for it', () => {
  test('a plain request is told to upgrade, other paths and methods are not there', async () => {
    const answer = async (path: string, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
      return [response.status, response.headers.get('upgrade')];
    };
    expect(await answer('/kafka')).toEqual([426, 'websocket']);
    expect(await answer('/kafka', 'POST')).toEqual([405, null]);
    expect(await answer('/kafka/')).toEqual([404, null]);
    const elsewhere = await upgrade({ port, path: '/readyz' });
    expect([elsewhere.status, elsewhere.text]).toEqual([404, 'not found; Kafka over WebSocket is at /kafka']);
  });

  test('another upgrade than to a WebSocket is not ours: the request is answered', async () => {
    const { status, text } = await upgrade({ port, path: '/livez', headers: { upgrade: 'h2c' } });
    expect([status, text]).toEqual([200, 'ok']);
  });

  test.each([
    ['no protocol', {}, 101, undefined],
    ['ours', { 'sec-websocket-protocol': 'milena.kafka.v1' }, 101, 'milena.kafka.v1'],
    ['ours among others', { 'sec-websocket-protocol': 'mqtt, milena.kafka.v1' }, 101, 'milena.kafka.v1'],
    ['others only', { 'sec-websocket-protocol': 'mqtt' }, 400, undefined],
    ['an old version of WebSocket', { 'sec-websocket-version': '7' }, 400, undefined],
    ['no key', { 'sec-websocket-key': 'short' }, 400, undefined],
  ])('%s', async (_, headers, status, protocol) => {
    const upgraded = await upgrade({ port, headers });
    expect([upgraded.status, upgraded.headers['sec-websocket-protocol']]).toEqual([status, protocol]);
    upgraded.socket.destroy();
  });

  test('batches are compressed already: no compression is agreed on', async () => {
    const offer = { 'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits' };
    const { headers, socket } = await upgrade({ port, headers: offer });
    expect(headers['sec-websocket-extensions']).toBeUndefined();
    socket.destroy();
  });
});

describe('pages', () => {
  const HERE = 'the address itself';
  test.each([
    ['a foreign page', 'https://evil.example', HERE, 403],
    ['a page of another port here', 'http://127.0.0.1:3000', HERE, 403],
    ['a page without an origin, such as a file', 'null', HERE, 403],
    ['nonsense', 'a b', HERE, 403],
    ['a name that leads here, said by the page itself', 'http://evil.example:9094', 'evil.example:9094', 403],
    ['a page that came from here', HERE, HERE, 101],
    ['a page that came from localhost', 'http://localhost:9094', 'localhost:9094', 101],
    ['a page that came from an IPv6 address', 'http://[::1]:9094', '[::1]:9094', 101],
    ['a page that is allowed by name', 'https://app.example.com', HERE, 101],
  ])('%s', async (_, origin, host, status) => {
    const address = `127.0.0.1:${port}`;
    const headers = {
      origin: origin === HERE ? `http://${address}` : origin,
      host: host === HERE ? address : host,
    };
    const upgraded = await upgrade({ port, headers });
    expect(upgraded.status).toBe(status);
    upgraded.socket.destroy();
  });

  test('any page, when all are allowed', async () => {
    const open = await TestBroker.start({ allowedOrigins: ['*'] });
    const headers = { origin: 'https://evil.example' };
    const upgraded = await upgrade({ port: open.broker.http?.port ?? 0, headers });
    expect(upgraded.status).toBe(101);
    upgraded.socket.destroy();
    await open.close();
  });
});

describe('the address Metadata tells', () => {
  const told = async (path: string, headers: Record<string, string> = {}) => {
    const webSocket = await open(path, { headers });
    const { brokers } = await ask(webSocket, metadataApi, metadata(1), 12);
    const find = encodeRequest(findCoordinatorApi, 3, { correlationId: 2, clientId: null }, { key: 'group' });
    const coordinator = await ask(webSocket, findCoordinatorApi, find, 3);
    webSocket.terminate();
    const addresses = [...brokers, coordinator].map((broker) => [broker.host, broker.port]);
    expect(addresses[1]).toEqual(addresses[0]);
    return addresses[0];
  };

  test.each([
    ['what the client dialled', '/kafka', { host: 'broker.example:9094' }, ['broker.example', 9094]],
    ['an IPv6 address, without its brackets', '/kafka', { host: '[::1]:9094' }, ['::1', 9094]],
    ['the standard port', '/kafka', { host: 'broker.example' }, ['broker.example', 80]],
    [
      'the one behind a TLS proxy',
      '/kafka',
      { host: 'broker.example', 'x-forwarded-proto': 'https' },
      ['broker.example', 443],
    ],
    ['what it asks to be told', '/kafka?advertise=edge.example:443', {}, ['edge.example', 443]],
  ])('%s', async (_, path, headers, address) => {
    expect(await told(path, headers as Record<string, string>)).toEqual(address);
  });

  test.each(['edge.example', 'edge.example:0', 'edge.example:65536', ':9092', 'a/b:9092', '[zz]:1', ''])(
    'advertise=%s is refused',
    async (advertise) => {
      const { status, text } = await upgrade({ port, path: `/kafka?advertise=${advertise}` });
      expect([status, text]).toEqual([400, 'advertise takes host:port']);
    },
  );
});

describe('the stream', () => {
  test('any cut of it into messages and frames is the same stream', async () => {
    const requests = [metadata(1), metadata(2), metadata(3)];
    const stream = Buffer.concat(requests);
    const cut = fc.record({ sizeBytes: fc.integer({ min: 0, max: 40 }), fin: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { maxLength: 20 }), async (cuts) => {
        const webSocket = await open();
        const answered: number[] = [];
        webSocket.on('message', (message: Buffer) => answered.push(message.readInt32BE(4)));
        let at = 0;
        for (const { sizeBytes, fin } of cuts) {
          webSocket.send(stream.subarray(at, at + sizeBytes), { binary: true, fin });
          at = Math.min(stream.length, at + sizeBytes);
        }
        webSocket.send(stream.subarray(at), { binary: true });
        await until('all are answered', () => answered.length === requests.length);
        webSocket.terminate();
        expect(answered).toEqual([1, 2, 3]);
      }),
      { numRuns: 30 },
    );
  });

  test('one message of ours a Kafka message, cut only beyond 900 KB', async () => {
    const client = await server.client();
    const topic = await server.topic(client);
    for (let i = 0; i < 3; i++) await produce(client, topic, batch([new Uint8Array(700_000)]));
    const fetch = (fetchOffset: number, partitionMaxBytes: number) => {
      const body = fetchBody([{ topic, fetchOffset, partitionMaxBytes }], { maxBytes: 10_000_000 });
      return encodeRequest(fetchApi, 12, { correlationId: 1, clientId: null }, body);
    };
    const webSocket = await open();
    const sizes: number[] = [];
    webSocket.on('message', (message: Buffer) => sizes.push(message.length));
    webSocket.send(Buffer.concat([fetch(2, 1), fetch(0, 5_000_000), metadata(2)]));
    await until('all is there', () => sizes.length === 5);
    expect(sizes[0]).toBeGreaterThan(700_000);
    expect(sizes.slice(1, 4)).toEqual([900_000, 900_000, expect.any(Number)]);
    expect((sizes[1] ?? 0) + (sizes[2] ?? 0) + (sizes[3] ?? 0)).toBeGreaterThan(2_100_000);
    expect(sizes[4]).toBeLessThan(200);
    webSocket.terminate();
  });
});

describe('closes say why', () => {
  const mebibytes = (count: number) => count * 1024 * 1024;
  test.each([
    ['a text message', frame(Buffer.from('hello'), { opcode: 1 }), 1003, 'not_binary'],
    ['a frame without a mask', frame(metadata(1), { masked: false }), 1002, 'bad_websocket'],
    ['an opcode nobody has', frame(new Uint8Array(1), { opcode: 7 }), 1002, 'bad_websocket'],
    ['a continuation of nothing', frame(new Uint8Array(1), { opcode: 0 }), 1002, 'bad_websocket'],
    [
      'a message over 8 MiB, as soon as it is announced',
      frame(new Uint8Array(1), { announcedBytes: mebibytes(8) + 1 }),
      1009,
      'too_large',
    ],
    [
      'a message of no end of frames',
      Buffer.concat([
        frame(new Uint8Array(1), { fin: false }),
        ...Array.from({ length: 1024 }, () => frame(new Uint8Array(1), { opcode: 0, fin: false })),
      ]),
      1008,
      'too_large',
    ],
    ['what is no Kafka', frame(Buffer.from('GET / HTTP/1.1\r\n')), 1007, 'not_kafka'],
    ['an API nobody has', frame(Buffer.from('0000000a7fff000000000001ffff', 'hex')), 1003, 'unsupported'],
  ])('%s', async (_, bytes, code, reason) => {
    const before = server.closedFor(reason);
    const { socket } = await upgrade({ port });
    const closed = closeFrame(socket);
    socket.write(bytes);
    // A client that answers a close, as one must.
    socket.once('data', () => socket.write(frame(Buffer.from([code >> 8, code & 255]), { opcode: 8 })));
    expect((await closed).code).toBe(code);
    await until('it is counted', () => server.closedFor(reason) === before + 1);
  });

  test('a broker that stops says that it goes away', async () => {
    const stopping = await TestBroker.start();
    const webSocket = new WebSocket(`ws://127.0.0.1:${stopping.broker.http?.port}/kafka`);
    await once(webSocket, 'open');
    const closed = once(webSocket, 'close') as Promise<[number, Buffer]>;
    await stopping.close();
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([1001, 'shutdown']);
  });
});
