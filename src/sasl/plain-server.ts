import { isSameSecret, textOf, utf8 } from './encoding.ts';
import { SCRAM_MECHANISMS, type ScramMechanism, keysOf } from './scram.ts';
import { LoginRefused, type Lookup, type SaslServer, type SaslStep } from './server.ts';

const NO_BYTES = new Uint8Array(0);

/**
 * The server of PLAIN (RFC 4616): authzid NUL user NUL password, checked against the user's salted keys of SCRAM, for
 * passwords are stored nowhere. It costs as many rounds of hashing as they took.
 */
export class PlainServer implements SaslServer {
  readonly #lookup: Lookup;

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  async step(token: Uint8Array): Promise<SaslStep> {
    const [authzid = '', user = '', password = '', ...more] = textOf(token)?.split('\0') ?? [];
    if (user === '' || password === '' || more.length > 0)
      throw new LoginRefused('PLAIN: a message is authzid NUL user NUL password');
    if (authzid !== '' && authzid !== user)
      throw new LoginRefused(
        'Authentication failed: Client requested an authorization id that is different from username',
      );
    if (!(await this.#fits(user, password)))
      throw new LoginRefused('Authentication failed: Invalid username or password');
    return { reply: NO_BYTES, done: { principal: `User:${user}` } };
  }

  async #fits(user: string, password: string): Promise<boolean> {
    const known = SCRAM_MECHANISMS.find((mechanism) => this.#lookup.known(user, mechanism) !== undefined);
    const mechanism = known ?? (SCRAM_MECHANISMS[0] as ScramMechanism);
    const credential = this.#lookup.known(user, mechanism) ?? (await this.#lookup.stranger(user, mechanism));
    const cryptography = this.#lookup.cryptography();
    const salted = await cryptography.pbkdf2(mechanism.hash, utf8(password), credential);
    const { storedKey } = await keysOf(cryptography, mechanism.hash, salted);
    return isSameSecret(storedKey, credential.storedKey) && known !== undefined;
  }
}
