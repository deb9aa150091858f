import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { AlterUserScramCredentialsResponse } from '../wire/apis/51-alter-user-scram-credentials.ts';
import type {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from '../wire/apis/50-describe-user-scram-credentials.ts';
import type { MetadataImage } from './image.ts';
import { answering, type ControllerContext, duplicates, OK, type Outcome, refused } from './outcome.ts';
import type { MetadataRecordInit } from './records.ts';
import type { StoredCredential } from './scram-users.ts';

/** As AlterUserScramCredentials, with the keys of a password where that has the password, salted. */
export interface ScramChanges {
  deletions: readonly { name: string; mechanism: number }[];
  upsertions: readonly ({ name: string; mechanism: number } & StoredCredential)[];
}

const MECHANISMS: ReadonlySet<number> = new Set([1, 2]);
const ITERATIONS = { min: 4096, max: 16_384 };

/** Decides user by user, in Kafka's words (ScramControlManager). A user with one change that cannot be has none. */
export function decideAlterScram(
  { image }: ControllerContext,
  { deletions, upsertions }: ScramChanges,
): Outcome<AlterUserScramCredentialsResponse> {
  const records: MetadataRecordInit[] = [];
  const all = [...deletions, ...upsertions];
  const twice = duplicates(all.map(({ name, mechanism }) => `${mechanism} ${name}`));
  const change = (user: string) => {
    const mine = { deletions: deletions.filter(isOf(user)), upsertions: upsertions.filter(isOf(user)) };
    for (const { mechanism } of [...mine.deletions, ...mine.upsertions]) {
      checkName(user, mechanism);
      if (twice.has(`${mechanism} ${user}`))
        refuse(ErrorCode.DUPLICATE_RESOURCE, 'A user credential cannot be altered twice in the same request');
    }
    for (const { mechanism } of mine.deletions)
      if (image.scramUsers.credential(user, mechanism) === undefined)
        refuse(ErrorCode.RESOURCE_NOT_FOUND, 'Attempt to delete a user credential that does not exist');
    for (const { iterations } of mine.upsertions) checkIterations(iterations);
    for (const { name, mechanism } of mine.deletions)
      records.push({ type: 'removeUserScramCredential', name, mechanism });
    for (const upsertion of mine.upsertions) records.push({ type: 'userScramCredential', ...upsertion });
    return { user, ...OK };
  };
  const users = [...new Set(all.map(({ name }) => name))];
  const results = users.map((user) =>
    answering(
      () => change(user),
      (error) => ({ user, ...refused(error) }),
    ),
  );
  return { records, response: { throttleTimeMs: 0, results } };
}

function isOf(user: string) {
  return ({ name }: { name: string }) => name === user;
}

function refuse(code: number, message: string): never {
  throw new KafkaError(code, message);
}

function checkName(user: string, mechanism: number): void {
  if (user === '') refuse(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Username must not be empty');
  if (!MECHANISMS.has(mechanism)) refuse(ErrorCode.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism');
}

function checkIterations(iterations: number): void {
  if (iterations < ITERATIONS.min) refuse(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too few iterations');
  if (iterations > ITERATIONS.max) refuse(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too many iterations');
}

/** Who may log in and how, without a secret; null asks for all. */
export function describeScram(
  { scramUsers }: MetadataImage,
  { users }: DescribeUserScramCredentialsRequest,
): DescribeUserScramCredentialsResponse {
  const names = users?.map(({ name }) => name) ?? [];
  const wanted = names.length === 0 ? scramUsers.names() : [...new Set(names)];
  const twice = duplicates(names);
  const results = wanted.map((user) => {
    const mechanisms = scramUsers.mechanismsOf(user);
    const failed = { user, credentialInfos: [] };
    if (twice.has(user)) {
      const errorMessage = `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`;
      return { ...failed, errorCode: ErrorCode.DUPLICATE_RESOURCE, errorMessage };
    }
    if (mechanisms === undefined) {
      const errorMessage = `Attempt to describe a user credential that does not exist: ${user}`;
      return { ...failed, errorCode: ErrorCode.RESOURCE_NOT_FOUND, errorMessage };
    }
    const infos = Array.from(mechanisms, ([mechanism, { iterations }]) => ({ mechanism, iterations }));
    return { user, ...OK, credentialInfos: infos };
  });
  return { throttleTimeMs: 0, ...OK, results };
}
