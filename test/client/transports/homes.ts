import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { inProcessTransport } from '../../../src/broker/in-process.ts';
import { messagePortTransport } from '../../../src/client/transports/message-port.ts';
import { webSocketTransport } from '../../../src/client/transports/web-socket.ts';
import type { ClientSocket, Connection } from '../../../src/gateway/connection.ts';
import { clientClock } from '../../../src/hosts/node/clock.ts';
import { tcpTransport } from '../../../src/hosts/node/tcp-transport.ts';
import { PortPipe } from '../../../src/wire/port-pipe.ts';
import type { Home } from './contract.ts';

/** Told of a peer, does nothing. */
const nobody: Home['onPeer'] = () => ({ received: () => {}, ended: () => {} });
const HOST = '127.0.0.1';

async function listening(server: Server): Promise<number> {
  server.listen(0, HOST);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port that is nobody's: it was given out a moment ago, and given back. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  return port;
}

export async function tcpHome(): Promise<Home> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
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
    transport: tcpTransport,
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

export async function webSocketHome(): Promise<Home> {
  const server = new WebSocketServer({ host: HOST, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
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
    transport: webSocketTransport(`ws://${HOST}:${port}/kafka`, clientClock),
    address: { host: HOST, port },
    nowhere: { host: HOST, port: await freePort() },
    onPeer: nobody,
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
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
