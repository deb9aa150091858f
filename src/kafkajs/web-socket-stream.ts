import { Duplex } from 'node:stream';

/** The protocol of Milena's door: binary messages put together are the byte stream of a TCP connection. */
const SUBPROTOCOL = 'milena.kafka.v1';
/** What one message may hold: intermediaries have been seen to fail near a megabyte. */
const MESSAGE_MAX_BYTES = 900_000;
/** More than this on its way and writes wait. A WebSocket says how much is, not when it has gone: we look again. */
const HIGH_WATER_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 5;

/** The broker closed because it was told to, or is going away: no error of this connection. */
const QUIET_CLOSES = new Set([1000, 1001, 1005]);

/**
 * A WebSocket as the byte stream it carries, with as much of `net.Socket` as Kafka clients use. What is written at once
 * is one message where it fits. Reading cannot be held back: the WebSocket of browsers and Node has no means.
 */
export class WebSocketStream extends Duplex {
  readonly #url: string;
  readonly #socket: WebSocket;
  #saidGoodbye = false;
  /** Waits for the connection. */
  #onOpen: (() => void) | undefined;
  #lookAgain: NodeJS.Timeout | undefined;

  /** @throws {DOMException} called SyntaxError, when the URL is none of a WebSocket. */
  constructor(url: string) {
    super();
    this.#url = url;
    this.#socket = new WebSocket(url, SUBPROTOCOL);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('open', () => this.#opened());
    this.#socket.addEventListener('message', ({ data }) => this.#receive(data));
    this.#socket.addEventListener('close', (event) => this.#closed(event));
  }

  /** As `net.Socket` has it; a WebSocket keeps the process alive until it is closed. */
  ref(): this {
    return this;
  }

  /** See {@link ref}. */
  unref(): this {
    return this;
  }

  #opened(): void {
    this.emit('connect');
    this.#onOpen?.();
  }

  #receive(data: unknown): void {
    if (data instanceof ArrayBuffer) this.push(Buffer.from(data));
    else this.destroy(new Error(`${this.#url} sends text: no Kafka is spoken there`));
  }

  #closed({ code, reason }: CloseEvent): void {
    clearTimeout(this.#lookAgain);
    if (this.#saidGoodbye || this.destroyed || QUIET_CLOSES.has(code)) {
      this.push(null);
      this.destroy();
      return;
    }
    const why = reason === '' ? `${code}` : `${code} ${reason}`;
    const error = new Error(`${this.#url}: the WebSocket could not be opened or was closed (${why})`);
    this.destroy(Object.assign(error, { code: 'ECONNRESET' }));
  }

  override _read(): void {
    // What comes is pushed when it comes.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      this.#onOpen = () => this.#send(chunk, done);
    } else {
      this.#send(chunk, done);
    }
  }

  #send(chunk: Buffer, done: () => void): void {
    for (let at = 0; at < chunk.length; at += MESSAGE_MAX_BYTES) {
      this.#socket.send(chunk.subarray(at, at + MESSAGE_MAX_BYTES) as Uint8Array<ArrayBuffer>);
    }
    this.#whenLow(done);
  }

  #whenLow(done: () => void): void {
    if (this.#socket.bufferedAmount < HIGH_WATER_BYTES) done();
    else this.#lookAgain = setTimeout(() => this.#whenLow(done), LOOK_AGAIN_MS);
  }

  /** What was written goes out before the close. */
  override _final(done: () => void): void {
    this.#saidGoodbye = true;
    this.#socket.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#lookAgain);
    this.#socket.close();
    done(error);
  }
}
