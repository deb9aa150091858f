import type { Cryptography } from '../ports/cryptography.ts';
import type { Millis } from '../model/ids.ts';
import { OAuthBearerServer, type VerifyToken } from './oauth-bearer-server.ts';
import { PlainServer } from './plain-server.ts';
import { SCRAM_MECHANISMS, type ScramCredential, type ScramMechanism } from './scram.ts';
import { Strangers } from './strangers.ts';
import { ScramServer } from './scram-server.ts';

/** Who has logged in. */
export interface Authenticated {
  /** `User:alice` */
  principal: string;
  /** What it logged in with is good until then; undefined: for ever. */
  expiresAtMs?: Millis | undefined;
  /** Limits beside what the principal may: of a ticket. */
  scope?: object | undefined;
}

/** What a client is to be told, and who it is once it is known. */
export interface SaslStep {
  reply: Uint8Array;
  done?: Authenticated;
}

/** A login that failed. The message is for the client: it says nothing of what there is. */
export class LoginRefused extends Error {
  override name = 'LoginRefused';
}

/** The server's side of one exchange: a token in, a token out, until somebody is known. */
export interface SaslServer {
  /** @throws {LoginRefused} */
  step(token: Uint8Array): Promise<SaslStep>;
}

export interface SaslParts {
  cryptography: Cryptography;
  /** Salted keys of users, by mechanism (its number). */
  credential: (user: string, mechanism: number) => ScramCredential | undefined;
  /** Undefined: no tokens are taken. */
  verifyToken?: VerifyToken | undefined;
  /** Names of the mechanisms that clients may choose. */
  enabled: readonly string[];
}

/** Starts logins. */
export class SaslServers {
  readonly mechanisms: readonly string[];
  readonly cryptography: Cryptography;
  readonly #parts: SaslParts;
  readonly #strangers: Strangers;

  constructor(parts: SaslParts) {
    this.#parts = parts;
    this.cryptography = parts.cryptography;
    this.#strangers = new Strangers(parts.cryptography);
    this.mechanisms = parts.enabled;
  }

  /** Undefined for a mechanism that is not offered. */
  start(mechanism: string): SaslServer | undefined {
    if (!this.mechanisms.includes(mechanism)) return undefined;
    const scram = SCRAM_MECHANISMS.find(({ name }) => name === mechanism);
    if (scram !== undefined) return new ScramServer(this.#lookup, scram);
    if (mechanism === 'PLAIN') return new PlainServer(this.#lookup);
    const { verifyToken } = this.#parts;
    return mechanism === 'OAUTHBEARER' && verifyToken !== undefined
      ? new OAuthBearerServer(verifyToken)
      : undefined;
  }

  readonly #lookup: Lookup = {
    cryptography: () => this.#parts.cryptography,
    known: (user, mechanism) => this.#parts.credential(user, mechanism.number),
    stranger: (user, mechanism) => this.#strangers.credential(user, mechanism),
  };
}

/** What a server asks about users. */
export interface Lookup {
  cryptography(): Cryptography;
  known(user: string, mechanism: ScramMechanism): ScramCredential | undefined;
  /** For a user who is not there: it fits no password, and looks like one that does. */
  stranger(user: string, mechanism: ScramMechanism): Promise<ScramCredential>;
}
