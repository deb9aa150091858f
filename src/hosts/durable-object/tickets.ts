import type { Millis } from '../../model/ids.ts';
import type { Cryptography } from '../../ports/cryptography.ts';
import { fromBase64, isSameSecret, textOf, toBase64, utf8 } from '../../sasl/encoding.ts';
import type { Authenticated } from '../../sasl/server.ts';
import { type WebCrypto, webCrypto } from '../../sasl/web-crypto.ts';
import { isPrincipal } from '../../security/principals.ts';
import { Scope, type ScopedTopic, scopedTopicsIn } from '../../security/scope.ts';

export type { Authenticated };

const TYPE = 'milena-ticket';
const ALGORITHM = 'HS256';
/** A shorter secret could be guessed from a ticket. */
const SECRET_MIN_BYTES = 32;

export interface TicketWish {
  /** `User:alice` */
  principal: string;
  /** Left out, a ticket is good for all that its principal may. */
  topics?: readonly ScopedTopic[] | undefined;
  lifetimeMs: Millis;
}

/**
 * Tokens (JWT, HS256) that are checked with a secret alone: no object is asked who somebody is. The form is that of the
 * tickets of a Node broker; any library for JWT can make them, with `typ` milena-ticket and the claims `sub`, `exp` and
 * maybe `topics`.
 */
export class Tickets {
  readonly #secret: Uint8Array;
  readonly #cryptography: Cryptography;
  readonly #now: () => Millis;

  /** @throws Error for people */
  constructor(secret: string, { cryptography, now }: { cryptography: Cryptography; now: () => Millis }) {
    this.#secret = utf8(secret);
    if (this.#secret.length < SECRET_MIN_BYTES)
      throw new Error(`the secret of tickets has at least ${SECRET_MIN_BYTES} characters`);
    this.#cryptography = cryptography;
    this.#now = now;
  }

  async issue({
    principal,
    topics,
    lifetimeMs,
  }: TicketWish): Promise<{ ticket: string; expiresAtMs: Millis }> {
    // Tokens count in seconds.
    const expires = Math.ceil((this.#now() + lifetimeMs) / 1_000);
    const claims = { sub: principal, exp: expires, ...(topics && { topics }) };
    const signed = [{ alg: ALGORITHM, typ: TYPE }, claims]
      .map((part) => encoded(utf8(JSON.stringify(part))))
      .join('.');
    return { ticket: `${signed}.${encoded(await this.#sign(signed))}`, expiresAtMs: expires * 1_000 };
  }

  /** Who a ticket speaks for. @throws Error when it is not good. */
  async verify(ticket: string): Promise<Authenticated> {
    const [header = '', payload = '', signature = '', ...rest] = ticket.split('.');
    const { alg, typ } = partOf(header);
    if (alg !== ALGORITHM || typ !== TYPE || rest.length > 0) throw new Error('this is no ticket');
    const given = decoded(signature);
    if (given === undefined || !isSameSecret(await this.#sign(`${header}.${payload}`), given))
      throw new Error('this ticket was not signed here');
    const { sub, exp, topics } = partOf(payload);
    if (typeof sub !== 'string' || !isPrincipal(sub)) throw new Error('this ticket names nobody');
    if (typeof exp !== 'number' || exp * 1_000 <= this.#now()) throw new Error('this ticket has expired');
    const scope = topics === undefined ? undefined : new Scope(scopedTopicsIn(topics));
    return { principal: sub, expiresAtMs: exp * 1_000, scope };
  }

  #sign(text: string): Promise<Uint8Array> {
    return this.#cryptography.hmac('SHA-256', this.#secret, utf8(text));
  }
}

function partOf(text: string): Readonly<Record<string, unknown>> {
  const part = JSON.parse(textOf(decoded(text) ?? new Uint8Array(0)) ?? '') as unknown;
  if (typeof part !== 'object' || part === null) throw new Error('this is no ticket');
  return part as Readonly<Record<string, unknown>>;
}

function encoded(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function decoded(text: string): Uint8Array | undefined {
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  return fromBase64(padded.replaceAll('-', '+').replaceAll('_', '/'));
}

/** On this platform's cryptography and time. @throws Error for people */
export function ticketsOf(secret: string): Tickets {
  const cryptography = webCrypto(crypto as unknown as WebCrypto);
  return new Tickets(secret, { cryptography, now: () => Date.now() });
}
