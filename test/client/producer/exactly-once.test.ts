import { describe, expect, test } from 'vitest';
import { type BatchRecords, records } from '../../../src/records/batch.ts';
import { produceApi } from '../../../src/wire/apis/00-produce.ts';
import { clientOf, kernels } from '../fake-client.ts';
import { FakeCluster, type FakeOptions, MISHAPS, TOPIC } from '../fake-cluster.ts';

/** Brokers that fail in every way, in virtual time: what is acknowledged is there once, in order, where it is said. */

const RETRY_FOR_MS = 3_600_000;

function valuesIn(fake: FakeCluster, partition: number): string[] {
  return (fake.logs[partition]?.batches ?? []).flatMap((bytes) =>
    Array.from(records(bytes, kernels, new Map()) as BatchRecords, ({ value }) =>
      String(Buffer.from(value ?? [])),
    ),
  );
}

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);

interface Life extends FakeOptions {
  records: number;
  mishapRatio: number;
  moveEveryMs: number;
}

/** Writes by fits and starts while everything fails now and then. */
async function live({ records: count, mishapRatio, moveEveryMs, ...options }: Life) {
  const fake: FakeCluster = new FakeCluster({
    ...options,
    mishap: () => (fake.random.chance(mishapRatio) ? fake.random.pick(MISHAPS) : undefined),
  });
  const { scheduler, random } = fake;
  const client = clientOf(fake, RETRY_FOR_MS);
  const producer = client.producer({
    batchBytes: 300,
    lingerMs: random.pick([0, 5]),
    deliveryTimeoutMs: 3_600_000,
  });
  let isOver = false;
  const move = () => {
    if (isOver) return;
    fake.moveLeader(random.int(fake.leaders.length));
    scheduler.after(random.between(0, 2 * moveEveryMs), 'move', move);
  };
  if (moveEveryMs > 0) scheduler.after(moveEveryMs, 'move', move);
  const expected = fake.logs.map((): string[] => []);
  const work = async () => {
    const sent: Promise<unknown>[] = [];
    for (let number = 0; number < count; number++) {
      const partition = random.int(expected.length);
      expected[partition]?.push(String(number));
      const told = producer.send(TOPIC, { value: String(number), partition }).then(({ offset }) => {
        const isThere = options.isForgetful || valuesIn(fake, partition)[offset] === String(number);
        if (!isThere) throw new Error(`${number} is not at ${offset} of ${partition}`);
      });
      sent.push(told);
      if (random.chance(0.1)) await scheduler.sleep(random.between(0, 50));
    }
    await Promise.all(sent);
    isOver = true;
  };
  await fake.run(work());
  const { bufferedBytes } = producer;
  await fake.run(client.close());
  return { fake, expected, found: expected.map((_, partition) => valuesIn(fake, partition)), bufferedBytes };
}

describe('each record once, in order, at the offset that is said', () => {
  test('while nothing fails, with five requests in flight and no more', async () => {
    const fake = new FakeCluster();
    const producer = clientOf(fake, RETRY_FOR_MS).producer({ batchBytes: 300 });
    const values = Array.from({ length: 500 }, (_, number) => String(number));
    const sent = await fake.run(Promise.all(values.map((value) => producer.send(TOPIC, { value }))));
    expect(valuesIn(fake, 0)).toEqual(values);
    expect(sent.map(({ offset }) => offset)).toEqual(values.map(Number));
    expect(fake.inFlightMost).toBe(5);
  });

  test.each(SEEDS)('one broker that fails (seed %i)', async (seed) => {
    const life = await live({ seed, records: 150, mishapRatio: 0.15, moveEveryMs: 0, partitions: 2 });
    expect(life.found).toEqual(life.expected);
    expect(life.bufferedBytes).toBe(0);
  });

  test.each(SEEDS)('leaders that move (seed %i)', async (seed) => {
    const life = await live({ seed, records: 200, mishapRatio: 0, moveEveryMs: 40, nodes: 3, partitions: 4 });
    expect(life.found).toEqual(life.expected);
    expect(life.fake.leaders.some(({ epoch }) => epoch > 0)).toBe(true);
  });

  test.each(SEEDS)('both (seed %i)', async (seed) => {
    const life = await live({
      seed,
      records: 150,
      mishapRatio: 0.1,
      moveEveryMs: 300,
      nodes: 3,
      partitions: 3,
    });
    expect(life.found).toEqual(life.expected);
  });

  test('a broker that forgets who wrote what is noticed: these lives do send things twice', async () => {
    const lives = SEEDS.map((seed) =>
      live({ seed, records: 150, mishapRatio: 0.15, moveEveryMs: 0, isForgetful: true }),
    );
    const twice = (await Promise.all(lives)).filter(
      ({ found, expected }) => found[0]?.length !== expected[0]?.length,
    );
    expect(twice.length).toBeGreaterThan(SEEDS.length / 2);
  });
});

