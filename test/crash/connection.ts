import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts';
import type { Api, RequestInitOf, ResponseOf } from '../../src/wire/schema.ts';

/** The broker went away: what was asked may have been done or not. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost';
}

interface Waiting {
  correlationId: number;
  answered: (frame: Buffer) => void;
  lost: () => void;
}

/** One connection that knows all: what was sent, what was answered, in which order. Requests are pipelined. */
export class Connection {
  readonly #socket: Socket;
  #waiting: Waiting[] = [];
  #received: Buffer = Buffer.alloc(0);
  #lastCorrelationId = 0;
  /** Resolves when all that had come has been read, and the rest given up. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const { lost } of waiting) lost();
        resolve();
      });
    });
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** @throws {ConnectionLost} when the broker dies first. */
  request<A extends Api>(api: A, version: number, body: RequestInitOf<A>): Promise<ResponseOf<A>> {
    const correlationId = ++this.#lastCorrelationId;
    return new Promise((resolve, reject) => {
      const lost = () => reject(new ConnectionLost(`${api.name} was not answered`));
      if (this.#socket.destroyed) return lost();
      const answered = (frame: Buffer) => {
        try {
          resolve(decodeResponse(api, version, frame).body);
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.push({ correlationId, answered, lost });
      this.#socket.write(encodeRequest(api, version, { correlationId, clientId: 'crash' }, body));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (this.#received.length - at >= 4) {
      const size = this.#received.readInt32BE(at);
      if (this.#received.length - at < 4 + size) break;
      this.#answer(this.#received.subarray(at + 4, at + 4 + size));
      at += 4 + size;
    }
    this.#received = this.#received.subarray(at);
  }

  #answer(frame: Buffer): void {
    const waiting = this.#waiting.shift();
    if (waiting?.correlationId !== frame.readInt32BE(0)) throw new Error('answers came out of order');
    waiting.answered(frame);
  }
}
