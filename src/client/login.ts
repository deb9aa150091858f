import type { Millis } from '../model/ids.ts';
import { ErrorCode } from '../model/errors.ts';
import { oauthBearerClient, plainClient, type SaslClient, ScramClient } from '../sasl/client.ts';
import { SCRAM_MECHANISMS } from '../sasl/scram.ts';
import { type WebCrypto, webCrypto } from '../sasl/web-crypto.ts';
import { saslHandshakeApi } from '../wire/apis/17-sasl-handshake.ts';
import { saslAuthenticateApi } from '../wire/apis/36-sasl-authenticate.ts';
import type { SaslOptions } from './connect.ts';
import { BrokerError, invalidArgument } from './errors.ts';
import type { Login, LoginExchange } from './login-session.ts';

const HANDSHAKE_VERSIONS = { min: 1, max: 1 };
const AUTHENTICATE_VERSIONS = { min: 0, max: 2 };

/** How a connection says who its client is; loaded by those who do. */
export class ClientLogin implements Login {
  readonly #options: SaslOptions;
  readonly #platform: WebCrypto | undefined;

  /** @throws MilenaError INVALID_ARGUMENT */
  constructor(options: SaslOptions, platform: WebCrypto | undefined) {
    const names = ['plain', 'oauthbearer', ...SCRAM_MECHANISMS.map(({ name }) => name.toLowerCase())];
    if (!names.includes(options.mechanism))
      throw invalidArgument(`sasl.mechanism is one of ${names.join(', ')}`, 'see the options of connect');
    this.#options = options;
    this.#platform = platform;
  }

  /** @returns how long it holds; 0 is for ever. @throws BrokerError SASL_AUTHENTICATION_FAILED and others */
  async login(exchange: LoginExchange): Promise<Millis> {
    const mechanism = this.#options.mechanism.toUpperCase();
    const client = await this.#client(mechanism);
    const chosen = await exchange.request(saslHandshakeApi, HANDSHAKE_VERSIONS, { mechanism });
    if (chosen.errorCode !== ErrorCode.NONE) {
      const known = chosen.mechanisms.join(', ');
      const why = known === '' ? 'this listener wants no login' : `it takes ${known}`;
      throw new BrokerError(chosen.errorCode, mechanism, why);
    }
    let authBytes: Uint8Array | undefined = await client.first();
    let lifetimeMs = 0;
    while (authBytes !== undefined) {
      const answer = await exchange.request(saslAuthenticateApi, AUTHENTICATE_VERSIONS, { authBytes });
      if (answer.errorCode !== ErrorCode.NONE)
        throw new BrokerError(answer.errorCode, mechanism, answer.errorMessage);
      lifetimeMs = answer.sessionLifetimeMs;
      authBytes = await proven(mechanism, client, answer.authBytes);
    }
    return lifetimeMs;
  }

  async #client(mechanism: string): Promise<SaslClient> {
    const options = this.#options;
    if (options.mechanism === 'oauthbearer') {
      const { token } = options;
      return oauthBearerClient(typeof token === 'function' ? await token() : token);
    }
    const scram = SCRAM_MECHANISMS.find(({ name }) => name === mechanism);
    if (scram === undefined) return plainClient(options);
    if (this.#platform?.subtle === undefined)
      throw invalidArgument(
        `${mechanism} needs cryptography, which pages have over https:// and on localhost`,
      );
    return new ScramClient(webCrypto(this.#platform), scram, options);
  }
}

/** A broker that cannot prove itself is not one to go on with, nor to ask again. */
async function proven(
  mechanism: string,
  client: SaslClient,
  answer: Uint8Array,
): Promise<Uint8Array | undefined> {
  try {
    return await client.next(answer);
  } catch (error) {
    throw new BrokerError(ErrorCode.SASL_AUTHENTICATION_FAILED, mechanism, (error as Error).message);
  }
}
