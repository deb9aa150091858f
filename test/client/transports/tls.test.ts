import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { createServer, type TlsOptions as ServerOptions } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TlsOptions } from '../../../src/client/connect.ts';
import { connect } from '../../../src/hosts/node/connect.ts';
import { startBroker, type TestBroker } from '../../../src/hosts/node/testing.ts';
import { makeCertificate } from '../../support/certificate.ts';

/** `kafkas://`, to a real broker behind a server that speaks TLS. */

let broker: TestBroker;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.close());

const own = makeCertificate('127.0.0.1');
const other = makeCertificate('127.0.0.1');
const named = makeCertificate('broker.example');

async function frontOf(target: TestBroker, options: ServerOptions) {
  const server = createServer(options);
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (client) => {
    const { hostname, port } = new URL(target.url);
    const there = connectTcp({ host: hostname, port: Number(port) });
    sockets.add(there);
    client.on('error', () => there.destroy());
    there.on('error', () => client.destroy());
    client.pipe(there).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `kafkas://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function write(url: string, tls?: TlsOptions): Promise<number> {
  await using client = await connect(url, tls && { tls });
  return (await client.send('orders', { value: 'v' })).partition;
}

test('who trusts the certificate writes', async () => {
  await using front = await frontOf(broker, own);
  expect(await write(front.url, { ca: own.cert })).toBe(0);
  expect(await write(front.url, { ca: [Buffer.from(other.cert), own.cert] })).toBe(0);
});

test('who does not is told why, and nothing else will do unless asked for', async () => {
  await using front = await frontOf(broker, own);
  const refused = {
    code: 'CERTIFICATE_REFUSED',
    retriable: false,
    message: expect.stringContaining('self-signed') as string,
    hint: expect.stringContaining('tls.ca') as string,
  };
  await expect(write(front.url)).rejects.toMatchObject(refused);
  await expect(write(front.url, { ca: other.cert })).rejects.toMatchObject(refused);
  expect(await write(front.url, { rejectUnauthorized: false })).toBe(0);
});

test('a certificate is for the host that is asked, or for the name that is given', async () => {
  await using front = await frontOf(broker, named);
  await expect(write(front.url, { ca: named.cert })).rejects.toMatchObject({
    code: 'CERTIFICATE_REFUSED',
    message: expect.stringContaining('127.0.0.1') as string,
  });
  expect(await write(front.url, { ca: named.cert, servername: 'broker.example' })).toBe(0);
});

test('a server that asks for a certificate gets the one that is given', async () => {
  const client = makeCertificate('client');
  await using front = await frontOf(broker, { ...own, requestCert: true, ca: client.cert });
  expect(await write(front.url, { ca: own.cert, ...client })).toBe(0);
  const without = connect(front.url, { tls: { ca: own.cert }, retryForMs: 0 });
  await expect(without).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
});

test('TLS where none is spoken, and none where it is', async () => {
  await using front = await frontOf(broker, own);
  const plain = front.url.replace('kafkas', 'kafka');
  const patience = { retryForMs: 0, connectTimeoutMs: 200 };
  await expect(connect(plain, patience)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  const toPlain = connect(broker.url.replace('kafka', 'kafkas'), patience);
  await expect(toPlain).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
});

test('the options are for kafkas:// alone: what would be ignored is refused', async () => {
  await expect(connect(broker.url, { tls: { ca: own.cert } })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('kafkas://') as string,
  });
});
