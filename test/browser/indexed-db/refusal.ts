import { expect } from 'vitest';
import { DatabaseError } from '../../../src/hosts/browser/database.ts';

/** Resolves with the reason for which `work` is refused. */
export async function refusal(work: Promise<unknown>): Promise<DatabaseError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DatabaseError);
  return error as DatabaseError;
}
