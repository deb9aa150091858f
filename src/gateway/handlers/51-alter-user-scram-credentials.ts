import type { ScramChanges } from '../../metadata/alter-scram.ts';
import { ErrorCode } from '../../model/errors.ts';
import type { Cryptography } from '../../ports/cryptography.ts';
import { keysOf, SCRAM_MECHANISMS } from '../../sasl/scram.ts';
import {
  type AlterUserScramCredentialsRequest,
  alterUserScramCredentialsApi,
} from '../../wire/apis/51-alter-user-scram-credentials.ts';
import { askController } from '../controller.ts';
import { handler } from '../handler.ts';

const NO_BYTES = new Uint8Array(0);

/**
 * The controller decides. It is told keys that can check a password; the salted password, which could log in, goes no
 * further than this.
 */
export const alterUserScramCredentials = handler({
  api: alterUserScramCredentialsApi,
  min: 0,
  max: 0,
  exclusive: true,
  handle(call, request) {
    const { logins } = call.gateway;
    if (logins === undefined) return call.reply(refuseChanges(ErrorCode.SECURITY_DISABLED, request));
    changesOf(logins.sasl.cryptography, request).then(
      (changes) => askController(call, changes, (errorCode) => refuseChanges(errorCode, request)),
      () => call.reply(refuseChanges(ErrorCode.UNKNOWN_SERVER_ERROR, request)),
    );
  },
});

async function changesOf(
  cryptography: Cryptography,
  { deletions, upsertions }: AlterUserScramCredentialsRequest,
): Promise<ScramChanges> {
  const withKeys = upsertions.map(async ({ saltedPassword, ...upsertion }) => {
    const mechanism = SCRAM_MECHANISMS.find(({ number }) => number === upsertion.mechanism);
    // The controller refuses what it does not know.
    if (mechanism === undefined || saltedPassword.length === 0)
      return { ...upsertion, mechanism: 0, storedKey: NO_BYTES, serverKey: NO_BYTES };
    const { storedKey, serverKey } = await keysOf(cryptography, mechanism.hash, saltedPassword);
    return { ...upsertion, storedKey, serverKey };
  });
  return { deletions, upsertions: await Promise.all(withKeys) };
}

export function refuseChanges(
  errorCode: number,
  { deletions, upsertions }: AlterUserScramCredentialsRequest,
) {
  const users = new Set([...deletions, ...upsertions].map(({ name }) => name));
  return {
    throttleTimeMs: 0,
    results: Array.from(users, (user) => ({ user, errorCode, errorMessage: null })),
  };
}
