import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../../ports/log.ts';
import { BridgedClient } from './bridged-client.ts';
import { clientHost, localAddress } from './client-socket.ts';
import { type Address, authorityOf } from './origin.ts';
import { KAFKA_PATH } from './websocket.ts';

export interface BridgeOptions {
  /** `ws:` or `wss:`; where it names no path it is `/kafka`. */
  url: string;
  /** Port 0 picks a free one. */
  listen: Address;
  /** What brokers tell clients to connect to, instead of the address they came in on. */
  advertise?: Address | undefined;
  connectionsMax?: number;
  /** A broker that is silent for twice as long has gone. */
  pingIntervalMs?: number;
  log: Log;
  /** Ends the start. */
  signal?: AbortSignal;
}

const CONNECTIONS_MAX = 1_024;
const PING_INTERVAL_MS = 15_000;
const PROBE_TIMEOUT_MS = 10_000;

/**
 * Kafka over TCP on this machine, Kafka over WebSocket to a broker elsewhere: for each client one WebSocket, and what
 * each end does not read the other is not asked for.
 */
export class Bridge implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: BridgeOptions;
  readonly #clients = new Set<BridgedClient>();
  readonly #timer: NodeJS.Timeout;
  /** The last failure that was told: a client that tries again and again is no news. */
  #toldFailure: string | undefined;

  private constructor(server: Server, options: BridgeOptions) {
    this.#server = server;
    this.#options = options;
    const { pingIntervalMs = PING_INTERVAL_MS, connectionsMax = CONNECTIONS_MAX, log } = options;
    server.maxConnections = connectionsMax;
    server.on('drop', (address) =>
      log.warn('too many clients: one was turned away', { connectionsMax, ...address }),
    );
    server.on('connection', (socket: Socket) => this.#serve(socket));
    this.#timer = setInterval(() => {
      for (const client of this.#clients) client.ping();
    }, pingIntervalMs).unref();
  }

  /**
   * @throws {Error} when nobody speaks Kafka over WebSocket at the URL, or the port cannot be listened on; what the
   *   signal says.
   */
  static async start(options: BridgeOptions): Promise<Bridge> {
    const bridge = new Bridge(
      createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }),
      options,
    );
    try {
      await bridge.#probe();
      const { host, port } = options.listen;
      bridge.#server.listen(port, host);
      await once(bridge.#server, 'listening');
      return bridge;
    } catch (error) {
      clearInterval(bridge.#timer);
      throw error;
    }
  }

  /** Where clients find it. */
  get address(): Address {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  get connectionCount(): number {
    return this.#clients.size;
  }

  /** Takes no more clients and ends those there are. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#server.close();
    const closed = Array.from(this.#clients, (client) => client.closed);
    for (const client of this.#clients) client.close();
    await Promise.all(closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One WebSocket that is opened and closed: what is wrong with the URL is known before any client comes. */
  #probe(): Promise<void> {
    const { signal } = this.#options;
    return BridgedClient.probe(this.#urlFor(), { timeoutMs: PROBE_TIMEOUT_MS, signal });
  }

  #serve(socket: Socket): void {
    const { log } = this.#options;
    const about = { client: clientHost(socket) };
    const client = new BridgedClient(socket, this.#urlFor(localAddress(socket)), {
      opened: () => {
        log.debug?.('a client is connected', about);
        this.#toldFailure = undefined;
      },
      failed: (why) => {
        if (why !== this.#toldFailure) log.warn(why, about);
        this.#toldFailure = why;
      },
    });
    this.#clients.add(client);
    void client.closed.then(() => {
      this.#clients.delete(client);
      log.debug?.('a client has gone', about);
    });
  }

  /** The broker is told what to call itself: its Metadata would lead clients past the bridge. */
  #urlFor(local?: Address): string {
    const { url: text, advertise = local } = this.#options;
    const url = new URL(text);
    if (url.pathname === '/') url.pathname = KAFKA_PATH;
    if (advertise !== undefined && !url.searchParams.has('advertise'))
      url.searchParams.set('advertise', authorityOf(advertise));
    return url.href;
  }
}
