import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConnectionLost, MilenaError } from '../../src/client/errors.ts';
import { BACKOFF_MAX_MS, retrying } from '../../src/client/retry.ts';
import { FakeCluster } from './fake-cluster.ts';

/** What always fails so: when it is tried, from the first time on, and what comes out. */
async function attempts(retryForMs: number, error: Error) {
  const fake = new FakeCluster({});
  const { scheduler: clock, random } = fake;
  const startMs = clock.nowMs;
  const atMs: number[] = [];
  const attempt = () => {
    atMs.push(clock.nowMs - startMs);
    return Promise.reject(error);
  };
  const options = { clock, random, retryForMs };
  const thrown = await fake.run(retrying(attempt, options).catch((reason: unknown) => reason));
  return { atMs, thrown };
}

test('what may pass is tried until the time is up, the last time just then', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(60_000), async (retryForMs) => {
      const error = new ConnectionLost('nobody is there');
      const { atMs, thrown } = await attempts(retryForMs, error);
      expect(thrown).toBe(error);
      expect(atMs[0]).toBe(0);
      expect(atMs.at(-1)).toBe(retryForMs);
      const pausesMs = atMs.slice(1).map((ms, at) => ms - (atMs[at] ?? 0));
      expect(Math.max(0, ...pausesMs)).toBeLessThanOrEqual(BACKOFF_MAX_MS);
    }),
    { numRuns: 30 },
  );
});

test('what is for good is tried once', async () => {
  const error = new MilenaError('no', { code: 'INVALID_ARGUMENT' });
  expect(await attempts(10_000, error)).toEqual({ atMs: [0], thrown: error });
});
