import type { Cryptography } from '../ports/cryptography.ts';
import { utf8 } from './encoding.ts';
import { SCRAM_ITERATIONS, type ScramCredential, type ScramMechanism } from './scram.ts';

const SECRET_BYTES = 32;
const SALT_BYTES = 16;

/**
 * Credentials of users who are not there: the same salt each time one asks, so that nobody learns who is. They fit no
 * password.
 */
export class Strangers {
  readonly #cryptography: Cryptography;
  readonly #secret: Uint8Array;

  constructor(cryptography: Cryptography) {
    this.#cryptography = cryptography;
    this.#secret = cryptography.randomBytes(SECRET_BYTES);
  }

  async credential(user: string, { hash, hashBytes, name }: ScramMechanism): Promise<ScramCredential> {
    const drawn = await this.#cryptography.hmac(hash, this.#secret, utf8(`${name} ${user}`));
    return {
      salt: drawn.slice(0, SALT_BYTES),
      storedKey: this.#cryptography.randomBytes(hashBytes),
      serverKey: this.#cryptography.randomBytes(hashBytes),
      iterations: SCRAM_ITERATIONS.usual,
    };
  }
}
