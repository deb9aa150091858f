import { concat } from '../model/bytes.ts';
import { fromBase64, isSameSecret, textOf, toBase64, utf8, xor } from './encoding.ts';
import { attributesOf, type ScramCredential, type ScramMechanism, unescaped } from './scram.ts';
import { LoginRefused, type Lookup, type SaslServer, type SaslStep } from './server.ts';

const NONCE_BYTES = 24;

/** Between the two messages of a client. */
interface Begun {
  user: string;
  credential: ScramCredential;
  isKnown: boolean;
  /** The client's nonce and ours behind it. */
  nonce: string;
  /** `gs2-header` of the first message, which the last must repeat. */
  header: string;
  /** `client-first-message-bare,server-first-message` */
  said: string;
}

/**
 * The server of SCRAM, without channel binding:
 *
 *   n,,n=user,r=nonce          ->
 *                              <-  r=nonce and ours,s=salt,i=iterations
 *   c=biws,r=both,p=proof      ->
 *                              <-  v=signature
 */
export class ScramServer implements SaslServer {
  readonly #lookup: Lookup;
  readonly #mechanism: ScramMechanism;
  #begun: Begun | undefined;

  constructor(lookup: Lookup, mechanism: ScramMechanism) {
    this.#lookup = lookup;
    this.#mechanism = mechanism;
  }

  async step(token: Uint8Array): Promise<SaslStep> {
    const message = textOf(token);
    if (message === undefined) throw this.#malformed();
    const begun = this.#begun;
    this.#begun = undefined;
    return begun === undefined ? this.#first(message) : this.#last(begun, message);
  }

  async #first(message: string): Promise<SaslStep> {
    const { header, authzid, bare } =
      /^(?<header>n,(?:a=(?<authzid>[^,]*))?,)(?<bare>.*)$/s.exec(message)?.groups ?? {};
    const said = attributesOf(bare ?? '');
    const user = unescaped(said?.get('n') ?? '');
    const clientNonce = said?.get('r') ?? '';
    // A mandatory extension we do not know.
    const isMarred = said?.has('m') ?? true;
    if (header === undefined || isMarred || !user || !/^[\x21-\x2b\x2d-\x7e]+$/.test(clientNonce))
      throw this.#malformed();
    if (authzid !== undefined && unescaped(authzid) !== user)
      throw new LoginRefused(
        'Authentication failed: Client requested an authorization id that is different from username',
      );
    const known = this.#lookup.known(user, this.#mechanism);
    const credential = known ?? (await this.#lookup.stranger(user, this.#mechanism));
    const nonce = clientNonce + toBase64(this.#lookup.cryptography().randomBytes(NONCE_BYTES));
    const reply = `r=${nonce},s=${toBase64(credential.salt)},i=${credential.iterations}`;
    const isKnown = known !== undefined;
    this.#begun = { user, credential, isKnown, nonce, header, said: `${bare},${reply}` };
    return { reply: utf8(reply) };
  }

  async #last(begun: Begun, message: string): Promise<SaslStep> {
    const { withoutProof, proof: given = '' } =
      /^(?<withoutProof>c=.*),p=(?<proof>[^,]*)$/s.exec(message)?.groups ?? {};
    const said = attributesOf(withoutProof ?? '');
    const proof = fromBase64(given);
    const isOurs = said?.get('r') === begun.nonce && said.get('c') === toBase64(utf8(begun.header));
    if (withoutProof === undefined || !isOurs || proof?.length !== this.#mechanism.hashBytes)
      throw this.#refused();
    const { hash } = this.#mechanism;
    const { storedKey, serverKey } = begun.credential;
    const cryptography = this.#lookup.cryptography();
    const authMessage = utf8(`${begun.said},${withoutProof}`);
    const clientKey = xor(proof, await cryptography.hmac(hash, storedKey, authMessage));
    const isRight = isSameSecret(await cryptography.digest(hash, clientKey), storedKey);
    if (!isRight || !begun.isKnown) throw this.#refused();
    const signature = await cryptography.hmac(hash, serverKey, authMessage);
    return {
      reply: concat([utf8('v='), utf8(toBase64(signature))]),
      done: { principal: `User:${begun.user}` },
    };
  }

  #malformed(): LoginRefused {
    return new LoginRefused(`${this.#mechanism.name}: not a message of this mechanism`);
  }

  /** The same for a user who is not there and for a password that is wrong. */
  #refused(): LoginRefused {
    const what = 'Authentication failed during authentication due to invalid credentials with SASL mechanism';
    return new LoginRefused(`${what} ${this.#mechanism.name}`);
  }
}
