import { textOf, utf8 } from './encoding.ts';
import { type Authenticated, LoginRefused, type SaslServer, type SaslStep } from './server.ts';

/** Who a token speaks for. @throws {Error} when it is not good, for whatever reason. */
export type VerifyToken = (token: string) => Promise<Authenticated>;

const NO_BYTES = new Uint8Array(0);
/** Kafka's words; RFC 7628 leaves them to the server. */
const INVALID_TOKEN = '{"status":"invalid_token"}';
const CLIENT_ADMITS = 1;
const SEPARATOR = String.fromCharCode(1);

/**
 * The server of OAUTHBEARER (RFC 7628),
 * `n,a=…,^Aauth=Bearer token^A^A`. A refusal is told, admitted, and then final.
 */
export class OAuthBearerServer implements SaslServer {
  readonly #verify: VerifyToken;
  #isRefused = false;

  constructor(verify: VerifyToken) {
    this.#verify = verify;
  }

  async step(token: Uint8Array): Promise<SaslStep> {
    if (this.#isRefused) throw refusal(token.length === 1 && token[0] === CLIENT_ADMITS);
    const { authzid = '', bearer } = bearerIn(token) ?? {};
    if (bearer === undefined) throw new LoginRefused('OAUTHBEARER: not a message of this mechanism');
    let known: Authenticated;
    try {
      known = await this.#verify(bearer);
    } catch {
      // What is wrong with a token is for whoever issued it to know.
      this.#isRefused = true;
      return { reply: utf8(INVALID_TOKEN) };
    }
    if (authzid !== '' && `User:${authzid}` !== known.principal)
      throw new LoginRefused(`${authzid} is asked for, and the token speaks for somebody else`);
    return { reply: NO_BYTES, done: known };
  }
}

function refusal(isAdmitted: boolean): LoginRefused {
  return new LoginRefused(
    isAdmitted
      ? 'Authentication failed due to an invalid token'
      : 'OAUTHBEARER: a refused client has one byte left to say',
  );
}

function bearerIn(token: Uint8Array): { authzid: string | undefined; bearer: string } | undefined {
  const [header = '', ...pairs] = (textOf(token) ?? '').split(SEPARATOR);
  const isWhole = pairs.length > 2 && pairs.at(-1) === '' && pairs.at(-2) === '';
  const { isHeader, authzid } = /^(?<isHeader>n),(?:a=(?<authzid>[^,]*))?,$/.exec(header)?.groups ?? {};
  const found = pairs
    .map((pair) => /^auth=Bearer +(?<bearer>[A-Za-z0-9\-._~+/]+=*)$/i.exec(pair)?.groups?.['bearer'])
    .find((bearer) => bearer !== undefined);
  return found === undefined || !isWhole || isHeader === undefined ? undefined : { authzid, bearer: found };
}