describe('what fails for good', () => {
  /** The batch with this value is refused; what came before and behind it is not. */
  test.each([
    // Too large: parted until the record is alone. Else its batch goes with it, and is one of several.
    { errorCode: 10, most: 1 },
    { errorCode: 87, most: 19 },
  ])('a batch that is refused ($errorCode) takes none behind it along', async ({ errorCode, most }) => {
    const bad = (bytes: Uint8Array) => String(Buffer.from(bytes)).includes('bad');
    const fake = new FakeCluster({ refuse: (_, bytes) => (bad(bytes) ? errorCode : undefined) });
    const producer = clientOf(fake, RETRY_FOR_MS).producer({ batchBytes: 150 });
    const sent = Array.from({ length: 40 }, (_, number) =>
      producer.send(TOPIC, { value: number === 17 ? 'bad' : `v${number}` }),
    );
    const outcomes = await fake.run(Promise.allSettled(sent));
    const refused = outcomes.flatMap(({ status }, number) => (status === 'rejected' ? [number] : []));
    expect(refused).toContain(17);
    expect(refused.length).toBeLessThanOrEqual(most);
    const expected = outcomes.flatMap(({ status }, number) => (status === 'fulfilled' ? [`v${number}`] : []));
    expect(valuesIn(fake, 0)).toEqual(expected);
    expect(outcomes[17]).toMatchObject({ reason: { name: 'RefusedError', errorCode, retriable: false } });
  });

  test('time is up: that is said, and what may be stored is not sent again', async () => {
    let isDead = false;
    const mishap = (api: unknown) => (isDead && api === produceApi ? ('answer-lost' as const) : undefined);
    const fake = new FakeCluster({ mishap });
    const producer = clientOf(fake, RETRY_FOR_MS).producer({ deliveryTimeoutMs: 5_000 });
    await fake.run(producer.send(TOPIC, { value: 'before' }));
    isDead = true;
    const late = await fake.run(producer.send(TOPIC, { value: 'lost' }).catch((error: unknown) => error));
    expect(late).toMatchObject({ code: 'DELIVERY_TIMEOUT', retriable: false });
    isDead = false;
    await fake.run(producer.send(TOPIC, { value: 'after' }));
    expect(valuesIn(fake, 0)).toEqual(['before', 'lost', 'after']);
  });

  test('what was given up and is in no log leaves a gap that what follows gets over', async () => {
    let isDead = false;
    const mishap = (api: unknown) => (isDead && api === produceApi ? ('request-lost' as const) : undefined);
    const fake = new FakeCluster({ mishap });
    const producer = clientOf(fake, RETRY_FOR_MS).producer({ deliveryTimeoutMs: 5_000 });
    await fake.run(producer.send(TOPIC, { value: 'before' }));
    isDead = true;
    await expect(fake.run(producer.send(TOPIC, { value: 'lost' }))).rejects.toMatchObject({
      code: 'DELIVERY_TIMEOUT',
    });
    isDead = false;
    await fake.run(Promise.all(['a', 'b', 'c'].map((value) => producer.send(TOPIC, { value }))));
    expect(valuesIn(fake, 0)).toEqual(['before', 'a', 'b', 'c']);
  });
});
