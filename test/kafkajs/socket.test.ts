import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Broker } from '../../src/hosts/node/broker.ts';
import { type WebSocketFactoryOptions, webSocketFactory } from '../../src/kafkajs/index.ts';

/** The socket that kafkajs gets from `webSocketFactory`, as kafkajs uses one. The clients' tests go through it too. */

function connect(
  port: number,
  options?: WebSocketFactoryOptions,
): { socket: Socket; connected: Promise<void> } {
  let socket: Socket | undefined;
  const connected = new Promise<void>((resolve) => {
    socket = webSocketFactory(options)({ host: '127.0.0.1', port, onConnect: resolve });
  });
  if (socket === undefined) throw new Error('a factory makes its socket at once');
  return { socket, connected };
}

async function broker(): Promise<{ broker: Broker; port: number }> {
  const running = await Broker.start({ httpPort: 0 });
  onTestFinished(() => running.close());
  return { broker: running, port: running.http?.port ?? 0 };
}

/** A server that shows the messages it gets. */
async function listener(onClient: (client: WebSocket) => void): Promise<number> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: () => 'milena.kafka.v1',
  });
  server.on('connection', onClient);
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('where it connects', () => {
  const urlsOf = (ssl: unknown) => {
    const asked: object[] = [];
    const url = (address: object) => {
      asked.push(address);
      return 'no url';
    };
    const args = { host: 'broker.example', port: 9094, ssl, onConnect: () => {} };
    expect(() => webSocketFactory({ url })(args)).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
    return asked;
  };

  test.each([
    [undefined, false],
    [false, false],
    [true, true],
    [{}, true],
  ])('ssl %j', (ssl, secure) => {
    expect(urlsOf(ssl)).toEqual([{ host: 'broker.example', port: 9094, secure }]);
  });

  test('TLS options are refused: nothing would heed them', () => {
    const args = { host: 'h', port: 1, ssl: { ca: 'x', rejectUnauthorized: false }, onConnect: () => {} };
    expect(() => webSocketFactory()(args)).toThrow('it has ca, rejectUnauthorized');
  });

  test('one address for all brokers', async () => {
    const { port } = await broker();
    const { socket, connected } = connect(1, {
      url: `ws://127.0.0.1:${port}/kafka?advertise=edge.example:443`,
    });
    await connected;
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });
});

describe('what goes wrong is an error that says so', () => {
  const errorOf = async (socket: Socket) => {
    const [error] = (await once(socket, 'error')) as [Error & { code: string }];
    return `${error.code} ${error.message}`;
  };

  test('nobody listens, or no Milena', async () => {
    const { port } = await broker();
    expect(await errorOf(connect(1).socket)).toMatch(
      /^ECONNRESET ws:\/\/127\.0\.0\.1:1\/kafka: .*could not be opened/,
    );
    const elsewhere = connect(port, { url: `ws://127.0.0.1:${port}/livez` });
    expect(await errorOf(elsewhere.socket)).toContain('could not be opened');
  });

  test('the broker closes, with its reason', async () => {
    const { port } = await broker();
    const { socket, connected } = connect(port);
    await connected;
    socket.write('GET / HTTP/1.1\r\n\r\n', 'binary');
    expect(await errorOf(socket)).toContain('(1007 not_kafka)');
  });

  test('somebody who sends text', async () => {
    const { socket } = connect(await listener((client) => client.send('hello')));
    expect(await errorOf(socket)).toContain('no Kafka is spoken there');
  });
});

describe('it ends as a socket does', () => {
  test('when the broker goes: the end, and no error', async () => {
    const running = await broker();
    const { socket, connected } = connect(running.port);
    await connected;
    socket.resume();
    const ended = once(socket, 'end');
    await running.broker.close();
    await ended;
    expect(socket.errored).toBeNull();
  });

  test('when it is ended: what was written goes out before', async () => {
    let received = 0;
    const port = await listener((client) =>
      client.on('message', (message: Buffer) => (received += message.length)),
    );
    const { socket } = connect(port);
    socket.resume();
    socket.write(new Uint8Array(3_000_000));
    socket.write(new Uint8Array(1_000));
    socket.end();
    await once(socket, 'close');
    expect(received).toBe(3_001_000);
  });

  test('when it is ended before it was connected', async () => {
    const { port } = await broker();
    const { socket } = connect(port);
    socket.resume();
    socket.end();
    socket.unref();
    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  });
});

test('one message a write, cut beyond 900 KB', async () => {
  const sizes: number[] = [];
  let done: (() => void) | undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  const port = await listener((client) =>
    client.on('message', (message: Buffer) => {
      if (sizes.push(message.length) === 4) done?.();
    }),
  );
  const { socket } = connect(port);
  for (const size of [10, 2_000_000]) socket.write(new Uint8Array(size));
  await all;
  expect(sizes).toEqual([10, 900_000, 900_000, 200_000]);
  socket.destroy();
});
