import { statfsSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { resolve as absolute } from 'node:path';
import { type Core, openMetadata, startCore } from '../../broker/core.ts';
import type { Listening } from '../../broker/specs.ts';
import type { AuditLevel } from '../../gateway/audit/audit-log.ts';
import type { Gateway, LogDir } from '../../gateway/gateway.ts';
import { loadKernels } from '../../kernels/load.ts';
import { checkBrokerConfigs, listItems } from '../../metadata/configs/validate.ts';
import type { MetadataImage } from '../../metadata/image.ts';
import { invariant } from '../../model/assert.ts';
import type { GatewayLimits } from '../../model/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, LogFields } from '../../ports/log.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { METADATA_SHARD } from '../../ports/shard-link.ts';
import type { VerifyToken } from '../../sasl/oauth-bearer-server.ts';
import { type WebCrypto, webCrypto } from '../../sasl/web-crypto.ts';
import { nodeClock } from './clock.ts';
import { nodeCodecs } from './codecs.ts';
import { httpServer, type Pages } from './http.ts';
import { listen, type Listener, type ListenerOptions, Listeners } from './listeners.ts';
import { Meter } from './metrics/meter.ts';
import { MetricsPages } from './metrics/pages.ts';
import { nodeRandom } from './random.ts';
import { OtlpForwarder } from './telemetry/otlp-forwarder.ts';
import type { Codecs } from '../../records/codecs.ts';
import { ReadBuffers } from './read-buffers.ts';
import { securityProblems } from './security/check.ts';
import { type Door, doorOf, type SecurityProtocol } from './security/doors.ts';
import { TicketDesk } from './security/ticket-desk.ts';
import { Tickets } from './security/tickets.ts';
import { tokenVerifier } from './security/tokens.ts';
import { type OpenedStore, openStore } from './store.ts';
import { tracingOfProcess } from './tracing.ts';
import { acceptWebSockets } from './websocket.ts';

export interface BrokerOptions {
  /** Data directory; undefined keeps everything in memory. */
  directory?: string | undefined;
  /** Empty listens on all interfaces. */
  host?: string;
  /** 0 picks a free one. */
  port?: number;
  /** Instead of `host` and `port`, which stand for one in plain text: where Kafka is spoken, and how. */
  listeners?: readonly ListenerOptions[] | undefined;
  /** What clients are told to come back to; undefined tells each the address it came in on. */
  advertised?: Listening | undefined;
  /** As `host` unless given. */
  httpHost?: string | undefined;
  /** 0 picks a free one; undefined serves no HTTP. */
  httpPort?: number | undefined;
  /** What the HTTP port speaks, and whether Kafka over WebSocket wants a login; as the first listener unless given. */
  httpProtocol?: SecurityProtocol | undefined;
  /** The longest that a ticket for a page is good for; 0: there are none. Five minutes unless given. */
  ticketLifetimeMs?: number;
  /** Where spans of requests go: OpenTelemetry, where this process has set it up, unless given; `false`: nowhere. */
  tracing?: Tracing | false | undefined;
  /** Which admin actions are logged: those that were not let, unless given. */
  audit?: AuditLevel | 'none' | undefined;
  /** Where metrics that clients push go, by OTLP/HTTP; undefined: they are not asked for. */
  telemetryEndpoint?: string | undefined;
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

const NO_SETTINGS: ReadonlyMap<string, string> = new Map();
const CRYPTOGRAPHY = webCrypto(globalThis.crypto as unknown as WebCrypto);
const TICKET_LIFETIME_MS = 300_000;
const IDLE_SWEEP_MS = 30_000;
const PING_INTERVAL_MS = 30_000;

/** A whole broker in this process: store, shards, gateway and listeners. */
export class Broker {
  /** The first of its listeners. */
  readonly kafka: Listening;
  readonly listeners: readonly Listener[];
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
    const { httpHost = host, log = WARNINGS_ONLY, clock = nodeClock, settings = NO_SETTINGS } = options;
    const { listeners: wanted = [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', host, port }] } = options;
    checkSecurity([...wanted.map(({ protocol }) => protocol), ...httpProtocolOf(options)], settings);
    const kernels = await loadKernels();
    const tcp = new Listeners(wanted, settings);
    const httpDoor = doorOf(options.httpProtocol ?? wanted[0]?.protocol ?? 'PLAINTEXT', settings);
    const buffers = new ReadBuffers();
    let broker: Broker | undefined;
    let opened: OpenedStore | undefined;
    let pages: MetricsPages | undefined;
    let desk: TicketDesk | undefined;
    const asked = {
      notReady: () => (broker === undefined ? 'starting' : broker.notReady()),
      metrics: (names: 'milena' | 'kafka') => pages?.page(names) ?? Promise.reject(new Error('starting')),
      page: options.pages,
      tickets: () => desk,
    };
    const http = httpPort === undefined ? undefined : httpServer(asked, httpDoor.tls);
    try {
      // Probes are answered while logs are recovered; Kafka's port opens when the directory is ours.
      const listening = http === undefined ? undefined : await listen(http, httpHost, httpPort ?? 0);
      opened = await openStore({ directory: options.directory, flush, nodeId, kernels, buffers, clock, log });
      await tcp.open();
      const { store, identity } = opened;
      const staticConfigs = staticSettings(identity.nodeId, tcp.text, options);
      const codecs = nodeCodecs(kernels);
      const home = {
        clock,
        random: nodeRandom,
        codecs,
        endpoints: tcp.endpoints,
        cryptography: CRYPTOGRAPHY,
      };
      const { advertised, limits } = options;
      const meter = new Meter();
      const logDir = logDirOf(options.directory);
      const told = { ...(await watchOf(options, log)), staticConfigs, advertised, limits, meter, logDir };
      const byKeys = tokenVerifier(settings, { clock, log });
      const telemetry = telemetryOf(options, { codecs, clock, log });
      const tickets = ticketsOf(options, { door: httpDoor, clock });
      const verifyToken = tickets?.verifier(byKeys) ?? byKeys;
      const core = startCore({ ...home, ...told, telemetry, verifyToken, store, identity, kernels });
      await openMetadata(core);
      const mayOpenLogs = () => broker !== undefined && !broker.#stopping;
      pages = new MetricsPages({ ...core, meter, opened, telemetry, mayOpenLogs });
      broker = new Broker(
        { core, servers: { opened, tcp, http }, clock },
        { listeners: tcp.opened, http: listening },
      );
      core.logManager.start();
      tcp.accept(core.gateway, buffers);
      desk = deskOf(core, { tickets, byKeys, clock, options });
      if (http !== undefined) broker.#acceptWebSockets(http, { buffers, door: httpDoor }, options);
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
    addresses: { listeners: readonly Listener[]; http: Listening | undefined },
  ) {
    this.#core = core;
    this.#servers = servers;
    this.#clock = clock;
    const [first] = addresses.listeners;
    invariant(first !== undefined, 'a broker has a listener');
    this.kafka = { host: first.host, port: first.port };
    this.listeners = addresses.listeners;
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
    { buffers, door }: { buffers: ReadBuffers; door: Door },
    { allowedOrigins = [], pingIntervalMs = PING_INTERVAL_MS }: BrokerOptions,
  ) {
    const notReady = () => this.notReady();
    const { gateway } = this;
    acceptWebSockets(http, { gateway, buffers, notReady, allowedOrigins, door, pingIntervalMs });
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
  tcp: Listeners;
  http: HttpServer | undefined;
}

/** Where WebSockets want a login and take tokens, unless the node gives none. */
function ticketsOf(
  { ticketLifetimeMs = TICKET_LIFETIME_MS, settings }: BrokerOptions,
  { door, clock }: { door: Door; clock: Clock },
): Tickets | undefined {
  const takesTokens = listItems(settings?.get('sasl.enabled.mechanisms') ?? '').includes('OAUTHBEARER');
  if (!door.wantsLogin || !takesTokens || ticketLifetimeMs <= 0) return undefined;
  return new Tickets({ clock, lifetimeMaxMs: ticketLifetimeMs });
}

/** Where is told what happens, and who tells it. */
async function watchOf(options: BrokerOptions, log: Log) {
  const { audit = 'denied', tracing = await tracingOfProcess() } = options;
  return {
    onWarning: (message: string, about?: LogFields) => log.warn(message, about),
    log: options.log,
    audit: audit === 'none' ? undefined : audit,
    tracing: tracing || undefined,
  };
}

function telemetryOf(
  { telemetryEndpoint: endpoint }: BrokerOptions,
  parts: { codecs: Codecs; clock: Clock; log: Log },
): OtlpForwarder | undefined {
  return endpoint === undefined ? undefined : new OtlpForwarder({ endpoint, ...parts });
}

function deskOf(
  { gateway: { logins } }: Core,
  given: {
    tickets: Tickets | undefined;
    byKeys: VerifyToken | undefined;
    clock: Clock;
    options: BrokerOptions;
  },
): TicketDesk | undefined {
  const { tickets, byKeys: verifyToken, clock, options } = given;
  if (tickets === undefined || logins === undefined) return undefined;
  return new TicketDesk({
    tickets,
    ...logins,
    verifyToken,
    allowedOrigins: options.allowedOrigins ?? [],
    clock,
    audit: ticketAudit(options),
  });
}

function ticketAudit({ audit = 'denied', log }: BrokerOptions) {
  if (log === undefined || audit === 'none') return undefined;
  return (told: LogFields & { outcome: string }) => {
    if (audit === 'all' || told.outcome === 'denied')
      log.info('admin action', { component: 'audit', ...told });
  };
}

function httpProtocolOf({ httpProtocol, httpPort }: BrokerOptions): SecurityProtocol[] {
  return httpProtocol === undefined || httpPort === undefined ? [] : [httpProtocol];
}

/** @throws Error for people */
function checkSecurity(protocols: readonly SecurityProtocol[], settings: ReadonlyMap<string, string>): void {
  const [problem] = securityProblems(protocols, settings);
  if (problem !== undefined) throw new Error(`${problem.setting}: ${problem.message}`);
}

/** What the node was started with, as server.properties would say it. @throws KafkaError for a bad value. */
function staticSettings(
  nodeId: number,
  listeners: string,
  options: BrokerOptions,
): ReadonlyMap<string, string> {
  const settings = new Map([
    ['node.id', String(nodeId)],
    ['broker.id', String(nodeId)],
    ['process.roles', 'broker,controller'],
    ['listeners', listeners],
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
