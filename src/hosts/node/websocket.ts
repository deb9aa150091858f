import { type IncomingMessage, ServerResponse, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { Gateway } from '../../gateway/gateway.ts';
import { KAFKA_SUBPROTOCOL } from '../../wire/web-socket.ts';
import { CLOSE_TIMEOUT_MS, localAddress } from './client-socket.ts';
import { type Address, askedFor, mayAsk, parseAddress } from './origin.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { requestUrl } from './request-url.ts';
import type { Door } from './security/doors.ts';
import { WebSocketClient } from './websocket-client.ts';

/** Where Kafka over WebSocket is on the HTTP port. */
export const KAFKA_PATH = '/kafka';

const OPTIONS: ServerOptions & { closeTimeout: number } = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  // A client may cut the stream as it likes, into messages of at most this.
  maxPayload: 8 * 1024 * 1024,
  // What one message may come in, frames and reads of the socket: each is an object until the message is whole.
  maxFragments: 1024,
  maxBufferedChunks: 16 * 1024,
  closeTimeout: CLOSE_TIMEOUT_MS,
  // A client that names protocols must name this one; naming none is fine.
  handleProtocols: (offered) => offered.has(KAFKA_SUBPROTOCOL) && KAFKA_SUBPROTOCOL,
};

export interface WebSocketDoorOptions {
  gateway: Gateway;
  /** Get back what they lent, once it is sent. */
  buffers: ReadBuffers;
  /** Undefined when clients may come, else why not. */
  notReady: () => string | undefined;
  /** Origins of pages that may use this broker, such as `https://app.example.com`; `*` is any page. */
  allowedOrigins: readonly string[];
  door: Door;
  pingIntervalMs: number;
}

/**
 * Kafka over WebSocket (ARCHITECTURE): binary messages put together are the byte stream of a TCP connection. It takes
 * upgrades from the HTTP server until that is closed; connections end with their gateway's.
 */
export function acceptWebSockets(server: Server, options: WebSocketDoorOptions): void {
  const sockets = new WebSocketServer(OPTIONS);
  const clients = new Set<WebSocketClient>();
  server.on('upgrade', (request: IncomingMessage, stream, head: Buffer) => {
    const socket = stream as Socket;
    const refusal = refuse(request, options);
    if (refusal !== undefined) return turnAway(request, socket, refusal);
    const principal = options.door.principalOf(socket);
    if (principal === false) return turnAway(request, socket, UNKNOWN_CERTIFICATE);
    const address = advertised(request) ?? localAddress(socket);
    const { buffers, door } = options;
    const about = { socket, address, buffers, principal, wantsLogin: door.wantsLogin };
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const client = new WebSocketClient(webSocket, about);
      clients.add(client);
      webSocket.on('close', () => clients.delete(client));
      client.serve(options.gateway);
    });
  });
  const pingAll = () => {
    for (const client of clients) client.ping();
  };
  // After what has come is read: a process that stood still must not think that all others did.
  const timer = setInterval(() => setImmediate(pingAll), options.pingIntervalMs).unref();
  server.on('close', () => clearInterval(timer));
}

interface Refusal {
  status: number;
  text: string;
}

const UNKNOWN_CERTIFICATE: Refusal = { status: 403, text: 'nobody comes in with this certificate' };

/** Why a request to upgrade is not granted. */
function refuse(request: IncomingMessage, options: WebSocketDoorOptions): Refusal | undefined {
  const { pathname, searchParams } = requestUrl(request);
  const offered = request.headers['sec-websocket-protocol'];
  const advertise = searchParams.get('advertise');
  if (pathname !== KAFKA_PATH)
    return { status: 404, text: `not found; Kafka over WebSocket is at ${KAFKA_PATH}` };
  if (request.headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: 400, text: 'only websocket is served' };
  if (!mayAsk(request.headers, options.allowedOrigins))
    return { status: 403, text: `pages of ${request.headers.origin} may not use this broker` };
  const why = options.notReady();
  if (why !== undefined) return { status: 503, text: why };
  if (offered !== undefined && !offered.split(',').some((name) => name.trim() === KAFKA_SUBPROTOCOL))
    return { status: 400, text: `the one protocol here is ${KAFKA_SUBPROTOCOL}` };
  if (advertise !== null && parseAddress(advertise) === undefined)
    return { status: 400, text: 'advertise takes host:port' };
  return undefined;
}

function advertised(request: IncomingMessage): Address | undefined {
  const advertise = requestUrl(request).searchParams.get('advertise');
  return advertise === null ? askedFor(request.headers) : parseAddress(advertise);
}

function turnAway(request: IncomingMessage, socket: Socket, { status, text }: Refusal): void {
  socket.on('error', () => socket.destroy());
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => socket.destroySoon());
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
