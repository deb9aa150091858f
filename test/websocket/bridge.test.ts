import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Bridge, type BridgeOptions } from '../../src/hosts/node/bridge.ts';
import { logger } from '../../src/hosts/node/logger.ts';

/** The bridge between a TCP client that does as it is told and a WebSocket server that does likewise. */

const MB = 1024 * 1024;

/** Far ends of bridged connections, in the order they came; the bridge's first try is not among them. */
class FarSide {
  readonly server: WebSocketServer;
  readonly urls: string[] = [];
  readonly #arrived: WebSocket[] = [];
  #wanted: ((webSocket: WebSocket) => void) | undefined;

  private constructor(server: WebSocketServer) {
    this.server = server;
    let isProbe = true;
    server.on('connection', (webSocket, { url = '' }) => {
      if (isProbe) return void (isProbe = false);
      this.urls.push(url);
      if (this.#wanted === undefined) this.#arrived.push(webSocket);
      else this.#wanted(webSocket);
      this.#wanted = undefined;
    });
  }

  static async start({ autoPong = true } = {}): Promise<FarSide> {
    const server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      autoPong,
      handleProtocols: () => 'milena.kafka.v1',
    });
    const side = new FarSide(server);
    onTestFinished(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    await once(server, 'listening');
    return side;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  next(): Promise<WebSocket> {
    const found = this.#arrived.shift();
    return found === undefined ? new Promise((resolve) => (this.#wanted = resolve)) : Promise.resolve(found);
  }
}

async function bridgeTo(url: string, options: Partial<BridgeOptions> = {}) {
  const lines: string[] = [];
  const log = logger({ level: 'warn', format: 'json', write: (line) => lines.push(line) });
  const bridge = await Bridge.start({ url, listen: { host: '127.0.0.1', port: 0 }, log, ...options });
  onTestFinished(() => bridge.close());
  return { bridge, lines };
}

async function dial({ address }: Bridge): Promise<Socket> {
  const socket = connect({ ...address, noDelay: true });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function pair(options: Partial<BridgeOptions> = {}, far: { autoPong?: boolean } = {}) {
  const side = await FarSide.start(far);
  const { bridge, lines } = await bridgeTo(side.url, options);
  const near = await dial(bridge);
  return { side, bridge, lines, near, far: await side.next() };
}

/** Bytes that tell where they stand: they repeat after a prime number, which no cut is a multiple of. */
function pattern(length: number, from = 0): Buffer {
  const start = from % PERIOD;
  if (start + length <= TILE.length) return TILE.subarray(start, start + length);
  return Buffer.alloc(length, Buffer.concat([TILE.subarray(start, PERIOD), TILE.subarray(0, start)]));
}

const PERIOD = 1_000_003;
const TILE = Buffer.alloc(
  3 * PERIOD,
  Buffer.from(Uint8Array.from({ length: PERIOD }, (_, at) => (at * 31) >>> 5)),
);

async function readBytes(socket: Socket, count: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < count) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    chunks.push(chunk);
    length += chunk.length;
  }
  return Buffer.concat(chunks);
}

describe('bytes', () => {
  test('go both ways, in order, whatever their cut', async () => {
    const { near, far } = await pair();
    const sent = pattern(3 * MB);
    far.on('message', (data: Buffer) => far.send(data));
    near.write(sent);
    expect((await readBytes(near, sent.length)).equals(sent)).toBe(true);
  });

  test('no message to the broker is larger than intermediaries take', async () => {
    const { near, far } = await pair();
    const sizes: number[] = [];
    far.on('message', (data: Buffer) => sizes.push(data.length));
    near.end(pattern(5 * MB));
    await once(far, 'close');
    expect(Math.max(...sizes)).toBeLessThanOrEqual(900_000);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(5 * MB);
  });

  test('what a client said just before it left arrives', async () => {
    const { near, far } = await pair();
    const messages: Buffer[] = [];
    far.on('message', (data: Buffer) => messages.push(data));
    near.end('the last word');
    await once(far, 'close');
    expect(Buffer.concat(messages).toString()).toBe('the last word');
  });
});

describe('whoever does not read is not sent more', () => {
  test('a client', async () => {
    const { near, far } = await pair();
    near.pause();
    const total = 64 * MB;
    let accepted = 0;
    for (let at = 0; at < total; at += MB / 4) far.send(pattern(MB / 4, at), () => (accepted += MB / 4));
    await settled(() => accepted);
    // What two sockets hold, and a megabyte or two between them.
    expect(accepted).toBeLessThan(total / 2);
    const bytes = readBytes(near, total);
    near.resume();
    expect((await bytes).equals(pattern(total))).toBe(true);
  });

  test('a broker', async () => {
    const { near, far } = await pair();
    far.pause();
    const total = 64 * MB;
    let accepted = 0;
    for (let at = 0; at < total; at += MB) near.write(pattern(MB, at), () => (accepted += MB));
    await settled(() => accepted);
    expect(accepted).toBeLessThan(total / 2);
    let received = 0;
    let isEqual = true;
    const all = new Promise<void>((resolve) => {
      far.on('message', (data: Buffer) => {
        isEqual &&= data.equals(pattern(data.length, received));
        received += data.length;
        if (received === total) resolve();
      });
    });
    far.resume();
    await all;
    expect(isEqual).toBe(true);
  });
});

/** Until a count has not moved for a while: nothing says that it has come to rest. */
async function settled(count: () => number): Promise<void> {
  let before = -1;
  await vi.waitFor(
    () => {
      const now = count();
      const isAtRest = now === before;
      before = now;
      if (!isAtRest) throw new Error(`still moving at ${now}`);
    },
    { interval: 300, timeout: 20_000 },
  );
}

describe('ends', () => {
  test('a client that goes takes its WebSocket with it', async () => {
    const { bridge, near, far } = await pair();
    expect(bridge.connectionCount).toBe(1);
    near.resetAndDestroy();
    await once(far, 'close');
    await vi.waitFor(() => expect(bridge.connectionCount).toBe(0));
  });

  test('a broker that closes closes the client, after what it said', async () => {
    const { near, far, lines } = await pair();
    const read = readBytes(near, MB);
    far.send(pattern(MB));
    far.close(1001, 'shutdown');
    expect((await read).length).toBe(MB);
    if (!near.closed) await once(near, 'close');
    expect(lines).toEqual([]);
  });

  test('a broker that says why is heard', async () => {
    const { near, far, lines } = await pair();
    far.close(1013, 'memory');
    near.resume();
    await once(near, 'close');
    expect(lines.join('')).toContain('1013 memory');
  });

  test('a broker that does not answer any more is given up', async () => {
    const { near, lines } = await pair({ pingIntervalMs: 20 }, { autoPong: false });
    near.resume();
    await once(near, 'close');
    expect(lines.join('')).toContain('does not answer any more');
  });

  test('a broker that speaks text is none', async () => {
    const { near, far, lines } = await pair();
    far.send('hello');
    near.resume();
    await once(near, 'close');
    expect(lines.join('')).toContain('no Kafka is spoken there');
  });

  test('closing the bridge ends all there are', async () => {
    const { bridge, near, far } = await pair();
    const gone = [once(near, 'close'), once(far, 'close')];
    near.resume();
    await bridge.close();
    await Promise.all(gone);
    expect(bridge.connectionCount).toBe(0);
  });
});

describe('where it leads', () => {
  test('to /kafka unless a path is named; the broker is told the address that the client came in on', async () => {
    const { side, bridge } = await pair();
    expect(side.urls).toEqual([`/kafka?advertise=127.0.0.1%3A${bridge.address.port}`]);
  });

  test('or what it shall be told', async () => {
    const { side } = await pair({ advertise: { host: '::1', port: 9 } });
    expect(side.urls).toEqual(['/kafka?advertise=%5B%3A%3A1%5D%3A9']);
  });

  test('nobody there, or nobody who speaks it: known before a client comes', async () => {
    await expect(bridgeTo('ws://127.0.0.1:1/kafka')).rejects.toThrow(
      /ws:\/\/127\.0\.0\.1:1\/kafka: .*ECONNREFUSED/,
    );
  });

  test('a broker that goes is news once, and one that is back is used', async () => {
    const { side, bridge, lines, near } = await pair();
    const { port } = side.server.address() as AddressInfo;
    for (const client of side.server.clients) client.close();
    side.server.close();
    near.resume();
    await once(near, 'close');
    for (let tries = 0; tries < 3; tries++) {
      const refused = await dial(bridge);
      refused.resume();
      await once(refused, 'close');
    }
    expect(lines).toHaveLength(1);
    const back = new WebSocketServer({ port, host: '127.0.0.1', handleProtocols: () => 'milena.kafka.v1' });
    onTestFinished(() => {
      for (const client of back.clients) client.terminate();
      back.close();
    });
    const arrived = once(back, 'connection');
    await dial(bridge);
    await arrived;
  });
});

test('many clients at once, up to a bound', async () => {
  const side = await FarSide.start();
  side.server.on('connection', (webSocket) =>
    webSocket.on('message', (data: Buffer) => webSocket.send(data)),
  );
  const { bridge } = await bridgeTo(side.url, { connectionsMax: 200 });
  const clients = await Promise.all(Array.from({ length: 200 }, () => dial(bridge)));
  const answers = clients.map(async (client, at) => {
    client.write(`client ${at}`);
    return (await readBytes(client, `client ${at}`.length)).toString();
  });
  expect(await Promise.all(answers)).toEqual(clients.map((_, at) => `client ${at}`));
  const tooMany = await dial(bridge);
  tooMany.resume();
  await once(tooMany, 'close');
  expect(bridge.connectionCount).toBe(200);
});
