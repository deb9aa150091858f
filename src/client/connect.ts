import type { Kernels } from '../kernels/kernels.ts';
import type { Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Diagnostics } from '../ports/diagnostics.ts';
import type { Random } from '../ports/random.ts';
import type { Tracing } from '../ports/tracing.ts';
import type { BrokerAddress, Transport } from '../ports/transport.ts';
import type { WebCrypto } from '../sasl/web-crypto.ts';
import type { Codecs } from '../records/codecs.ts';
import { Client } from './client.ts';
import type { Engines } from './client-parts.ts';
import { Cluster } from './cluster.ts';
import { invalidArgument, type MilenaError } from './errors.ts';
import { onDemand } from './on-demand.ts';
import { retrying } from './retry.ts';
import { WakefulClock, type WakeSource } from './wakeful-clock.ts';

/** For `kafkas://`; names and forms are those of Node's `tls.connect`. */
export interface TlsOptions {
  /** Certificates (PEM) of whoever the brokers' are signed by, instead of those that the platform trusts. */
  ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** This client's own certificate and key (PEM), where brokers ask for one. */
  cert?: string | Uint8Array;
  key?: string | Uint8Array;
  passphrase?: string;
  /** The name that a broker's certificate has to hold, where it is not the host that is asked. */
  servername?: string;
  /** At false any certificate will do: whoever sits between can read and change everything. */
  rejectUnauthorized?: boolean;
}

/** How a client says who it is, where brokers want to know. */
export type SaslOptions =
  | {
      /** Where the way is not encrypted (`kafkas://`, `wss://`), `plain` shows the password to whoever listens. */
      mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      username: string;
      password: string;
    }
  | {
      mechanism: 'oauthbearer';
      /** A token (JWT), or what gives one: asked for each connection, and when it expires. */
      token: string | (() => string | Promise<string>);
    };

export interface ConnectOptions {
  /** What brokers call this client in their logs; `milena` unless given. */
  clientId?: string;
  /** The way to brokers, instead of the one the scheme of the URL stands for. */
  transport?: Transport;
  /** For `kafkas://`, which only Node has. */
  tls?: TlsOptions;
  /** Who this client is, where brokers want to know. */
  sasl?: SaslOptions;
  /** How long a call is tried again while brokers cannot be reached, or are busy: 30,000 unless given. */
  retryForMs?: Millis;
  /** The same, of connecting alone: 0 tries each address once. */
  connectForMs?: Millis;
  connectTimeoutMs?: Millis;
  requestTimeoutMs?: Millis;
  /** Writing to a topic that is not there makes it, where the broker allows that. The default. */
  allowAutoTopicCreation?: boolean;
  /** Spans and headers for what is sent and consumed, as `openTelemetry(api)` gives them; false: none in any case. */
  tracing?: Tracing | false;
  /** Gives up connecting. */
  signal?: AbortSignal;
}

/** @internal What a client needs of its surroundings. */
export interface Surroundings {
  clock: Clock;
  random: Random;
  kernels: Kernels;
  codecs: Codecs;
  /** The platform's `crypto`, for logins that never show their password. */
  webCrypto?: WebCrypto | undefined;
  engines: Engines;
  /** Tells when a page wakes, or its network is back. */
  wakes?: WakeSource | undefined;
  /** Where what the client does can be watched. */
  diagnostics?: Diagnostics | undefined;
  /** By scheme. */
  transports: Readonly<Record<string, (url: string, tls: TlsOptions | undefined) => Transport>>;
}

const RETRY_FOR_MS = 30_000;
const PORTS: Readonly<Record<string, number>> = { kafka: 9092, kafkas: 9093, ws: 80, wss: 443 };

/** Where a transport that leads to one place is told to go. */
const ONE_PLACE: BrokerAddress = { host: 'broker', port: 1 };

