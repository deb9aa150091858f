import type { Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import { type Authenticated, LoginRefused, type SaslServer, type SaslServers } from '../sasl/server.ts';
import { saslHandshakeApi } from '../wire/apis/17-sasl-handshake.ts';
import { apiVersionsApi } from '../wire/apis/18-api-versions.ts';
import { saslAuthenticateApi } from '../wire/apis/36-sasl-authenticate.ts';

/** How all logins of a gateway go. */
export interface Logins {
  sasl: SaslServers;
  /** connection.failed.authentication.delay.ms: how long whoever is refused waits to hear of it. */
  refusalDelayMs: Millis;
  /** sasl.server.max.receive.size: of a request of somebody who is not known yet. */
  requestMaxBytes: number;
  /** connections.max.reauth.ms: the longest a login holds; 0 is for ever. */
  maxReauthMs: Millis;
}

/** What the client is told of one step; `sessionLifetimeMs` counts once it is known. */
export interface LoginStep {
  authBytes: Uint8Array;
  sessionLifetimeMs: Millis;
  /** Who it is, once that is clear. */
  known: Authenticated | undefined;
}

/**
 * Who a connection is, on a listener that wants to know (KIP-43, 152, 368):
 *
 *   unknown -> SaslHandshake -> tokens (in SaslAuthenticate, or bare after v0) -> known
 *   known   -> SaslHandshake -> tokens                                         -> known again, the same
 *
 * Anything else in between, or once a session has expired, ends the connection.
 */
export class Login {
  readonly #logins: Logins;
  readonly #clock: Clock;
  #known: Authenticated | undefined;
  #mechanism = '';
  /** Of the exchange that is under way. */
  #server: SaslServer | undefined;
  #isBare = false;
  #expiresAtMs = Infinity;

  constructor(logins: Logins, clock: Clock) {
    this.#logins = logins;
    this.#clock = clock;
  }

  get known(): Authenticated | undefined {
    return this.#known;
  }

  /** Of the request of somebody who is not known. */
  get requestMaxBytes(): number {
    return this.#known === undefined ? this.#logins.requestMaxBytes : Infinity;
  }

  get refusalDelayMs(): Millis {
    return this.#logins.refusalDelayMs;
  }

  get mechanisms(): readonly string[] {
    return this.#logins.sasl.mechanisms;
  }

  /** What comes next is a token without a Kafka header. */
  get wantsBareToken(): boolean {
    return this.#server !== undefined && this.#isBare;
  }

  /** Has chosen a mechanism, and not finished. */
  get isUnderWay(): boolean {
    return this.#server !== undefined;
  }

  mayAsk(apiKey: number): boolean {
    if (this.#server !== undefined) return apiKey === saslAuthenticateApi.key;
    if (apiKey === saslHandshakeApi.key || apiKey === saslAuthenticateApi.key) return true;
    if (this.#known === undefined) return apiKey === apiVersionsApi.key;
    return !this.#isExpired;
  }

  get #isExpired(): boolean {
    return this.#expiresAtMs < Infinity && this.#clock.now() > this.#expiresAtMs;
  }

  /** @returns why not; undefined when tokens may follow. */
  choose(mechanism: string, { isBare }: { isBare: boolean }): 'unsupported' | 'another' | undefined {
    // Who logs in again must do it the same way.
    if (this.#known !== undefined && mechanism !== this.#mechanism) return 'another';
    this.#server = this.#logins.sasl.start(mechanism);
    if (this.#server === undefined) return 'unsupported';
    this.#mechanism = mechanism;
    this.#isBare = isBare;
    return undefined;
  }

  /** @throws {LoginRefused} and nothing is to come of this connection. */
  async step(token: Uint8Array): Promise<LoginStep> {
    const server = this.#server;
    if (server === undefined) throw new LoginRefused('SaslHandshake comes first');
    const { reply, done: known } = await server.step(token);
    if (known === undefined) return { authBytes: reply, sessionLifetimeMs: 0, known };
    if (this.#known !== undefined && known.principal !== this.#known.principal)
      throw new LoginRefused('Cannot change principals during re-authentication');
    this.#server = undefined;
    this.#known = known;
    const lifetimeMs = this.#lifetimeMs(known);
    this.#expiresAtMs = this.#clock.now() + lifetimeMs;
    return { authBytes: reply, sessionLifetimeMs: lifetimeMs === Infinity ? 0 : lifetimeMs, known };
  }

  #lifetimeMs({ expiresAtMs }: Authenticated): Millis {
    const { maxReauthMs } = this.#logins;
    const longestMs = maxReauthMs > 0 ? maxReauthMs : Infinity;
    const leftMs = expiresAtMs === undefined ? Infinity : Math.max(0, expiresAtMs - this.#clock.now());
    return Math.min(longestMs, leftMs);
  }
}
