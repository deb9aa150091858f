import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Millis } from '../../../model/ids.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { LogFields } from '../../../ports/log.ts';
import type { VerifyToken } from '../../../sasl/oauth-bearer-server.ts';
import type { SaslServers } from '../../../sasl/server.ts';
import { type ScopedTopic, scopedTopicsIn } from '../../../security/scope.ts';
import { mayAsk } from '../origin.ts';
import type { Tickets } from './tickets.ts';

const BODY_MAX_BYTES = 64 * 1024;

export interface TicketDeskOptions {
  tickets: Tickets;
  /** Checks names and passwords, where PLAIN is taken. */
  sasl: SaslServers;
  /** Of whoever shows a token; no ticket is given for a ticket. */
  verifyToken: VerifyToken | undefined;
  allowedOrigins: readonly string[];
  clock: Clock;
  /** Whoever is refused waits so long. */
  refusalDelayMs: Millis;
  /** Where it is told who got a ticket, and who not. */
  audit?: ((told: LogFields & { outcome: 'done' | 'denied' }) => void) | undefined;
}

interface Answer {
  status: number;
  body: object;
  headers?: Readonly<Record<string, string>>;
}

/**
 * `POST /ticket` with `{ "topics": [{ "topic", "operations" }], "lifetimeMs"? }`: whoever says who it is (Basic,
 * Bearer) gets a ticket for that, good for what it may itself.
 */
export class TicketDesk {
  readonly #options: TicketDeskOptions;

  constructor(options: TicketDeskOptions) {
    this.#options = options;
  }

  /** Answers, whatever is asked. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body, headers } = await this.#answer(request).catch((error: unknown) => ({
      status: 400,
      body: { error: (error as Error).message },
      headers: {},
    }));
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...this.#forPages(request),
      ...headers,
    });
    response.end(status === 204 ? undefined : `${JSON.stringify(body)}\n`);
  }

  /** What lets a page of an origin that is allowed read the answer. */
  #forPages({ headers: { origin } }: IncomingMessage): Record<string, string> {
    const { allowedOrigins } = this.#options;
    if (origin === undefined || !mayAsk({ origin }, allowedOrigins)) return {};
    return { 'access-control-allow-origin': origin, vary: 'origin' };
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { method, headers } = request;
    if (!mayAsk(headers, this.#options.allowedOrigins))
      return { status: 403, body: { error: `pages of ${headers.origin} may not use this broker` } };
    if (method === 'OPTIONS') return PREFLIGHT;
    if (method !== 'POST') return { status: 405, body: { error: 'POST asks for a ticket' } };
    const wish = wishIn(await bodyOf(request));
    const principal = await this.#principalOf(request);
    const client = request.socket.remoteAddress ?? '';
    const topics = wish.topics.map(({ topic, operations }) => `${topic}: ${operations.join()}`);
    const told = { client, api: 'POST /ticket', resource: 'ticket', topics };
    if (principal === undefined) {
      this.#options.audit?.({ ...told, outcome: 'denied' });
      return this.#stranger();
    }
    const issued = await this.#options.tickets.issue({ principal, ...wish });
    this.#options.audit?.({ ...told, principal, expiresAtMs: issued.expiresAtMs, outcome: 'done' });
    return { status: 200, body: { ...issued, principal, topics: wish.topics } };
  }

  #stranger(): Promise<Answer> {
    const { clock, refusalDelayMs } = this.#options;
    const headers = { 'www-authenticate': 'Basic realm="milena", Bearer' };
    const answer = { status: 401, body: { error: 'say who you are' }, headers };
    return new Promise((resolve) => clock.at(clock.now() + refusalDelayMs, () => resolve(answer)));
  }

  /** Undefined: nobody we know. */
  async #principalOf(request: IncomingMessage): Promise<string | undefined> {
    const { sasl, verifyToken } = this.#options;
    const { scheme, credentials = '' } =
      /^(?<scheme>basic|bearer) +(?<credentials>\S+)$/i.exec(request.headers.authorization ?? '')?.groups ??
      {};
    try {
      if (scheme?.toLowerCase() === 'bearer') return (await verifyToken?.(credentials))?.principal;
      if (scheme === undefined) return undefined;
      const [user = '', ...password] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
      const token = new Uint8Array(Buffer.from(`\0${user}\0${password.join(':')}`));
      return (await sasl.start('PLAIN')?.step(token))?.done?.principal;
    } catch {
      return undefined;
    }
  }
}

const PREFLIGHT: Answer = {
  status: 204,
  body: {},
  headers: {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, content-type',
  },
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > BODY_MAX_BYTES) throw new Error('that is too much for a ticket');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws Error for people */
function wishIn(text: string): { topics: ScopedTopic[]; lifetimeMs?: Millis } {
  let wish: { topics?: unknown; lifetimeMs?: unknown } | null;
  try {
    wish = JSON.parse(text) as typeof wish;
  } catch {
    throw new Error('a wish is JSON: { "topics": [{ "topic": "orders", "operations": ["read"] }] }');
  }
  const topics = scopedTopicsIn(wish?.topics);
  const lifetimeMs = wish?.lifetimeMs;
  if (lifetimeMs === undefined) return { topics };
  if (typeof lifetimeMs !== 'number' || !(lifetimeMs >= 1))
    throw new Error('"lifetimeMs" is a number above 0');
  return { topics, lifetimeMs };
}
