import { connect, type Socket } from 'node:net';
import type { ByteStream, StreamEvents, Transport } from '../../ports/transport.ts';
import { WRITE_HIGH_WATER_BYTES } from './client-socket.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** Kafka over TCP. */
export const tcpTransport: Transport = {
  open: ({ host, port }, events, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const socket = connect({ host, port, noDelay: true, keepAlive: true });
      const stream = new TcpByteStream(socket, events);
      let why = 'the broker closed the connection';
      let end: (why: string) => void = (said) => reject(new Error(said));
      const gaveUp = () => {
        reject(signal?.reason as Error);
        socket.destroy();
      };
      signal?.addEventListener('abort', gaveUp, { once: true });
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
      socket.on('error', (error) => (why = error.message));
      socket.on('close', () => {
        signal?.removeEventListener('abort', gaveUp);
        end(`${host}:${port}: ${why}`);
      });
      socket.once('connect', () => {
        signal?.removeEventListener('abort', gaveUp);
        socket.setTimeout(0);
        end = (said) => stream.ended(said);
        resolve(stream);
      });
    }),
};

class TcpByteStream implements ByteStream {
  readonly #socket: Socket;
  readonly #events: StreamEvents;
  #isOver = false;

  constructor(socket: Socket, events: StreamEvents) {
    this.#socket = socket;
    this.#events = events;
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
