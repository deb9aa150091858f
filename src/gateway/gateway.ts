import type { MetadataImage } from '../metadata/image.ts';
import type { Millis } from '../model/ids.ts';
import type { GatewayLimits } from '../model/limits.ts';
import { Numbered } from '../model/numbered.ts';
import { Seldom } from '../model/seldom.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import type { ShardLink, ShardReply } from '../ports/shard-link.ts';
import type { Authorizer } from '../security/authorizer.ts';
import type { RecordTools } from './access/by-key.ts';
import { AuditLog, type AuditLevel } from './audit/audit-log.ts';
import { type QuotaWindows, QuotaKeeper } from '../quota/keeper.ts';
import { type ClientSocket, type CloseReason, Connection } from './connection.ts';
import { GatewayCounters } from './counters.ts';
import { type ConnectionBounds, Doorkeeper, UNBOUNDED } from './doorkeeper.ts';
import { FetchSessions } from './fetch/sessions.ts';
import type { Handler } from './handler.ts';
import { HANDLERS } from './handlers/index.ts';
import type { Logins } from './login.ts';
import { ReadCredit } from './read-credit.ts';
import { HeartbeatLeases } from './heartbeat-leases.ts';
import { release } from './share/acknowledge.ts';
import { ShareSessions } from './share/share-sessions.ts';
import { RequestSpans } from './tracing/request-spans.ts';
import type { Tracing } from '../ports/tracing.ts';
import type { ClientTelemetry } from './telemetry/client-telemetry.ts';

/** Where clients find a broker. */
export interface Address {
  host: string;
  port: number;
}

/** Of the device that a directory is on. */
export interface Volume {
  totalBytes: number;
  usableBytes: number;
}

export interface LogDir {
  /** Absolute; in tools it is a name. */
  path: string;
  volume?: (() => Volume | undefined) | undefined;
}

/** Settings the answers depend on, in Kafka's names. */
export interface GatewayConfig {
  nodeId: number;
  autoCreateTopicsEnable: boolean;
  /** num.partitions: of a topic that does not say. */
  numPartitions: () => number;
  /** advertised.listeners: what all clients are told; undefined tells each the address it came in on. */
  advertised?: Address | undefined;
  /** Where its logs are, and how much room there is, if it can be known. */
  logDir: LogDir;
  /** The broker's own settings as given at start, Kafka's names and strings: DescribeConfigs shows them. */
  staticConfigs: ReadonlyMap<string, string>;
}

export interface GatewayOptions {
  link: ShardLink;
  clock: Clock;
  /** Ids of fetch sessions. */
  random: Random;
  config: GatewayConfig;
  limits: GatewayLimits;
  /** Committed metadata, kept current by the host. */
  image: MetadataImage;
  /** For listeners that want to know who comes; undefined: there are none. */
  logins?: Logins | undefined;
  /** For whoever may have some keys of a topic alone: without them he gets nothing. */
  recordTools?: RecordTools | undefined;
  /** Who may do what; undefined: all may all. */
  authorizer?: Authorizer | undefined;
  /** How quotas are counted; Kafka's defaults unless given. */
  quotaWindows?: QuotaWindows | undefined;
  /** How many may be connected; any number unless given. */
  connectionBounds?: (() => ConnectionBounds) | undefined;
  /** Takes metrics of clients; undefined: nobody wants them. */
  telemetry?: ClientTelemetry | undefined;
  /** Where spans of requests go; undefined: there are none. */
  tracing?: Tracing | undefined;
  /** Which admin actions are logged; none unless given. */
  audit?: AuditLevel | undefined;
  log?: Log | undefined;
}

const WINDOWS = { count: 11, sizeMs: 1_000 };

/** Connections closed for one reason: a line each so long, with how many more there were. */
const CLOSES_LOGGED_EVERY_MS = 10_000;
/** Nothing an operator has to know of. */
const ORDINARY_CLOSES: ReadonlySet<CloseReason> = new Set(['idle', 'shutdown']);

/**
 * Between clients and shards: decodes, splits, merges, and owns every timer that waits for a client. Holds no log
 * and no truth, so it can die at any moment.
 */
export class Gateway {
  readonly link: ShardLink;
  readonly clock: Clock;
  readonly config: GatewayConfig;
  readonly limits: GatewayLimits;
  readonly image: MetadataImage;
  readonly logins: Logins | undefined;
  readonly authorizer: Authorizer | undefined;
  readonly recordTools: RecordTools | undefined;
  readonly counters = new GatewayCounters();
  readonly #log: Log | undefined;
  readonly #closes = new Seldom(CLOSES_LOGGED_EVERY_MS);
  readonly #handlers = new Map<number, Handler>(HANDLERS.map((handler) => [handler.api.key, handler]));
  readonly #connections = new Map<number, Connection>();
  readonly #expected = new Numbered<(reply: ShardReply) => void>();
  #lastConnectionId = 0;
  #lastAsk = 0;
  #unfinishedBytes = 0;
  /** Records read for clients that have not read them yet. */
  readonly readCredit: ReadCredit;
  readonly fetchSessions: FetchSessions;
  readonly quotas: QuotaKeeper;
  readonly telemetry: ClientTelemetry | undefined;
  readonly audit: AuditLog | undefined;
  readonly spans: RequestSpans | undefined;
  readonly #doorkeeper: Doorkeeper;
  readonly shareSessions = new ShareSessions();
  /** Undefined where coordinators hear all heartbeats. */
  readonly leases: HeartbeatLeases | undefined;
  /** Fetches that stay at shards while no client waits for them: see `ParkedFetches`, which count here. */
  parkedFetches = 0;
  /** No request starts any more. */
  draining = false;
  #onQuiet: (() => void) | undefined;

