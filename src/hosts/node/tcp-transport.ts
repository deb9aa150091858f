import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, TLSSocket } from 'node:tls';
import type { TlsOptions } from '../../client/connect.ts';
import { MilenaError } from '../../client/milena-error.ts';
import type { BrokerAddress, ByteStream, StreamEvents, Transport } from '../../ports/transport.ts';
import { WRITE_HIGH_WATER_BYTES } from './client-socket.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** Kafka over TCP. */
export const tcpTransport: Transport = socketTransport('connect', ({ host, port }, { inPlace }) => {
  const options = { host, port, noDelay: true, keepAlive: true };
  if (inPlace === undefined) return connectTcp(options);
  const callback = (sizeBytes: number) => {
    inPlace.filled(sizeBytes);
    return true;
  };
  const onread = { buffer: () => inPlace.space(), callback };
  return connectTcp({ ...options, onread });
});

/** Kafka over TLS. A broker's certificate has to be for the host that is asked, unless the options say otherwise. */
export function tlsTransport(tls: TlsOptions = {}): Transport {
  return socketTransport('secureConnect', ({ host, port }) => {
    // Certificates may name addresses, but a client may not ask for one by them (RFC 6066).
    const servername = tls.servername ?? (isIP(host) === 0 ? host : '');
    return connectTls({ ...(tls as ConnectionOptions), host, port, servername })
      .setNoDelay()
      .setKeepAlive(true);
  });
}

/** @param opened the event that says it can be used. */
function socketTransport(
  opened: 'connect' | 'secureConnect',
  open: (address: BrokerAddress, events: StreamEvents) => Socket,
): Transport {
  return {
    open: (address, events, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const socket = open(address, events);
        const stream = new SocketByteStream(socket, events);
        let why = 'the broker closed the connection';
        let end: (why: string) => void = (said) => reject(failureOf(socket, said));
        const gaveUp = () => {
          reject(signal?.reason as Error);
          socket.destroy();
        };
        signal?.addEventListener('abort', gaveUp, { once: true });
        socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
        socket.on('error', (error) => (why = error.message));
        socket.on('close', () => {
          signal?.removeEventListener('abort', gaveUp);
          end(`${address.host}:${address.port}: ${why}`);
        });
        socket.once(opened, () => {
          signal?.removeEventListener('abort', gaveUp);
          socket.setTimeout(0);
          end = (said) => stream.ended(said);
          resolve(stream);
        });
      }),
  };
}

/** Trying again makes no certificate a better one. */
function failureOf(socket: Socket, message: string): Error {
  if (!(socket instanceof TLSSocket) || !socket.authorizationError) return new Error(message);
  const hint = 'give whoever signed it as tls.ca, or the name that it is for as tls.servername';
  return new MilenaError(message, { code: 'CERTIFICATE_REFUSED', hint });
}

class SocketByteStream implements ByteStream {
  readonly #socket: Socket;
  readonly #events: StreamEvents;
  #isOver = false;

  constructor(socket: Socket, events: StreamEvents) {
    this.#socket = socket;
    this.#events = events;
    // Not told where it is read in place.
    socket.on('data', (chunk) => {
      if (!this.#isOver) events.received(chunk as Buffer);
    });
    socket.on('drain', () => {
      if (!this.#isOver) events.drained();
    });
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#socket.write(bytes);
    return this.#socket.writableLength < WRITE_HIGH_WATER_BYTES;
  }

  close(): void {
    this.#socket.destroy();
    this.ended('closed here');
  }

  /** Tells the end, once. */
  ended(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.closed(why);
  }
}
