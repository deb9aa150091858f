import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { ClientSocket, CloseReason, Connection } from '../../gateway/connection.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import { TurnCork, WRITE_HIGH_WATER_BYTES, clientHost } from './client-socket.ts';
import type { Address } from './origin.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { cutMessages } from './websocket-messages.ts';

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
  // RFC 6455: against the policy of whoever is here.
  login_refused: 1008,
  login_missing: 1008,
  login_expired: 1008,
  // Try again later.
  too_many_connections: 1013,
  too_many_from_ip: 1013,
  connects_too_often: 1013,
};

interface WebSocketParts {
  socket: Socket;
  address: Address;
  buffers: ReadBuffers;
  principal: string | undefined;
  wantsLogin: boolean;
}

/** A WebSocket that carries a client's byte stream. */
export class WebSocketClient implements ClientSocket {
  readonly readsInPlace = false;
  readonly address: Address;
  readonly clientHost: string;
  readonly clientPort: number | undefined;
  readonly principal: string | undefined;
  readonly wantsLogin: boolean;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #cork: TurnCork;
  readonly #buffers: ReadBuffers;
  #connection: Connection | undefined;
  /** Heard of since the last ping. */
  #isAlive = true;

  constructor(webSocket: WebSocket, { socket, address, buffers, principal, wantsLogin }: WebSocketParts) {
    this.principal = principal;
    this.wantsLogin = wantsLogin;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#buffers = buffers;
    this.#cork = new TurnCork(socket);
    this.address = address;
    this.clientHost = clientHost(socket);
    this.clientPort = socket.remotePort;
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
      for (const [at, part] of parts.entries()) {
        webSocket.send(part, { binary: true, fin: at === last }, this.#buffers.sending(part));
      }
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
