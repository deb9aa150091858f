import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { BrokerAddress, ByteStream, StreamEvents, Transport } from '../../ports/transport.ts';
import { KAFKA_SUBPROTOCOL, SENT_MESSAGE_MAX_BYTES } from '../../wire/web-socket.ts';

/** More than this on its way: no room. A WebSocket says how much is, not when it has gone, so we look again. */
const HIGH_WATER_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS: Millis = 5;

/**
 * Kafka over WebSocket, as Milena's HTTP port serves it, with the platform's own `WebSocket`.
 * @param url of the first broker; others are asked at their own host and port, with its scheme, path and query.
 */
export function webSocketTransport(url: string, clock: Clock): Transport {
  return {
    open: (address, events, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const target = urlOf(url, address);
        const socket = new WebSocket(target, KAFKA_SUBPROTOCOL);
        socket.binaryType = 'arraybuffer';
        const stream = new WebSocketByteStream(socket, { events, clock });
        let end: (why: string) => void = (why) => reject(new Error(why));
        const gaveUp = () => {
          reject(signal?.reason as Error);
          socket.close();
        };
        signal?.addEventListener('abort', gaveUp, { once: true });
        socket.addEventListener('open', () => {
          signal?.removeEventListener('abort', gaveUp);
          if (signal?.aborted) return;
          end = (why) => stream.ended(why);
          resolve(stream);
        });
        socket.addEventListener('close', ({ code, reason }) => {
          signal?.removeEventListener('abort', gaveUp);
          end(`${target}: the WebSocket ended (${[code, reason].join(' ').trim()})`);
        });
      }),
  };
}

/** The byte stream of a WebSocket that is there already, and told of nothing yet. */
export function webSocketStream(
  socket: WebSocket,
  { events, clock }: { events: StreamEvents; clock: Clock },
): ByteStream {
  socket.binaryType = 'arraybuffer';
  const stream = new WebSocketByteStream(socket, { events, clock });
  socket.addEventListener('close', ({ code, reason }) => {
    stream.ended(`the WebSocket ended (${[code, reason].join(' ').trim()})`);
  });
  return stream;
}

class WebSocketByteStream implements ByteStream {
  readonly #socket: WebSocket;
  readonly #events: StreamEvents;
  readonly #clock: Clock;
  #isOver = false;
  #stopLooking: (() => void) | undefined;

  constructor(socket: WebSocket, { events, clock }: { events: StreamEvents; clock: Clock }) {
    this.#socket = socket;
    this.#events = events;
    this.#clock = clock;
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (this.#isOver) return;
      if (data instanceof ArrayBuffer) return events.received(new Uint8Array(data));
      this.ended('it sends text: no Kafka is spoken there');
      socket.close();
    });
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    for (let at = 0; at < bytes.length; at += SENT_MESSAGE_MAX_BYTES)
      this.#socket.send(bytes.subarray(at, at + SENT_MESSAGE_MAX_BYTES) as Uint8Array<ArrayBuffer>);
    if (this.#hasRoom) return true;
    if (this.#stopLooking === undefined) this.#lookAgain();
    return false;
  }

  close(): void {
    this.ended('closed here');
    this.#socket.close();
  }

  /** Tells the end, once. */
  ended(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopLooking?.();
    this.#events.closed(why);
  }

  /** workerd does not say what is on its way: there the platform's own bounds are the only ones. */
  get #hasRoom(): boolean {
    const { bufferedAmount } = this.#socket as { bufferedAmount?: number };
    return bufferedAmount === undefined || bufferedAmount < HIGH_WATER_BYTES;
  }

  #lookAgain(): void {
    this.#stopLooking = this.#clock.at(this.#clock.now() + LOOK_AGAIN_MS, () => {
      this.#stopLooking = undefined;
      if (this.#hasRoom) this.#events.drained();
      else this.#lookAgain();
    });
  }
}

function urlOf(first: string, { host, port }: BrokerAddress): string {
  const url = new URL(first);
  url.hostname = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  url.port = String(port);
  return url.href;
}
