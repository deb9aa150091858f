import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import { abortable } from '../../client/retry.ts';
import { KAFKA_SUBPROTOCOL, SENT_MESSAGE_MAX_BYTES } from '../../wire/web-socket.ts';
import { CLOSE_TIMEOUT_MS } from './client-socket.ts';

export interface BridgedClientEvents {
  /** Both ends are connected. */
  opened: () => void;
  /** The broker could not be reached, or broke off; then both ends close. */
  failed: (why: string) => void;
}

/** What a message from the broker may hold: it is whole in memory before it goes on. */
const MESSAGE_MAX_BYTES = 8 * 1024 * 1024;
/** On its way to the broker; beyond it the client is not read. */
const HIGH_WATER_BYTES = 1024 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** What is heard of why an upgrade was refused. */
const REFUSAL_LENGTH_MAX = 1_000;
const REFUSAL_TIMEOUT_MS = 2_000;
const OPTIONS: ClientOptions & { closeTimeout: number } = {
  perMessageDeflate: false,
  handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  maxPayload: MESSAGE_MAX_BYTES,
  closeTimeout: CLOSE_TIMEOUT_MS,
};
const NORMAL_CLOSE = 1000;
/** Codes that say no more than that the broker is done. */
const QUIET_CLOSES = new Set([1000, 1001, 1005]);

/** A client's TCP connection and the WebSocket that carries its bytes: each is read as fast as the other takes. */
export class BridgedClient {
  readonly #tcp: Socket;
  readonly #webSocket: WebSocket;
  readonly #events: BridgedClientEvents;
  /** Heard of since the last ping. */
  #isAlive = true;
  #failure: string | undefined;

  readonly #closed = Promise.withResolvers<void>();

  /** @param tcp paused. */
  constructor(tcp: Socket, url: string, events: BridgedClientEvents) {
    this.#tcp = tcp;
    this.#events = events;
    this.#webSocket = open(url, (why) => (this.#failure ??= why));
    this.#followTcp();
    this.#followWebSocket(url);
  }

  /** Resolves when both ends are closed, whoever closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Opens and closes a connection. @throws {Error} with what is wrong there; what the signal says. */
  static async probe(
    url: string,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal | undefined },
  ): Promise<void> {
    let failure: string | undefined;
    const webSocket = open(url, (why) => (failure ??= why));
    const late = setTimeout(() => webSocket.terminate(), timeoutMs);
    const opened = new Promise<void>((resolve, reject) => {
      webSocket.once('open', () => {
        resolve();
        webSocket.close(NORMAL_CLOSE);
      });
      webSocket.once('close', () => reject(new Error(`${url}: ${failure ?? 'no answer'}`)));
    });
    try {
      await abortable(opened, signal);
    } finally {
      clearTimeout(late);
      if (signal?.aborted) webSocket.terminate();
    }
  }

  /** Ends a connection whose broker has not been heard of since the last ping. One that is not read cannot be heard. */
  ping(): void {
    const { readyState, isPaused } = this.#webSocket;
    if (isPaused || readyState !== WebSocket.OPEN) return;
    if (!this.#isAlive) {
      this.#failure = 'the broker does not answer any more';
      return this.#webSocket.terminate();
    }
    this.#isAlive = false;
    this.#webSocket.ping();
  }

  /** Ends both; what is under way to the broker is sent first. */
  close(): void {
    this.#webSocket.resume();
    if (this.#webSocket.readyState === WebSocket.CONNECTING) this.#webSocket.terminate();
    else this.#webSocket.close(NORMAL_CLOSE);
    this.#tcp.pause();
    this.#endTcp();
  }

  #followTcp(): void {
    const tcp = this.#tcp;
    tcp.on('data', (chunk: Buffer) => this.#toBroker(chunk));
    tcp.on('drain', () => {
      this.#isAlive = true;
      this.#webSocket.resume();
    });
    tcp.on('error', () => tcp.destroy());
    tcp.on('close', () => {
      this.close();
      this.#settle();
    });
  }

  #followWebSocket(url: string): void {
    const webSocket = this.#webSocket;
    webSocket.on('open', () => {
      if (this.#tcp.destroyed) return webSocket.close(NORMAL_CLOSE);
      this.#events.opened();
      this.#tcp.resume();
    });
    webSocket.on('message', (data: Buffer, isBinary) => {
      this.#isAlive = true;
      if (!isBinary) return this.#break('it sends text: no Kafka is spoken there');
      if (!this.#tcp.destroyed && !this.#tcp.write(data)) webSocket.pause();
    });
    webSocket.on('pong', () => (this.#isAlive = true));
    webSocket.on('ping', () => (this.#isAlive = true));
    webSocket.on('close', (code, reason) => {
      if (this.#failure === undefined && !QUIET_CLOSES.has(code))
        this.#failure = `the broker closed: ${[code, reason.toString()].join(' ').trim()}`;
      if (this.#failure !== undefined && !this.#tcp.destroyed)
        this.#events.failed(`${url}: ${this.#failure}`);
      this.#endTcp();
      this.#settle();
    });
  }

  #toBroker(chunk: Buffer): void {
    const webSocket = this.#webSocket;
    if (webSocket.readyState !== WebSocket.OPEN) return;
    for (let at = 0; at < chunk.length; at += SENT_MESSAGE_MAX_BYTES)
      webSocket.send(chunk.subarray(at, at + SENT_MESSAGE_MAX_BYTES), () => this.#sent());
    if (webSocket.bufferedAmount > HIGH_WATER_BYTES) this.#tcp.pause();
  }

  #sent(): void {
    if (this.#tcp.isPaused() && this.#webSocket.bufferedAmount <= HIGH_WATER_BYTES / 2) this.#tcp.resume();
  }

  #break(why: string): void {
    this.#failure = why;
    this.#webSocket.terminate();
  }

  /** What the broker said is read by the client, or given up. */
  #endTcp(): void {
    const tcp = this.#tcp;
    if (tcp.destroyed) return;
    tcp.destroySoon();
    const timer = setTimeout(() => tcp.destroy(), CLOSE_TIMEOUT_MS);
    tcp.once('close', () => clearTimeout(timer));
  }

  #settle(): void {
    if (this.#tcp.closed && this.#webSocket.readyState === WebSocket.CLOSED) this.#closed.resolve();
  }
}

/** @param failed hears why, before the WebSocket closes. */
function open(url: string, failed: (why: string) => void): WebSocket {
  const webSocket = new WebSocket(url, KAFKA_SUBPROTOCOL, OPTIONS);
  webSocket.on('error', (error) => failed(error.message));
  webSocket.on('unexpected-response', (request, response: IncomingMessage) => {
    let said = '';
    const end = () => {
      clearTimeout(late);
      failed(`${response.statusCode} ${said.slice(0, REFUSAL_LENGTH_MAX).trim()}`);
      request.destroy();
      webSocket.terminate();
    };
    const late = setTimeout(end, REFUSAL_TIMEOUT_MS);
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      said += text;
      if (said.length > REFUSAL_LENGTH_MAX) end();
    });
    response.on('close', end);
  });
  return webSocket;
}
