import { randomBytes } from 'node:crypto';
import type { Millis } from '../../../model/ids.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { VerifyToken } from '../../../sasl/oauth-bearer-server.ts';
import { Scope, type ScopedTopic, scopedTopicsIn } from '../../../security/scope.ts';

const TYPE = 'milena-ticket';
const SECRET_BYTES = 32;

/**
 * Tokens of this node's own, for a short while and for some topics alone: what a page may have without having more.
 * They are signed with a secret that lives as long as this process.
 */
export class Tickets {
  readonly #secret = new Uint8Array(randomBytes(SECRET_BYTES));
  readonly #clock: Clock;
  /** The longest that one is good for. */
  readonly #lifetimeMaxMs: Millis;

  constructor({ clock, lifetimeMaxMs }: { clock: Clock; lifetimeMaxMs: Millis }) {
    this.#clock = clock;
    this.#lifetimeMaxMs = lifetimeMaxMs;
  }

  /** @param lifetimeMs at most what the node allows, which it is unless given. */
  async issue(wish: {
    principal: string;
    topics: readonly ScopedTopic[];
    lifetimeMs?: Millis | undefined;
  }): Promise<{ ticket: string; expiresAtMs: Millis }> {
    const { SignJWT } = await import('jose');
    const { principal, topics, lifetimeMs = this.#lifetimeMaxMs } = wish;
    const untilMs = this.#clock.now() + Math.min(lifetimeMs, this.#lifetimeMaxMs);
    // Tokens count in seconds.
    const expiresAtMs = Math.ceil(untilMs / 1000) * 1000;
    const jwt = new SignJWT({ topics: [...topics] }).setProtectedHeader({ alg: 'HS256', typ: TYPE });
    const ticket = await jwt
      .setSubject(principal)
      .setExpirationTime(new Date(expiresAtMs))
      .sign(this.#secret);
    return { ticket, expiresAtMs };
  }

  /** Takes tickets, and hands what is none to `others`. */
  verifier(others: VerifyToken | undefined): VerifyToken {
    return async (token) => {
      const { decodeProtectedHeader, jwtVerify } = await import('jose');
      const isTicket = decodeProtectedHeader(token).typ === TYPE;
      if (!isTicket && others !== undefined) return others(token);
      const { payload } = await jwtVerify(token, this.#secret, {
        algorithms: ['HS256'],
        typ: TYPE,
        requiredClaims: ['exp', 'sub', 'topics'],
        currentDate: new Date(this.#clock.now()),
      });
      const scope = new Scope(scopedTopicsIn(payload['topics']));
      return { principal: payload.sub ?? '', expiresAtMs: (payload.exp ?? 0) * 1000, scope };
    };
  }
}
