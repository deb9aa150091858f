/**
 * How a page says who it is: OAUTHBEARER, by hand. Loaded by those who have a token; it shares nothing with what is
 * loaded first, which would have to be cut in two for that.
 */
import type { Api } from './apis.ts';
import type { Link } from './link.ts';

/** A token (JWT, or a ticket of `POST /ticket`), or what gives one: asked for each WebSocket. */
export type Token = string | (() => string | Promise<string>);

const utf8 = (text: string) => new TextEncoder().encode(text);

const handshakeApi: Api<string, number> = {
  name: 'SaslHandshake',
  key: 17,
  version: 1,
  isOld: true,
  write: (to, mechanism) => to.int16(mechanism.length).raw(utf8(mechanism)),
  // Nor has its answer: the first half of the code, a zero, was taken for that there are none.
  read: (from) => from.int8(),
};

const authenticateApi: Api<string, { errorCode: number; message: string | null; isChallenged: boolean }> = {
  name: 'SaslAuthenticate',
  key: 36,
  version: 2,
  write: (to, token) => to.bytes(utf8(`n,,\u0001auth=Bearer ${token}\u0001\u0001`)).end(),
  read(from) {
    const errorCode = from.int16();
    const message = from.text();
    return { errorCode, message, isChallenged: (from.bytes()?.length ?? 0) > 0 };
  },
};

const AUTHENTICATION_FAILED = 58;

/** @param refusal makes an error. @throws it, and what asking does. */
export async function logIn(
  link: Link,
  token: Token,
  { signal, refusal }: { signal: AbortSignal; refusal: (code: number, where: string, why?: string) => Error },
): Promise<void> {
  const given = typeof token === 'function' ? await token() : token;
  const mechanism = 'OAUTHBEARER';
  const chosen = await link.ask(handshakeApi, mechanism, signal);
  if (chosen !== 0) throw refusal(chosen, mechanism, 'the broker takes no tokens');
  const { errorCode, message, isChallenged } = await link.ask(authenticateApi, given, signal);
  if (errorCode !== 0 || isChallenged)
    throw refusal(
      AUTHENTICATION_FAILED,
      mechanism,
      message ?? 'is the token for this broker, and still good?',
    );
}
