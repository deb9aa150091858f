import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/hosts/sim/random.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { type BatchRecords, records } from '../../src/records/batch.ts';
import { kernels } from '../client/fake-client.ts';
import type { ModelLog } from '../client/model-log.ts';
import { connectTo } from './virtual.ts';
import { FakeCluster, type FakeOptions, type Mishap, MISHAPS, TOPIC } from '../client/fake-cluster.ts';

/** Publishing to brokers that fail in every way, their leaders moving, in virtual time. */

function valuesIn({ batches }: ModelLog): string[] {
  return batches.flatMap((bytes) =>
    Array.from(records(bytes, kernels, new Map()) as BatchRecords, ({ value }) =>
      String(Buffer.from(value ?? [])),
    ),
  );
}

describe('each record once, and in order', () => {
  test.each(Array.from({ length: 30 }, (_, seed) => seed))('seed %i', async (seed) => {
    const chance = new SeededRandom(1_000 + seed);
    const options: FakeOptions = { seed, nodes: 3, partitions: 3 };
    let calls = 0;
    const fake = new FakeCluster({
      ...options,
      mishap: () => (++calls > 4 && chance.chance(0.1) ? MISHAPS[chance.int(MISHAPS.length)] : undefined),
      refuse: () => (chance.chance(0.03) ? ErrorCode.NOT_ENOUGH_REPLICAS : undefined),
    });
    for (let atMs = 20; atMs < 4_000; atMs += 200)
      fake.scheduler.after(atMs, 'move', () => fake.moveLeader(chance.int(3)));
    const connection = connectTo(fake);
    const published: Promise<unknown>[] = [];
    for (let number = 0; number < 120; number++) {
      const partition = number % 3;
      published.push(connection.publish(TOPIC, { value: `${number}`, partition }));
      if (chance.chance(0.2)) await fake.run(fake.scheduler.sleep(chance.int(100)));
    }
    await fake.run(Promise.all(published));
    for (const [partition, log] of fake.logs.entries())
      expect(valuesIn(log)).toEqual(Array.from({ length: 40 }, (_, at) => `${3 * at + partition}`));
    await fake.run(connection.close());
    expect(connection.pendingBytes).toBe(0);
  });
});

test('nobody there for a day: records wait, and arrive', async () => {
  const fake = new FakeCluster({ nodes: 1 });
  fake.down.add(1);
  const connection = connectTo(fake);
  const published = connection.publish(TOPIC, [{ value: 'a' }, { value: 'b' }]);
  fake.scheduler.after(24 * 3_600_000, 'start', () => fake.down.delete(1));
  expect(await fake.run(published)).toMatchObject([{ offset: 0 }, { offset: 1 }]);
});

test('what a broker refuses for long is refused, not waited for', async () => {
  const fake = new FakeCluster({ nodes: 1, refuse: () => ErrorCode.NOT_ENOUGH_REPLICAS });
  const connection = connectTo(fake);
  const { nowMs } = fake.scheduler;
  await expect(fake.run(connection.publish(TOPIC, { value: 'a' }))).rejects.toMatchObject({
    code: 'NOT_ENOUGH_REPLICAS',
    retriable: true,
  });
  expect(fake.scheduler.nowMs - nowMs).toBeGreaterThan(30_000);
  expect(fake.scheduler.nowMs - nowMs).toBeLessThan(60_000);
});

test('several brokers: each leader is asked at its own address', async () => {
  const fake = new FakeCluster({ nodes: 3, partitions: 3 });
  const connection = connectTo(fake);
  const published = [0, 1, 2].map((partition) => connection.publish(TOPIC, { value: 'x', partition }));
  await fake.run(Promise.all(published));
  expect(fake.logs.map((log) => valuesIn(log))).toEqual([['x'], ['x'], ['x']]);
});

test.each<Mishap>(['silence', 'answer-lost', 'request-lost'])(
  'a record that is given up, by time or by a signal, because of %s: what comes after it is stored',
  async (mishap) => {
    let isBad = false;
    const fake = new FakeCluster({
      nodes: 1,
      mishap: ({ key }) => (isBad && key === 0 ? mishap : undefined),
    });
    const connection = connectTo(fake, { deliveryTimeoutMs: 5_000 });
    await fake.run(connection.publish(TOPIC, { value: 'a' }));
    isBad = true;
    const late = connection.publish(TOPIC, { value: 'late' });
    const controller = new AbortController();
    const aborted = connection.publish(TOPIC, { value: 'aborted' }, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(fake.run(aborted)).rejects.toThrow('enough');
    await expect(fake.run(late)).rejects.toMatchObject({
      code: 'DELIVERY_TIMEOUT',
      message: expect.stringContaining('5000') as string,
    });
    isBad = false;
    await fake.run(connection.publish(TOPIC, [{ value: 'b' }, { value: 'c' }]));
    // What was given up may be there, once.
    expect(fake.logs.map(valuesIn)).toEqual([
      mishap === 'request-lost' ? ['a', 'b', 'c'] : ['a', 'late', 'b', 'c'],
    ]);
    expect(connection.pendingBytes).toBe(0);
  },
);
