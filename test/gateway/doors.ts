import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, createWebSocketStream } from 'ws';
import type { Broker } from '../../src/hosts/node/broker.ts';

/** The ways into a broker. Tests of what is beyond the door run through each: `over-websocket.test.ts`. */
export type Door = 'tcp' | 'websocket';

let used: Door = 'tcp';

/** For all clients of this file's tests. */
export function clientsUse(door: Door): void {
  used = door;
}

/** What the broker must listen on for them. */
export function doorOptions(): { httpPort?: number } {
  return used === 'websocket' ? { httpPort: 0 } : {};
}

/** A client's end of the byte stream, whatever carries it. */
export interface ClientStream extends Duplex {
  resetAndDestroy(): unknown;
  /** Bytes the system has taken from us, with what they are wrapped in. */
  sentBytes(): number;
}

/** Where they find it, and what it tells them to come back to. */
export function doorPort({ kafka, http }: Broker): number {
  if (used === 'tcp') return kafka.port;
  if (http === undefined) throw new Error('the broker was started without its HTTP port');
  return http.port;
}

export function dial(broker: Broker, host = '127.0.0.1'): Promise<ClientStream> {
  const port = doorPort(broker);
  return used === 'tcp' ? dialTcp({ host, port }) : dialWebSocket(`ws://${host}:${port}/kafka`);
}

export async function dialTcp(address: { host: string; port: number }): Promise<ClientStream> {
  const socket = connect({ ...address, noDelay: true });
  await once(socket, 'connect');
  return Object.assign(socket, { sentBytes: () => sentBytes(socket) });
}

/** A WebSocket whose reading can be held back: what the global one of Node cannot. */
async function dialWebSocket(url: string): Promise<ClientStream> {
  const webSocket = new WebSocket(url, 'milena.kafka.v1');
  const upgraded = once(webSocket, 'upgrade') as Promise<[{ socket: Socket }]>;
  const stream = createWebSocketStream(webSocket);
  await once(webSocket, 'open');
  const [{ socket }] = await upgraded;
  webSocket.once('close', () => stream.destroy());
  const resetAndDestroy = () => void socket.resetAndDestroy();
  return Object.assign(stream, { resetAndDestroy, sentBytes: () => sentBytes(socket) });
}

function sentBytes(socket: Socket): number {
  return socket.bytesWritten - socket.writableLength;
}
