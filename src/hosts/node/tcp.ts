import { createServer, type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { ClientSocket, Connection } from '../../gateway/connection.ts';
import type { Address, Gateway } from '../../gateway/gateway.ts';
import {
  CLOSE_TIMEOUT_MS,
  TurnCork,
  WRITE_HIGH_WATER_BYTES,
  clientHost,
  localAddress,
} from './client-socket.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { Door } from './security/doors.ts';
import { ReceiveBuffer } from './receive-buffer.ts';

/** A Kafka listener. Until {@link acceptKafka} it turns clients away, who try again. */
export function kafkaServer({ tls }: Pick<Door, 'tls'>): Server {
  const options = { noDelay: true, keepAlive: true };
  if (tls !== undefined) return createTlsServer({ ...options, ...tls }).on('secureConnection', turnAway);
  return createServer({ ...options, pauseOnConnect: true }).on('connection', turnAway);
}

function turnAway(socket: Socket): void {
  socket.destroy();
}

export interface AcceptOptions {
  gateway: Gateway;
  /** Get back what they lent, once it is sent. */
  buffers: ReadBuffers;
  door: Door;
  /** What clients of this listener are told to come back to; undefined: where they came in. */
  advertised?: Address | undefined;
  /** See `ClientSocket`. */
  isProtected?: boolean | undefined;
}

/** From now on each socket is a connection of the gateway. */
export function acceptKafka(server: Server, options: AcceptOptions): void {
  if (options.door.tls === undefined) acceptPlain(server, options);
  else acceptTls(server, options);
}

function acceptTls(server: Server, options: AcceptOptions): void {
  server.off('secureConnection', turnAway);
  server.on('secureConnection', (socket: Socket) => {
    const principal = options.door.principalOf(socket);
    if (principal === false) return socket.destroy();
    const connection = options.gateway.connect(new TcpClient(socket, false, { ...options, principal }));
    socket.on('data', (chunk: Buffer) => connection.receive(chunk));
    follow(socket, connection);
  });
}

function acceptPlain(server: Server, options: AcceptOptions): void {
  const { gateway } = options;
  server.off('connection', turnAway);
  server.on('connection', (accepted) => {
    const buffer = new ReceiveBuffer();
    let connection: Connection | undefined;
    const inPlace = readInto(accepted, {
      buffer: () => buffer.next(connection?.unfinished),
      callback(size) {
        connection?.receive(buffer.take(size));
        return true;
      },
    });
    const socket = inPlace ?? accepted;
    connection = gateway.connect(new TcpClient(socket, inPlace !== undefined, options));
    if (inPlace === undefined) socket.on('data', (chunk: Buffer) => connection.receive(chunk));
    follow(socket, connection);
  });
}

function follow(socket: Socket, connection: Connection): void {
  socket.on('drain', () => connection.drained());
  socket.on('error', () => socket.destroy());
  socket.on('close', () => connection.ended());
  socket.resume();
}

/** `onread` of Node's `net.Socket`: where a read goes, and that so many bytes have come; true to go on. */
interface OnRead {
  buffer(): Uint8Array;
  callback(size: number): boolean;
}

/**
 * The same TCP connection as a socket that reads where it is told: no buffer a read, no copy a message (profiles in
 * ARCHITECTURE). Node offers this for sockets that connect, not for those it accepts, whose inner handle is not
 * documented: undefined where it is not as we know it.
 */
function readInto(accepted: Socket, onread: OnRead): Socket | undefined {
  const inner = accepted as unknown as { _handle?: object | null };
  const handle = inner._handle;
  if (!handle || !('useUserBuffer' in handle)) return undefined;
  inner._handle = null;
  const options = { handle, onread, highWaterMark: WRITE_HIGH_WATER_BYTES / 4 };
  return new Socket(options as unknown as SocketConstructorOpts);
}

class TcpClient implements ClientSocket {
  readonly readsInPlace: boolean;
  readonly wantsLogin: boolean;
  readonly principal: string | undefined;
  readonly isProtected: boolean;
  readonly advertised: Address | undefined;
  readonly #socket: Socket;
  readonly #cork: TurnCork;
  readonly #buffers: ReadBuffers;
  #clientHost: string | undefined;

  constructor(
    socket: Socket,
    readsInPlace: boolean,
    { buffers, door, advertised, principal, isProtected }: AcceptOptions & { principal?: string | undefined },
  ) {
    this.#socket = socket;
    this.#buffers = buffers;
    this.wantsLogin = door.wantsLogin;
    this.principal = principal;
    this.isProtected = isProtected === true;
    this.advertised = advertised;
    this.#cork = new TurnCork(socket);
    this.readsInPlace = readsInPlace;
  }

  get address(): { host: string; port: number } {
    return localAddress(this.#socket);
  }

  get clientHost(): string {
    this.#clientHost ??= clientHost(this.#socket);
    return this.#clientHost;
  }

  get clientPort(): number | undefined {
    return this.#socket.remotePort;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return true;
    this.#cork.hold();
    for (const chunk of chunks) socket.write(chunk, this.#buffers.sending(chunk));
    return socket.writableLength < WRITE_HIGH_WATER_BYTES;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    const socket = this.#socket;
    socket.destroySoon();
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  }
}