/**
 * @internal Connects to a cluster.
 * @param to where to ask first: `kafka://localhost:9092`, several as `kafka://a:9092,b:9092`, or
 *   `wss://log.example.dev/kafka`; or a transport that leads to one place.
 * @throws MilenaError INVALID_ARGUMENT; ConnectionLost when nobody answers within `retryForMs`; what the signal says.
 */
export async function connectWith(
  surroundings: Surroundings,
  to: string | Transport,
  options: ConnectOptions = {},
): Promise<Client> {
  const { random, kernels, codecs, engines, webCrypto } = surroundings;
  const clock = new WakefulClock(surroundings.clock, surroundings.wakes);
  const { retryForMs = RETRY_FOR_MS, clientId = 'milena', allowAutoTopicCreation = true, signal } = options;
  const { connectForMs = retryForMs } = options;
  const tracing = await tracingOf(options.tracing, clientId);
  const login = await loginOf(options.sasl, surroundings);
  const { transport, bootstrap } = wayTo(to, options, surroundings);
  const { connectTimeoutMs, requestTimeoutMs } = options;
  const times = {
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
  };
  const cluster = new Cluster({
    transport,
    bootstrap,
    clientId,
    clock,
    random,
    allowAutoTopicCreation,
    login,
    diagnostics: surroundings.diagnostics,
    ...times,
  });
  try {
    await retrying(() => cluster.anyBroker(signal), { clock, random, retryForMs: connectForMs, signal });
  } catch (error) {
    cluster.close();
    throw error;
  }
  return new Client({ cluster, clock, random, kernels, codecs, engines, retryForMs, tracing, webCrypto });
}

/** Loaded only by those who trace. */
const clientTracing = onDemand('tracing', () => import('./tracing/client-tracing.ts'));

async function tracingOf(tracing: Tracing | false | undefined, clientId: string) {
  if (!tracing) return undefined;
  const { ClientTracing } = await clientTracing();
  return new ClientTracing(tracing, clientId);
}

/** Loaded only by those who have to say who they are. */
const clientLogin = onDemand('logging in', () => import('./login.ts'));

/** @internal What says who the client is, on each connection. */
export async function loginOf(sasl: SaslOptions | undefined, { webCrypto }: Surroundings) {
  if (sasl === undefined) return undefined;
  const { ClientLogin } = await clientLogin();
  return new ClientLogin(sasl, webCrypto);
}

/** @internal How a URL is reached, and whom to ask first there. @throws MilenaError INVALID_ARGUMENT */
export function wayTo(
  to: string | Transport,
  { transport: given, tls }: ConnectOptions,
  { transports }: Surroundings,
): { transport: Transport; bootstrap: readonly BrokerAddress[] } {
  if (typeof to !== 'string') return { transport: to, bootstrap: [ONE_PLACE] };
  const { scheme, bootstrap } = parseUrl(to);
  const transport = given ?? transports[scheme]?.(to, tls);
  if (transport === undefined) {
    const known = Object.keys(transports).map((name) => `${name}://`);
    throw invalid(`${to}: ${scheme}:// is not served here, but ${known.join(', ')}`);
  }
  if (tls !== undefined && scheme !== 'kafkas')
    throw invalid(`${scheme}:// takes no option tls; it is for kafkas://`);
  return { transport, bootstrap };
}

/** @internal @throws MilenaError INVALID_ARGUMENT */
export function parseUrl(url: string): { scheme: string; bootstrap: BrokerAddress[] } {
  const [, scheme, hosts] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]+)/i.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined)
    throw invalid(`"${url}" is no URL such as kafka://localhost:9092`);
  const bootstrap = hosts.split(',').map((text) => {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
    const host = bracketed ?? plain;
    const number = port === undefined ? PORTS[scheme.toLowerCase()] : Number(port);
    if (host === undefined || number === undefined || number < 1 || number > 0xffff)
      throw invalid(`"${text}" in "${url}" is not host:port`);
    return { host, port: number };
  });
  return { scheme: scheme.toLowerCase(), bootstrap };
}

function invalid(message: string): MilenaError {
  return invalidArgument(message, 'see the URLs that connect takes');
}
