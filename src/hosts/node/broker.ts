import { statfsSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import { resolve as absolute } from 'node:path';
import { type Core, openMetadata, startCore } from '../../broker/core.ts';
import type { Listening } from '../../broker/specs.ts';
import type { Gateway, LogDir } from '../../gateway/gateway.ts';
import { loadKernels } from '../../kernels/load.ts';
import { checkBrokerConfigs } from '../../metadata/configs/validate.ts';
import type { MetadataImage } from '../../metadata/image.ts';
import type { GatewayLimits } from '../../model/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, LogFields } from '../../ports/log.ts';
import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { nodeClock } from './clock.ts';
import { nodeCodecs } from './codecs.ts';
import { httpServer, type Pages } from './http.ts';
import { Meter } from './metrics/meter.ts';
import { MetricsPages } from './metrics/pages.ts';
import { nodeRandom } from './random.ts';
import { ReadBuffers } from './read-buffers.ts';
import { type OpenedStore, openStore } from './store.ts';
import { acceptKafka, kafkaServer } from './tcp.ts';
import { acceptWebSockets } from './websocket.ts';

export interface BrokerOptions {
  /** Data directory; undefined keeps everything in memory. */
  directory?: string | undefined;
  /** Empty listens on all interfaces. */
  host?: string;
  /** 0 picks a free one. */
  port?: number;
  /** What clients are told to come back to; undefined tells each the address it came in on. */
  advertised?: Listening | undefined;
  /** As `host` unless given. */
  httpHost?: string | undefined;
  /** 0 picks a free one; undefined serves no HTTP. */
  httpPort?: number | undefined;
  /** Origins of web pages that may use the broker over WebSocket, beside those it serves itself; `*` is any. */
  allowedOrigins?: readonly string[];
  /** What the HTTP port serves to browsers, beside Kafka. */
  pages?: Pages;
  /** How often a WebSocket client must give a sign of life; it is asked for one. */
  pingIntervalMs?: number;
  flush?: 'always' | 'never';
  nodeId?: number;
  /** Broker settings by Kafka's names, as in server.properties. */
  settings?: ReadonlyMap<string, string>;
  /** Bounds that have no name in Kafka; those that have one are in `settings`. */
  limits?: Partial<GatewayLimits>;
  /** Real time unless given. */
  clock?: Clock;
  /** Without one, warnings go to the process (`process.emitWarning`) and the rest nowhere. */
  log?: Log;
}

const WARNINGS_ONLY: Log = {
  info: () => {},
  warn: (msg) => process.emitWarning(msg),
  error: (msg) => process.emitWarning(msg),
};

const IDLE_SWEEP_MS = 30_000;
const PING_INTERVAL_MS = 30_000;

/** A whole broker in this process: store, shards, gateway and listeners. */
export class Broker {
  readonly kafka: Listening;
  readonly http: Listening | undefined;
  readonly #core: Core;
  readonly #servers: Servers;
  readonly #clock: Clock;
  #stopSweeping: () => void = () => {};
  #stopping = false;
  #closing: Promise<void> | undefined;

  /** Resolves when clients can connect. @throws with a message for people: port in use, directory locked or foreign. */
  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const { host = '127.0.0.1', port = 0, httpPort, flush = 'always', nodeId = 1 } = options;
    const { httpHost = host, log = WARNINGS_ONLY, clock = nodeClock } = options;
    const kernels = await loadKernels();
    const tcp = kafkaServer();
    const buffers = new ReadBuffers();
    let broker: Broker | undefined;
    let opened: OpenedStore | undefined;
    let pages: MetricsPages | undefined;
    const asked = {
      notReady: () => (broker === undefined ? 'starting' : broker.notReady()),
      metrics: (names: 'milena' | 'kafka') => pages?.page(names) ?? Promise.reject(new Error('starting')),
      page: options.pages,
    };
    const http = httpPort === undefined ? undefined : httpServer(asked);
    try {
      // Probes are answered while logs are recovered; Kafka's port opens when the directory is ours.
      const listening = http === undefined ? undefined : await listen(http, httpHost, httpPort ?? 0);
      opened = await openStore({ directory: options.directory, flush, nodeId, kernels, buffers, clock, log });
      const kafka = await listen(tcp, host, port);
      const { store, identity } = opened;
      const staticConfigs = staticSettings(identity.nodeId, kafka, options);
      const codecs = nodeCodecs(kernels);
      const home = { clock, random: nodeRandom, codecs, endpoint: kafka };
      const { advertised, limits } = options;
      const meter = new Meter();
      const said = {
        onWarning: (message: string, about?: LogFields) => log.warn(message, about),
        log: options.log,
      };
      const logDir = logDirOf(options.directory);
      const told = { ...said, staticConfigs, advertised, limits, meter, logDir };
      const core = startCore({ ...home, ...told, store, identity, kernels });
      await openMetadata(core.shards);
      const mayOpenLogs = () => broker !== undefined && !broker.#stopping;
      pages = new MetricsPages({ ...core, meter, opened, mayOpenLogs });
      broker = new Broker({ core, servers: { opened, tcp, http }, clock }, { kafka, http: listening });
      core.logManager.start();
      acceptKafka(tcp, core.gateway, buffers);
      if (http !== undefined) broker.#acceptWebSockets(http, buffers, options);
      return broker;
    } catch (error) {
      tcp.close();
      http?.close();
      http?.closeAllConnections();
      await opened?.store.close();
      throw error;
    }
  }

  private constructor(
    { core, servers, clock }: { core: Core; servers: Servers; clock: Clock },
    addresses: { kafka: Listening; http: Listening | undefined },
  ) {
    this.#core = core;
    this.#servers = servers;
    this.#clock = clock;
    this.kafka = addresses.kafka;
    this.http = addresses.http;
    this.#sweepLater();
  }

  #sweepLater(): void {
    this.#stopSweeping = this.#clock.at(this.#clock.now() + IDLE_SWEEP_MS, () => {
      this.gateway.closeIdle();
      this.#sweepLater();
    });
  }

  #acceptWebSockets(
    http: HttpServer,
    buffers: ReadBuffers,
    { allowedOrigins = [], pingIntervalMs = PING_INTERVAL_MS }: BrokerOptions,
  ) {
    const notReady = () => this.notReady();
    const { gateway } = this;
    acceptWebSockets(http, { gateway, buffers, notReady, allowedOrigins, pingIntervalMs });
  }

  get gateway(): Gateway {
    return this.#core.gateway;
  }

  get image(): MetadataImage {
    return this.#core.image;
  }

  /** Group commits so far: under `flush=always` each was one flush. */
  get commitRounds(): number {
    return this.#servers.opened.commitRounds();
  }

  /** Why clients should not be sent here; undefined when they should. */
  notReady(): string | undefined {
    if (this.#stopping) return 'shutting down';
    const state = this.#core.shards.get(METADATA_SHARD)?.state;
    return state === 'open' ? undefined : `the metadata log is ${state ?? 'missing'}`;
  }

  /**
   * Drains and stops: no new connections or requests, what is being appended is committed and answered, at most
   * `timeoutMs` long, then all is written and the directory released. Idempotent.
   */
  close({ timeoutMs = 5_000 } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    this.#stopSweeping();
    const { tcp, http, opened } = this.#servers;
    tcp.close();
    await this.gateway.drain(this.#clock.now() + timeoutMs);
    this.gateway.closeAll();
    http?.close();
    http?.closeAllConnections();
    await this.#core.logManager.stop();
    await this.#core.shards.close();
    await opened.store.close();
  }
}

interface Servers {
  opened: OpenedStore;
  tcp: TcpServer;
  http: HttpServer | undefined;
}

/** What the node was started with, as server.properties would say it. @throws KafkaError for a bad value. */
function staticSettings(
  nodeId: number,
  kafka: Listening,
  options: BrokerOptions,
): ReadonlyMap<string, string> {
  const settings = new Map([
    ['node.id', String(nodeId)],
    ['broker.id', String(nodeId)],
    ['process.roles', 'broker,controller'],
    ['listeners', `PLAINTEXT://${kafka.host}:${kafka.port}`],
    ['log.dirs', options.directory ?? ''],
    ['milena.flush', options.flush ?? 'always'],
    ...(options.settings ?? []),
  ]);
  checkBrokerConfigs(settings);
  return settings;
}

/** Undefined when everything is in memory. */
function logDirOf(directory: string | undefined): LogDir | undefined {
  if (directory === undefined) return undefined;
  const path = absolute(directory);
  const volume = () => {
    try {
      const { bsize, blocks, bavail } = statfsSync(path);
      return { totalBytes: bsize * blocks, usableBytes: bsize * bavail };
    } catch {
      return undefined;
    }
  };
  return { path, volume };
}

function listen(server: TcpServer | HttpServer, host: string, port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, backlog: 1024 }, () => {
      server.off('error', reject);
      const address = server.address() as AddressInfo;
      resolve({ host: address.address, port: address.port });
    });
  });
}
