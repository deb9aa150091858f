import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../../src/hosts/node/connect.ts';
import { MortalBroker } from '../../support/mortal-broker.ts';
import { SOON, textOf } from '../suite/reach.ts';

const KILLS = 3;

test('a broker that is killed in the middle of transactions keeps each of them whole', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'milena-killed-'));
  const broker = await MortalBroker.start(['--data', directory]);
  onTestFinished(async () => {
    await broker.stopOrKill(2_000);
    await rm(directory, { recursive: true });
  });
  await using client = await connect(`kafka://${broker.address}`, { retryForMs: 60_000 });
  await client.admin.topics.create('t', { partitions: 2 });
  const committed = new Set<string>();
  for (let life = 0; life <= KILLS; life++) {
    await using producer = client.producer({ transactionalId: 'one' });
    let killed: Promise<void> | undefined;
    for (let number = 0; number < 20; number++) {
      const value = `${life}-${number}`;
      try {
        await producer.transaction(async (tx) => {
          await tx.send('t', { value, partition: 0 });
          if (life < KILLS && number === 10 + life) killed = broker.kill().then(() => broker.revive());
          await tx.send('t', { value, partition: 1 });
        });
        committed.add(value);
      } catch {
        // Whether it counts nobody knows; it does so in both partitions, or in none.
        break;
      }
    }
    await killed;
  }
  const seenIn = async (only: number) => {
    const seen: (string | null)[] = [];
    for await (const { partition, value } of client.read('t', { live: false, isolation: 'read_committed' }))
      if (partition === only) seen.push(textOf(value));
    return seen;
  };
  // Markers are written once an end is decided.
  await expect.poll(() => seenIn(0), SOON).toContain(`${KILLS}-19`);
  await expect.poll(() => seenIn(1), SOON).toContain(`${KILLS}-19`);
  const [first, second] = [await seenIn(0), await seenIn(1)];
  expect(first).toEqual(second);
  expect([...committed].filter((value) => !first.includes(value))).toEqual([]);
  expect(first.length - committed.size).toBeLessThanOrEqual(KILLS);
});
