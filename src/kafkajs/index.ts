import type { Socket } from 'node:net';
import { WebSocketStream } from './web-socket-stream.ts';

/** A broker as kafkajs knows it. */
export interface BrokerAddress {
  host: string;
  port: number;
  /** kafkajs was told `ssl`. */
  secure: boolean;
}

/** What kafkajs asks its `socketFactory` for. */
export interface SocketFactoryArgs {
  host: string;
  port: number;
  /** kafkajs's own `ssl` setting: false, true, or options of `node:tls`. */
  ssl?: unknown;
  onConnect: () => void;
}

export interface WebSocketFactoryOptions {
  /**
   * Where a broker is to be reached, as `ws:` or `wss:`. Left out, that is `/kafka` at the broker's own address, over
   * TLS when kafkajs's `ssl` is set. An address in a string stands for all brokers: one gateway before them.
   */
  url?: string | ((broker: BrokerAddress) => string);
}

/**
 * Lets kafkajs speak to Milena over WebSocket, unmodified:
 * `new Kafka({ brokers: ['localhost:9094'], socketFactory: webSocketFactory() })`. The port is the HTTP port. It uses
 * the global `WebSocket` of Node 22 and later.
 * @throws {TypeError} from the factory when `ssl` has options: a WebSocket takes none. Node's own settings for
 *   certificates (`NODE_EXTRA_CA_CERTS`) do count.
 */
export function webSocketFactory({ url = brokerUrl }: WebSocketFactoryOptions = {}): (
  args: SocketFactoryArgs,
) => Socket {
  return ({ host, port, ssl, onConnect }) => {
    const broker = { host, port, secure: isSecure(ssl) };
    const stream = new WebSocketStream(typeof url === 'string' ? url : url(broker));
    stream.once('connect', onConnect);
    // kafkajs uses of a socket what this has: a stream's methods, `ref` and `unref`.
    return stream as unknown as Socket;
  };
}

function brokerUrl({ host, port, secure }: BrokerAddress): string {
  const authority = host.includes(':') ? `[${host}]` : host;
  return `${secure ? 'wss' : 'ws'}://${authority}:${port}/kafka`;
}

function isSecure(ssl: unknown): boolean {
  if (typeof ssl === 'object' && ssl !== null && Object.keys(ssl).length > 0) {
    const options = Object.keys(ssl).join(', ');
    throw new TypeError(`a WebSocket takes no TLS options, so ssl must be true or false; it has ${options}`);
  }
  return Boolean(ssl);
}
