import { type IncomingMessage, ServerResponse, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { ClientSocket, CloseReason, Connection } from '../../gateway/connection.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import {
  CLOSE_TIMEOUT_MS,
  TurnCork,
  WRITE_HIGH_WATER_BYTES,
  clientHost,
  localAddress,
} from './client-socket.ts';
import { type Address, askedFor, mayAsk, parseAddress } from './origin.ts';
import { requestUrl } from './request-url.ts';
import { cutMessages } from './websocket-messages.ts';

/** Where Kafka over WebSocket is on the HTTP port. */
export const KAFKA_PATH = '/kafka';
/** A client that names protocols must name this one; naming none is fine. */
export const KAFKA_SUBPROTOCOL = 'milena.kafka.v1';

/** A client may cut the stream as it likes, into messages of at most this. */
const MESSAGE_MAX_BYTES = 8 * 1024 * 1024;
/** What a message may come in: frames, and reads of the socket. Each costs us an object until the message is whole. */
const FRAMES_MAX = 1024;
const READS_MAX = 16 * 1024;
/** A ping, or its answer, and its mask. */
const CONTROL_FRAME_BYTES = 6;

/** What the client is told: RFC 6455's code; the reason is our own word for it. */
const CLOSE_CODES: Readonly<Record<CloseReason, number>> = {
  not_kafka: 1007,
  bad_request: 1007,
  unsupported: 1003,
  acks_0_failed: 1011,
  memory: 1013,
  idle: 1000,
  shutdown: 1001,
  bad_websocket: 1002,
  not_binary: 1003,
  too_large: 1009,
  unanswered_ping: 1001,
};

export interface WebSocketDoorOptions {
  gateway: Gateway;
  /** Undefined when clients may come, else why not. */
  notReady: () => string | undefined;
  /** Origins of pages that may use this broker, such as `https://app.example.com`; `*` is any page. */
  allowedOrigins: readonly string[];
  pingIntervalMs: number;
}

/**
 * Kafka over WebSocket (ARCHITECTURE): binary messages put together are the byte stream of a TCP connection. It takes
 * upgrades from the HTTP server until that is closed; connections end with their gateway's.
 */
export function acceptWebSockets(server: Server, options: WebSocketDoorOptions): void {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_MAX_BYTES,
    maxFragments: FRAMES_MAX,
    maxBufferedChunks: READS_MAX,
    handleProtocols: (offered) => offered.has(KAFKA_SUBPROTOCOL) && KAFKA_SUBPROTOCOL,
    ...{ closeTimeout: CLOSE_TIMEOUT_MS },
  });
  const clients = new Set<WebSocketClient>();
  server.on('upgrade', (request: IncomingMessage, stream, head: Buffer) => {
    const socket = stream as Socket;
    const refusal = refuse(request, options);
    if (refusal !== undefined) return turnAway(request, socket, refusal);
    const address = advertised(request) ?? localAddress(socket);
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const client = new WebSocketClient(webSocket, socket, address);
      clients.add(client);
      webSocket.on('close', () => clients.delete(client));
      client.serve(options.gateway);
    });
  });
  const timer = setInterval(() => {
    for (const client of clients) client.ping();
  }, options.pingIntervalMs).unref();
  server.on('close', () => clearInterval(timer));
}

interface Refusal {
  status: number;
  text: string;
}

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

class WebSocketClient implements ClientSocket {
  readonly readsInPlace = false;
  readonly address: Address;
  readonly clientHost: string;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #cork: TurnCork;
  #connection: Connection | undefined;
  /** Heard of since the last ping. */
  #isAlive = true;

  constructor(webSocket: WebSocket, socket: Socket, address: Address) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#cork = new TurnCork(socket);
    this.address = address;
    this.clientHost = clientHost(socket);
  }

  /** Becomes a connection of the gateway. */
  serve(gateway: Gateway): void {
    const webSocket = this.#webSocket;
    const connection = gateway.connect(this);
    this.#connection = connection;
    webSocket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) connection.receive(data);
      else connection.close('not_binary');
    });
    webSocket.on('error', (error: Error & { code?: string }) => {
      const reason = reasonOf(error.code);
      if (reason !== undefined) connection.close(reason);
    });
    webSocket.on('close', () => connection.ended());
    this.#socket.on('drain', () => connection.drained());
    this.#watch(connection);
  }

  /** Any byte is a sign of life; and those of a message whose end has not come are known to the gateway. */
  #watch(connection: Connection): void {
    let keptBytes = 0;
    const control = (data: Buffer) => (keptBytes -= CONTROL_FRAME_BYTES + data.length);
    this.#webSocket.on('ping', control);
    this.#webSocket.on('pong', control);
    this.#webSocket.prependListener('message', () => (keptBytes = -Infinity));
    this.#socket.on('data', (chunk: Buffer) => {
      this.#isAlive = true;
      // Behind a whole message the rest of a read counts with the next one.
      keptBytes = Math.max(0, keptBytes + chunk.length);
      if (keptBytes > 0) connection.keptBack(keptBytes);
    });
  }

  /**
   * Ends a client that has not been heard of since the last ping: its machine may have gone without a word. Who is
   * not read now cannot be heard, and is left to the gateway.
   */
  ping(): void {
    const webSocket = this.#webSocket;
    if (webSocket.isPaused || webSocket.readyState !== WebSocket.OPEN) return;
    if (!this.#isAlive) return this.#connection?.close('unanswered_ping');
    this.#isAlive = false;
    webSocket.ping();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const webSocket = this.#webSocket;
    if (webSocket.readyState !== WebSocket.OPEN) return true;
    this.#cork.hold();
    for (const parts of cutMessages(chunks)) {
      const last = parts.length - 1;
      // Frames of one message: nothing is copied to put it together.
      for (const [at, part] of parts.entries()) webSocket.send(part, { binary: true, fin: at === last });
    }
    return webSocket.bufferedAmount < WRITE_HIGH_WATER_BYTES;
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#isAlive = true;
    this.#webSocket.resume();
  }

  close(reason: CloseReason): void {
    // What it still says is not heard, but its goodbye is.
    this.#webSocket.resume();
    this.#webSocket.close(CLOSE_CODES[reason], reason);
  }
}

/** What the client did wrong; undefined for a socket that failed. */
function reasonOf(code: string | undefined): CloseReason | undefined {
  switch (code) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return 'too_large';
    default:
      return code?.startsWith('WS_ERR_') ? 'bad_websocket' : undefined;
  }
}