  constructor(options: GatewayOptions) {
    this.link = options.link;
    this.clock = options.clock;
    this.config = options.config;
    this.limits = options.limits;
    if (this.limits.heartbeatLeaseMs > 0) this.leases = new HeartbeatLeases(this);
    this.image = options.image;
    this.logins = options.logins;
    this.authorizer = options.authorizer;
    this.recordTools = options.recordTools;
    const { unreadBytesMax: maxBytes, connectionUnreadBytesMin: minBytes } = options.limits;
    this.readCredit = new ReadCredit({ maxBytes, minBytes });
    this.fetchSessions = new FetchSessions(options);
    this.#log = options.log;
    this.telemetry = options.telemetry;
    this.spans = options.tracing && new RequestSpans(options.tracing, options);
    if (options.log !== undefined && options.audit !== undefined)
      this.audit = new AuditLog(options.log, options.audit);
    const { quotaWindows = { clients: WINDOWS, mutations: WINDOWS } } = options;
    this.quotas = new QuotaKeeper(options.image.quotas, quotaWindows);
    const bounds = options.connectionBounds ?? (() => UNBOUNDED);
    const { quotas, clock } = this;
    const watch = { quotas, windows: quotaWindows.clients, now: () => clock.now() };
    this.#doorkeeper = new Doorkeeper(bounds, watch);
  }

  connect(socket: ClientSocket): Connection {
    const connection = new Connection(++this.#lastConnectionId, socket, this);
    this.#connections.set(connection.id, connection);
    this.counters.connections++;
    this.#doorkeeper.came(connection);
    return connection;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Closes what has been idle too long (connections.max.idle.ms); the host calls it now and then. */
  closeIdle(): void {
    // There may be more than when they came.
    this.#doorkeeper.letIn();
    const since = this.clock.now() - this.limits.connectionsMaxIdleMs;
    for (const connection of this.#connections.values()) {
      if (connection.idle && connection.lastActiveMs < since) connection.close('idle');
    }
  }

  /**
   * Takes no more requests and waits until those that do not just wait themselves (long polls, joins) are answered,
   * at most until `deadlineMs`.
   */
  drain(deadlineMs: Millis): Promise<void> {
    this.draining = true;
    return new Promise((resolve) => {
      const cancel = this.clock.at(deadlineMs, resolve);
      this.#onQuiet = () => {
        for (const connection of this.#connections.values()) if (connection.isWorking) return;
        this.#onQuiet = undefined;
        cancel();
        resolve();
      };
      this.#onQuiet();
    });
  }

  /** A connection has answered or gone. */
  settled(): void {
    this.#onQuiet?.();
  }

  closeAll(): void {
    for (const connection of this.#connections.values()) connection.close('shutdown');
  }

  /** A shard's answer. */
  receive(reply: ShardReply): void {
    const onReply = this.#expected.get(reply.to.correlationId);
    if (onReply === undefined) return;
    if (!reply.parked) this.#expected.delete(reply.to.correlationId);
    onReply(reply);
  }

  handler(apiKey: number): Handler | undefined {
    return this.#handlers.get(apiKey);
  }

  get handlers(): Iterable<Handler> {
    return this.#handlers.values();
  }

  /** What would handle the message, before it is decoded. */
  handlerOf(frame: Uint8Array): Handler | undefined {
    return this.#handlers.get(((frame[0] ?? 0) << 8) | (frame[1] ?? 0));
  }

  expect(onReply: (reply: ShardReply) => void): number {
    this.#expected.set(++this.#lastAsk, onReply);
    return this.#lastAsk;
  }

  /** Another waits for an answer that is still to come. */
  expectAgain(ask: number, onReply: (reply: ShardReply) => void): void {
    this.#expected.set(ask, onReply);
  }

  /** @returns whether the answer was still to come. */
  unexpect(ask: number): boolean {
    return this.#expected.delete(ask);
  }

  /** Accounts for bytes of unfinished messages; false when all connections together hold too many. */
  holdUnfinished(deltaBytes: number): boolean {
    this.#unfinishedBytes += deltaBytes;
    return this.#unfinishedBytes <= this.limits.unfinishedBytesMax;
  }

  get unfinishedBytes(): number {
    return this.#unfinishedBytes;
  }

  /** We are closing a connection: counted, and told unless many are. */
  closing({ socket }: Connection, reason: CloseReason): void {
    this.counters.closed(reason);
    const log = this.#log;
    const say = ORDINARY_CLOSES.has(reason) ? log?.debug : log?.warn;
    if (say === undefined) return;
    const keptBack = this.#closes.admit(reason, this.clock.now());
    if (keptBack === undefined) return;
    say('connection closed', { component: 'gateway', client: socket.clientHost, reason, keptBack });
  }

  forget(connection: Connection): void {
    if (!this.#connections.delete(connection.id)) return;
    this.#doorkeeper.left(connection);
    for (const session of this.shareSessions.disconnected(connection.id)) release(this, session);
    this.leases?.disconnected(connection.id);
    this.settled();
  }
}
