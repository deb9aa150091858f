import { describe, expect, test } from 'vitest';
import type { ReadOptions } from '../../../src/client/read.ts';
import { fetchApi } from '../../../src/wire/apis/01-fetch.ts';
import { clientOf } from '../fake-client.ts';
import { FakeCluster, type FakeOptions, MISHAPS, TOPIC } from '../fake-cluster.ts';
import { FakeLogs, type FakeLogsOptions } from '../fake-logs.ts';

/** Brokers that fail in every way, in virtual time: each record is read once, in order, whatever happens. */

const RETRY_FOR_MS = 3_600_000;
const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);
interface Life extends FakeOptions {
  mishapRatio?: number;
  moveEveryMs?: number;
  logs?: FakeLogsOptions;
  read?: ReadOptions;
}

/** Some records are there at the beginning, others come while they are read. */
async function live({
  mishapRatio = 0,
  moveEveryMs = 0,
  logs: logOptions = {},
  read = {},
  ...options
}: Life) {
  const fake: FakeCluster = new FakeCluster({
    mishap: () => (fake.random.chance(mishapRatio) ? fake.random.pick(MISHAPS) : undefined),
    ...options,
  });
  const { scheduler, random } = fake;
  const logs = new FakeLogs(fake, logOptions);
  const client = clientOf(fake, RETRY_FOR_MS);
  const written = logs.logs.map((): string[] => []);
  let number = 0;
  const write = () => {
    const partition = random.int(written.length);
    const values = Array.from({ length: random.int(20) + 1 }, () =>
      `${number++}`.padEnd(random.int(60), '.'),
    );
    written[partition]?.push(...values);
    logs.log(partition).append(values);
    logs.wake();
  };
  for (let batch = 0; batch < 30; batch++) write();
  let left = read.live === false ? 0 : 30;
  const writeMore = () => {
    if (left-- <= 0) return;
    write();
    scheduler.after(random.between(0, 400), 'write', writeMore);
  };
  writeMore();
  let isOver = false;
  const move = () => {
    if (isOver) return;
    logs.moveLeader(random.int(written.length));
    scheduler.after(random.between(0, 2 * moveEveryMs), 'move', move);
  };
  if (moveEveryMs > 0) scheduler.after(moveEveryMs, 'move', move);
  const found = written.map((): string[] => []);
  const count = () => found.reduce((sum, values) => sum + values.length, 0);
  const work = async () => {
    for await (const { partition, offset, value } of client.read(TOPIC, read)) {
      const values = found[partition] ?? [];
      if (offset !== values.length)
        throw new Error(`offset ${offset} of ${partition}, after ${values.length} records`);
      values.push(String(Buffer.from(value ?? [])));
      if (random.chance(0.02)) await scheduler.sleep(random.between(0, 300));
      if (left <= 0 && count() === number) break;
    }
    isOver = true;
  };
  await fake.run(work());
  await fake.run(client.close());
  return { fake, logs, written, found };
}

describe('each record once, in order', () => {
  test('while nothing fails, with one request at a time', async () => {
    const { fake, written, found } = await live({ partitions: 3, nodes: 2 });
    expect(found).toEqual(written);
    expect(fake.inFlightMost).toBe(1);
  });

  test.each(SEEDS)('while everything fails now and then (seed %i)', async (seed) => {
    const { written, found } = await live({
      seed,
      nodes: 3,
      partitions: 4,
      mishapRatio: 0.1,
      moveEveryMs: 1_000,
      logs: { forgetRatio: 0.05, flipRatio: 0.05, fetchMax: [4, 6, 11, 12, 16, 18][seed % 6] ?? 18 },
      read: { maxBufferedBytes: [4_000_000, 3_000][seed % 2] },
    });
    expect(found).toEqual(written);
  });

  test.each(SEEDS.slice(0, 10))('up to where it ended when reading began (seed %i)', async (seed) => {
    const { written, found } = await live({
      seed,
      nodes: 2,
      partitions: 3,
      mishapRatio: 0.1,
      read: { live: false },
      logs: { flipRatio: 0.02 },
    });
    expect(found).toEqual(written);
  });

  test('a bit that changed on its way is noticed, and the batch asked for again', async () => {
    const { logs, written, found } = await live({ logs: { flipRatio: 0.5 } });
    expect(found).toEqual(written);
    expect(logs.flips).toBeGreaterThan(10);
  });

  test('a broker that cuts batches sends them whole when it is asked for more', async () => {
    const { written, found } = await live({
      logs: { cuts: true },
      read: { partitionMaxBytes: 10, fetchMaxBytes: 10 },
    });
    expect(found).toEqual(written);
  });
});

describe('fetch sessions', () => {
  test('what has not changed is not said again', async () => {
    const { logs } = await live({ partitions: 8 });
    const [first, ...later] = logs.fetches;
    expect(first).toMatchObject({ sessionEpoch: 0, version: 17 });
    expect(first?.partitions).toHaveLength(8);
    expect(later.every(({ sessionEpoch }, at) => sessionEpoch === at + 1)).toBe(true);
    const named = later.map(({ partitions }) => partitions.length);
    expect(Math.max(...named.slice(1))).toBeLessThan(8);
  });

  test('what a broker may not have heard is said again, all of it', async () => {
    let asked = 0;
    const isLost = (key: number) => key === fetchApi.key && ++asked === 4;
    const { logs, written, found } = await live({
      partitions: 2,
      mishap: ({ key }) => (isLost(key) ? 'request-lost' : undefined),
      read: { maxBufferedBytes: 2_000 },
    });
    expect(found).toEqual(written);
    expect(logs.fetches.slice(0, 5).map(({ sessionEpoch }) => sessionEpoch)).toEqual([0, 1, 2, 0, 1]);
  });

  test('a broker without them is told all', async () => {
    const { logs, written, found } = await live({ partitions: 2, logs: { fetchMax: 6 } });
    expect(found).toEqual(written);
    expect(logs.fetches.every(({ version, partitions }) => version === 6 && partitions.length === 2)).toBe(
      true,
    );
  });
});
