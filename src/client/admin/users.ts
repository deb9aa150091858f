import { ErrorCode } from '../../model/errors.ts';
import { utf8 } from '../../sasl/encoding.ts';
import { SCRAM_ITERATIONS, SCRAM_MECHANISMS, type ScramMechanism } from '../../sasl/scram.ts';
import { type WebCrypto, webCrypto } from '../../sasl/web-crypto.ts';
import { describeUserScramCredentialsApi } from '../../wire/apis/50-describe-user-scram-credentials.ts';
import { alterUserScramCredentialsApi } from '../../wire/apis/51-alter-user-scram-credentials.ts';
import type { RequestInitOf } from '../../wire/schema.ts';
import { BrokerError, invalidArgument } from '../errors.ts';
import type { AdminOptions, Asking } from './asking.ts';

export type ScramName = 'scram-sha-256' | 'scram-sha-512';

export interface UserListing {
  name: string;
  mechanisms: { mechanism: ScramName; iterations: number }[];
}

export interface PasswordOptions extends AdminOptions {
  /** `scram-sha-512` unless given. A user may have one password for each. */
  mechanism?: ScramName;
  /** Rounds of hashing, 4,096 to 16,384: what guessing costs, and each login with `plain`. 8,192 unless given. */
  iterations?: number;
}

const VERSIONS = { min: 0, max: 0 };
const ITERATIONS = 8_192;
const SALT_BYTES = 20;

/** Who may log in with a password: `client.admin.users`. */
export class UsersAdmin {
  readonly #asking: Asking;
  readonly #platform: WebCrypto | undefined;

  /** @internal */
  constructor(asking: Asking, platform: WebCrypto | undefined) {
    this.#asking = asking;
    this.#platform = platform;
  }

  /** All users, by name. Nothing of their passwords is ever told. */
  list({ signal }: AdminOptions = {}): Promise<UserListing[]> {
    return this.#asking.try(
      async () => {
        const broker = await this.#asking.cluster.anyBroker(signal);
        const body = { users: null };
        const answer = await broker.request(describeUserScramCredentialsApi, VERSIONS, body, { signal });
        if (answer.errorCode !== ErrorCode.NONE)
          throw new BrokerError(answer.errorCode, 'users', answer.errorMessage);
        return answer.results.map(({ user, credentialInfos }) => ({
          name: user,
          mechanisms: credentialInfos.map(({ mechanism, iterations }) => ({
            mechanism: nameOf(mechanism),
            iterations,
          })),
        }));
      },
      { signal },
    );
  }

  /**
   * Adds a user, or gives one another password. It is salted and hashed here: the broker never has it.
   * @throws MilenaError INVALID_ARGUMENT, UNACCEPTABLE_CREDENTIAL
   */
  async setPassword(name: string, password: string, options: PasswordOptions = {}): Promise<void> {
    const { mechanism: wanted = 'scram-sha-512', iterations = ITERATIONS, signal } = options;
    const mechanism = mechanismOf(wanted);
    if (password === '') throw invalidArgument('a password is empty');
    if (iterations < SCRAM_ITERATIONS.min || iterations > SCRAM_ITERATIONS.max)
      throw invalidArgument(`iterations are ${SCRAM_ITERATIONS.min} to ${SCRAM_ITERATIONS.max}`);
    if (this.#platform?.subtle === undefined) throw invalidArgument('passwords need cryptography here');
    const cryptography = webCrypto(this.#platform);
    const salt = cryptography.randomBytes(SALT_BYTES);
    const saltedPassword = await cryptography.pbkdf2(mechanism.hash, utf8(password), { salt, iterations });
    const upsertion = { name, mechanism: mechanism.number, iterations, salt, saltedPassword };
    await this.#alter({ deletions: [], upsertions: [upsertion] }, signal);
  }

  /** Takes a user's passwords away, all of them. Who is logged in stays so. @throws MilenaError RESOURCE_NOT_FOUND */
  async remove(name: string, { signal }: AdminOptions = {}): Promise<void> {
    const found = (await this.list({ signal })).find((user) => user.name === name);
    if (found === undefined) throw new BrokerError(ErrorCode.RESOURCE_NOT_FOUND, `user ${name}`);
    const deletions = found.mechanisms.map(({ mechanism }) => ({
      name,
      mechanism: mechanismOf(mechanism).number,
    }));
    await this.#alter({ deletions, upsertions: [] }, signal);
  }

  #alter(
    body: RequestInitOf<typeof alterUserScramCredentialsApi>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    return this.#asking.try(
      async () => {
        const broker = await this.#asking.cluster.anyBroker(signal);
        const { results } = await broker.request(alterUserScramCredentialsApi, VERSIONS, body, { signal });
        for (const { user, errorCode, errorMessage } of results)
          if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, `user ${user}`, errorMessage);
      },
      { signal },
    );
  }
}

function mechanismOf(name: string): ScramMechanism {
  const found = SCRAM_MECHANISMS.find((each) => each.name.toLowerCase() === name);
  if (found === undefined) throw invalidArgument(`${name} is not scram-sha-256 or scram-sha-512`);
  return found;
}

function nameOf(number: number): ScramName {
  return number === 1 ? 'scram-sha-256' : 'scram-sha-512';
}
