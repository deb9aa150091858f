import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MilenaError } from '../../../src/client/errors.ts';
import { clientOf } from '../fake-client.ts';
import { FakeCluster, TOPIC } from '../fake-cluster.ts';
import { FakeLogs } from '../fake-logs.ts';

/** Batches as no producer made them: whatever a broker sends, reading ends, with records or an error of ours. */

const RETRY_FOR_MS = 3_000;

/** What is changed in the log: bytes anywhere, those too that no checksum covers, and where it is cut. */
const change = fc.record({ at: fc.nat(400), byte: fc.nat(255) });

async function read(changes: readonly { at: number; byte: number }[], cutAt: number | undefined) {
  const fake = new FakeCluster();
  const logs = new FakeLogs(fake);
  for (const value of ['a', 'b', 'c']) logs.log().append([value, value]);
  for (const { at, byte } of changes) {
    const { bytes } = logs.log().batches[at % 3] ?? { bytes: new Uint8Array(1) };
    bytes[Math.floor(at / 3) % bytes.length] = byte;
  }
  const [, middle] = logs.log().batches;
  if (middle !== undefined && cutAt !== undefined) middle.bytes = middle.bytes.slice(0, cutAt);
  const client = clientOf(fake, RETRY_FOR_MS);
  const found: string[] = [];
  const work = async () => {
    for await (const { value } of client.read(TOPIC, { to: 6, outOfRange: 'earliest' }))
      if (found.push(String(Buffer.from(value ?? []))) > 100) break;
  };
  const since = fake.scheduler.nowMs;
  const error = await fake.run(
    work().then(
      () => undefined,
      (failed: unknown) => failed,
    ),
  );
  const took = fake.scheduler.nowMs - since;
  await fake.run(client.close());
  return { found, error, took };
}

test('nothing hangs, and nothing but what is ours is thrown', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat(80), { nil: undefined }),
      async (changes, cutAt) => {
        const { found, error, took } = await read(changes, cutAt);
        const isToldOrRead = error instanceof MilenaError || (error === undefined && found.length > 0);
        if (!isToldOrRead) throw new Error('neither records nor an error of ours', { cause: error });
        expect(took).toBeLessThan(60_000);
      },
    ),
    { numRuns: 150 },
  );
});
