import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { FrameReader } from '../../src/wire/frame-reader.ts';

/** Without size prefixes, as they went. No answer: none came, as to a produce request with `acks=0`. */
export interface Exchange {
  apiKey: number;
  apiVersion: number;
  request: Buffer;
  response: Buffer | undefined;
}

const FRAME_MAX_BYTES = 100 * 1024 * 1024;
/** Answers that tell a client where brokers are: Metadata, FindCoordinator, DescribeCluster. */
const TELLS_ADDRESS = new Set([3, 10, 60]);

/**
 * Stands between a client and a broker and keeps what they say. The client must come back to it, so that the
 * broker’s port becomes its own in answers that hold it.
 */
export class RecordingProxy {
  readonly exchanges: Exchange[] = [];
  readonly #brokerPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(brokerPort: number) {
    this.#brokerPort = brokerPort;
    this.#server = createServer({ noDelay: true }, (client) => this.#join(client));
  }

  static async start(brokerPort: number): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(brokerPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const broker = connect({ host: '127.0.0.1', port: this.#brokerPort, noDelay: true });
    const unanswered = new Map<number, Exchange>();
    this.#cut(client, broker, (frame) => {
      const [apiKey, apiVersion] = [frame.readInt16BE(0), frame.readInt16BE(2)];
      const exchange: Exchange = { apiKey, apiVersion, request: frame, response: undefined };
      this.exchanges.push(exchange);
      unanswered.set(frame.readInt32BE(4), exchange);
      return frame;
    });
    this.#cut(broker, client, (frame) => {
      const exchange = unanswered.get(frame.readInt32BE(0));
      if (exchange === undefined) throw new Error('the broker answered what nobody asked');
      exchange.response = frame;
      return TELLS_ADDRESS.has(exchange.apiKey)
        ? replaced(frame, int32(this.#brokerPort), int32(this.port))
        : frame;
    });
  }

  /** Hands frames on from one end to the other; both ends end together. */
  #cut(from: Socket, to: Socket, onFrame: (frame: Buffer) => Buffer): void {
    this.#sockets.add(from);
    const reader = new FrameReader(FRAME_MAX_BYTES);
    from.on('data', (chunk) =>
      reader.push(chunk, (bytes) => {
        const frame = onFrame(Buffer.from(bytes));
        to.write(Buffer.concat([int32(frame.length), frame]));
      }),
    );
    from.on('error', () => from.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** `bytes` with every `from` in it made `to`, which is as long. */
export function replaced(bytes: Buffer, from: Buffer, to: Buffer): Buffer {
  if (from.length !== to.length) throw new Error('what changes must keep its length');
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + to.length)) to.copy(copy, at);
  return copy;
}
