import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import { brokerConfigDefinition } from '../../../metadata/configs/broker-configs.ts';
import { listItems } from '../../../metadata/configs/validate.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Log } from '../../../ports/log.ts';
import type { VerifyToken } from '../../../sasl/oauth-bearer-server.ts';

type Settings = ReadonlyMap<string, string>;

/** Keys that are public. With the others whoever may check a token could make one; `none` is refused in any case. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const FETCH_TIMEOUT_MS = 5_000;
const FETCH_AGAIN_AFTER_MS = 10_000;

/**
 * Checks tokens (JWT) of OAUTHBEARER: signed by a key of the issuer's JWKS, of the issuer and for the audience that the
 * settings name, not expired, with a subject, who is the user. Undefined where no keys are named.
 */
export function tokenVerifier(
  settings: Settings,
  { clock, log }: { clock: Clock; log: Log },
): VerifyToken | undefined {
  const valueOf = (name: string) =>
    settings.get(`sasl.oauthbearer.${name}`) ??
    brokerConfigDefinition(`sasl.oauthbearer.${name}`)?.defaultValue ??
    '';
  const url = valueOf('jwks.endpoint.url');
  if (url === '') return undefined;
  const issuer = valueOf('expected.issuer');
  const audience = listItems(valueOf('expected.audience'));
  const subject = valueOf('sub.claim.name');
  const options = (): JWTVerifyOptions => ({
    algorithms: ALGORITHMS,
    requiredClaims: ['exp', subject],
    clockTolerance: Number(valueOf('clock.skew.seconds')),
    currentDate: new Date(clock.now()),
    ...(issuer !== '' && { issuer }),
    ...(audience.length > 0 && { audience }),
  });
  let loading: Promise<JWTVerifyGetKey> | undefined;
  return async (token) => {
    const { errors, jwtVerify } = await import('jose');
    try {
      loading ??= keysAt(new URL(url), Number(valueOf('jwks.endpoint.refresh.ms')));
      const { payload } = await jwtVerify(token, await loading, options());
      const name = payload[subject];
      if (typeof name !== 'string' || name === '') throw new errors.JWTInvalid(`${subject} is no text`);
      return { principal: `User:${name}`, expiresAtMs: (payload.exp ?? 0) * 1000 };
    } catch (error) {
      // Nothing is wrong with the token: nobody could look.
      if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout) {
        loading = undefined;
        log.warn('the keys of tokens cannot be had: nobody can log in with OAUTHBEARER', {
          component: 'login',
          err: error,
        });
      }
      throw error;
    }
  };
}

async function keysAt(url: URL, refreshMs: number): Promise<JWTVerifyGetKey> {
  const { createLocalJWKSet, createRemoteJWKSet } = await import('jose');
  if (url.protocol === 'file:')
    return createLocalJWKSet(JSON.parse(await readFile(fileURLToPath(url), 'utf8')) as never);
  const times = {
    cacheMaxAge: refreshMs,
    timeoutDuration: FETCH_TIMEOUT_MS,
    cooldownDuration: FETCH_AGAIN_AFTER_MS,
  };
  return createRemoteJWKSet(url, times);
}

/** @throws Error for people */
export function checkJwksUrl(url: string): void {
  if (!URL.canParse(url) || !['https:', 'http:', 'file:'].includes(new URL(url).protocol))
    throw new Error('write the https:// address of a JWKS, or file:///… for one on this machine');
}
