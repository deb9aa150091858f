import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts';
import type { Api, RequestInitOf, ResponseOf } from '../../src/wire/schema.ts';
import { type ClientStream, dialTcp } from './doors.ts';

interface Expected {
  correlationId: number;
  take: (frame: Uint8Array) => void;
  fail: (error: Error) => void;
}

/** Kafka frames over a stream and nothing else: no retries, no metadata, answers strictly in request order. */
export class RawClient {
  readonly socket: ClientStream;
  clientId = 'raw';
  /** Resolves when the connection has ended, whoever ended it and how. */
  readonly closed: Promise<void>;
  #expected: Expected[] = [];
  #received: Uint8Array = new Uint8Array(0);
  #correlationId = 0;
  #ended = false;

  constructor(socket: ClientStream) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#ended = true;
        for (const { fail } of this.#expected.splice(0)) fail(new Error('connection closed'));
        resolve();
      });
    });
  }

  static async connect({ host, port }: { host: string; port: number }): Promise<RawClient> {
    return new RawClient(await dialTcp({ host, port }));
  }

  /** Pipelines. @throws when the connection closes first, or the answer is no answer of that version. */
  send<A extends Api>(api: A, version: number, body: RequestInitOf<A>): Promise<ResponseOf<A>> {
    const correlationId = ++this.#correlationId;
    const frame = encodeRequest(api, version, { correlationId, clientId: this.clientId }, body);
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new Error('connection closed'));
      const take = (frame: Uint8Array) => resolve(decodeResponse(api, version, frame).body);
      this.#expected.push({ correlationId, take, fail: reject });
      this.socket.write(frame);
    });
  }

  /** A request that gets no answer: Produce with acks=0. */
  post<A extends Api>(api: A, version: number, body: RequestInitOf<A>): void {
    const correlationId = ++this.#correlationId;
    this.socket.write(encodeRequest(api, version, { correlationId, clientId: this.clientId }, body));
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #receive(chunk: Uint8Array): void {
    let bytes: Uint8Array = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (;;) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (bytes.length < 4 || bytes.length - 4 < view.getInt32(0)) break;
      const size = view.getInt32(0);
      this.#answer(bytes.subarray(4, 4 + size), view.getInt32(4));
      bytes = bytes.subarray(4 + size);
    }
    this.#received = bytes;
  }

  #answer(frame: Uint8Array, correlationId: number): void {
    const expected = this.#expected.shift();
    // To something a test wrote by hand.
    if (expected === undefined) return;
    if (expected.correlationId !== correlationId) {
      expected.fail(new Error(`answer ${correlationId} came before ${expected.correlationId}`));
      return;
    }
    try {
      expected.take(frame);
    } catch (error) {
      expected.fail(error as Error);
    }
  }
}
