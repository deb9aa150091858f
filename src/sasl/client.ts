import { concat } from '../model/bytes.ts';
import type { Cryptography } from '../ports/cryptography.ts';
import { fromBase64, isSameSecret, textOf, toBase64, utf8, xor } from './encoding.ts';
import { attributesOf, escaped, keysOf, SCRAM_ITERATIONS, type ScramMechanism } from './scram.ts';

/** The client's side of one login: what to say first, then to each answer; undefined when there is no more to say. */
export interface SaslClient {
  first(): Promise<Uint8Array> | Uint8Array;
  /** @throws {Error} when the server does not prove that it knows the password, or refuses. */
  next(answer: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface UserAndPassword {
  username: string;
  password: string;
}

const NO_MORE = Promise.resolve(undefined);

export function plainClient({ username, password }: UserAndPassword): SaslClient {
  return { first: () => utf8(`\0${username}\0${password}`), next: () => NO_MORE };
}

/** @param token as its issuer gave it. */
export function oauthBearerClient(token: string): SaslClient {
  return {
    first: () => utf8(`n,,\u0001auth=Bearer ${token}\u0001\u0001`),
    // Whoever is refused says that it has heard, and is told for good.
    next: async (answer) => (answer.length === 0 ? undefined : Uint8Array.of(1)),
  };
}

const NONCE_BYTES = 24;
/** A server that asks for more wants our time. */
const ITERATIONS_MAX = 1_000_000;
const GS2_HEADER = 'n,,';

/** SCRAM: the password never leaves, and the server has to prove that it knows its keys. */
export class ScramClient implements SaslClient {
  readonly #cryptography: Cryptography;
  readonly #mechanism: ScramMechanism;
  readonly #user: UserAndPassword;
  #bare = '';
  #nonce = '';
  #expected: Uint8Array | undefined;

  constructor(cryptography: Cryptography, mechanism: ScramMechanism, user: UserAndPassword) {
    this.#cryptography = cryptography;
    this.#mechanism = mechanism;
    this.#user = user;
  }

  first(): Uint8Array {
    this.#nonce = toBase64(this.#cryptography.randomBytes(NONCE_BYTES));
    this.#bare = `n=${escaped(this.#user.username)},r=${this.#nonce}`;
    return utf8(GS2_HEADER + this.#bare);
  }

  async next(answer: Uint8Array): Promise<Uint8Array | undefined> {
    const message = textOf(answer) ?? '';
    const said = attributesOf(message);
    if (this.#expected !== undefined) {
      const signature = fromBase64(said?.get('v') ?? '');
      if (signature === undefined || !isSameSecret(signature, this.#expected))
        throw new Error('the broker does not prove that it knows the password');
      return undefined;
    }
    const nonce = said?.get('r') ?? '';
    const salt = fromBase64(said?.get('s') ?? '');
    const iterations = Number(said?.get('i'));
    const isHonest = nonce.startsWith(this.#nonce) && nonce.length > this.#nonce.length;
    if (!isHonest || salt === undefined || !Number.isSafeInteger(iterations))
      throw new Error(`the broker does not speak ${this.#mechanism.name}`);
    if (iterations < SCRAM_ITERATIONS.min || iterations > ITERATIONS_MAX)
      throw new Error(
        `the broker asks for ${iterations} rounds of hashing, not ${SCRAM_ITERATIONS.min} or more`,
      );
    return this.#proof(message, { nonce, salt, iterations });
  }

  async #proof(
    serverFirst: string,
    { nonce, salt, iterations }: { nonce: string; salt: Uint8Array; iterations: number },
  ): Promise<Uint8Array> {
    const { hash } = this.#mechanism;
    const salted = await this.#cryptography.pbkdf2(hash, utf8(this.#user.password), { salt, iterations });
    const { clientKey, storedKey, serverKey } = await keysOf(this.#cryptography, hash, salted);
    const withoutProof = `c=${toBase64(utf8(GS2_HEADER))},r=${nonce}`;
    const authMessage = utf8(`${this.#bare},${serverFirst},${withoutProof}`);
    this.#expected = await this.#cryptography.hmac(hash, serverKey, authMessage);
    const proof = xor(clientKey, await this.#cryptography.hmac(hash, storedKey, authMessage));
    return concat([utf8(`${withoutProof},p=`), utf8(toBase64(proof))]);
  }
}
