import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { WebSocketServer } from 'ws';
import { inProcessTransport } from '../../../src/broker/in-process.ts';
import { messagePortTransport } from '../../../src/client/transports/message-port.ts';
import { webSocketTransport } from '../../../src/client/transports/web-socket.ts';
import type { ClientSocket, Connection } from '../../../src/gateway/connection.ts';
import { clientClock } from '../../../src/hosts/node/clock.ts';
import { tcpTransport, tlsTransport } from '../../../src/hosts/node/tcp-transport.ts';
import { PortPipe } from '../../../src/wire/port-pipe.ts';
import type { Transport } from '../../../src/ports/transport.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { freePort } from '../../support/free-port.ts';
import type { Home } from './contract.ts';

/** Told of a peer, does nothing. */
const nobody: Home['onPeer'] = () => ({ received: () => {}, ended: () => {} });
const HOST = '127.0.0.1';

async function listening(server: Server): Promise<number> {
  server.listen(0, HOST);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export function tcpHome(): Promise<Home> {
  return socketHome(createServer(), 'connection', tcpTransport);
}

export function tlsHome(): Promise<Home> {
  const { key, cert } = makeCertificate(HOST);
  return socketHome(createTlsServer({ key, cert }), 'secureConnection', tlsTransport({ ca: cert }));
}

async function socketHome(
  server: Server,
  opened: 'connection' | 'secureConnection',
  transport: Transport,
): Promise<Home> {
  const sockets = new Set<Socket>();
  // Beneath TLS there is a socket that may end before the other begins.
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  server.on(opened, (socket: Socket) => {
    const { received, ended } = home.onPeer({
      send: (bytes) => void socket.write(bytes),
      pause: () => socket.pause(),
      resume: () => void socket.resume(),
      close: () => socket.end(),
    });
    socket.on('data', (chunk) => received(chunk as Buffer));
    socket.on('error', () => {});
    socket.on('close', ended);
  });
  const port = await listening(server);
  const home: Home = {
    transport,
    address: { host: HOST, port },
    nowhere: { host: HOST, port: await freePort() },
    onPeer: nobody,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return home;
}

export function webSocketHome(): Promise<Home> {
  return webSocketHomeOn(createHttpServer(), 'ws');
}

export function secureWebSocketHome(): Promise<Home> {
  const { key, cert } = makeCertificate(HOST);
  // The platform's WebSocket takes no certificates but those that the platform trusts.
  setDefaultCACertificates([...getCACertificates(), cert]);
  return webSocketHomeOn(createHttpsServer({ key, cert }), 'wss');
}

async function webSocketHomeOn(http: Server, scheme: 'ws' | 'wss'): Promise<Home> {
  const server = new WebSocketServer({ server: http as HttpServer });
  const port = await listening(http);
  server.on('connection', (socket) => {
    const { received, ended } = home.onPeer({
      send: (bytes) => socket.send(bytes),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      close: () => socket.close(1000),
    });
    socket.on('message', (data: Buffer) => received(data));
    socket.on('error', () => {});
    socket.on('close', ended);
  });
  const home: Home = {
    transport: webSocketTransport(`${scheme}://${HOST}:${port}/kafka`, clientClock),
    address: { host: HOST, port },
    nowhere: { host: HOST, port: await freePort() },
    onPeer: nobody,
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      http.close();
      (http as HttpServer).closeAllConnections();
      await once(http, 'close');
    },
  };
  return home;
}

export async function messagePortHome(): Promise<Home> {
  const pipes: PortPipe[] = [];
  const home: Home = {
    transport: messagePortTransport(() => {
      const { port1, port2 } = new MessageChannel();
      const pipe = new PortPipe(port2, {
        received: (chunk) => peer.received(chunk),
        drained: () => {},
        closed: () => peer.ended(),
      });
      pipes.push(pipe);
      const peer = home.onPeer({
        send: (bytes) => void pipe.send([bytes]),
        pause: () => pipe.pause(),
        resume: () => pipe.resume(),
        close: () => pipe.close('closed there'),
      });
      return port1;
    }),
    address: { host: 'port', port: 1 },
    nowhere: { host: 'nowhere', port: 2 },
    onPeer: nobody,
    async [Symbol.asyncDispose]() {
      for (const pipe of pipes) pipe.close('over');
    },
  };
  return home;
}

export async function inProcessHome(): Promise<Home> {
  const sockets: ClientSocket[] = [];
  const gateway = {
    clock: clientClock,
    connect(socket: ClientSocket): Connection {
      sockets.push(socket);
      const { received, ended } = home.onPeer({
        send: (bytes) => void socket.write([bytes]),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
        close: () => socket.close('shutdown'),
      });
      return { receive: received, drained: () => {}, ended } as unknown as Connection;
    },
  };
  const address = { host: 'here', port: 1 };
  const home: Home = {
    transport: inProcessTransport(gateway, address),
    address,
    nowhere: { host: 'nowhere', port: 2 },
    onPeer: nobody,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.close('shutdown');
    },
  };
  return home;
}
