import { describe, expect, test } from 'vitest';
import { Fetcher } from '../../../src/client/fetch/fetcher.ts';
import type { FetchOptions } from '../../../src/client/fetch/fetch-options.ts';
import { clusterOf, kernels } from '../fake-client.ts';
import { FakeCluster, type FakeOptions, TOPIC } from '../fake-cluster.ts';
import { FakeLogs } from '../fake-logs.ts';

/** A fetcher and who takes what it brings, slowly, with pauses, or from elsewhere; in virtual time. */

function made(options: FakeOptions, fetchOptions: FetchOptions = {}) {
  const fake = new FakeCluster(options);
  const logs = new FakeLogs(fake);
  const { scheduler: clock, random } = fake;
  const parts = { cluster: clusterOf(fake), clock, random, kernels, codecs: new Map(), retryForMs: 30_000 };
  return { fake, logs, fetcher: new Fetcher(parts, fetchOptions) };
}

const at = (partition: number) => ({ topic: TOPIC, partition });
const from = (partition: number) => ({
  ...at(partition),
  from: 'earliest' as const,
  ends: ['latest'] as const,
});
const VALUE = 'v'.repeat(1_000);

describe('backpressure by count: a reader is bounded in bytes', () => {
  test.each([10_000, 100_000])('within %i bytes, however slow it is', async (maxBufferedBytes) => {
    const { fake, logs, fetcher } = made({ nodes: 3, partitions: 6 }, { maxBufferedBytes });
    for (let batch = 0; batch < 300; batch++) logs.log(batch % 6).append([VALUE, VALUE]);
    let most = 0;
    let count = 0;
    const work = async () => {
      fetcher.assign(Array.from({ length: 6 }, (_, partition) => from(partition)));
      for (;;) {
        const batch = await fetcher.take();
        if (batch === undefined) return;
        count += batch.length;
        await fake.scheduler.sleep(200);
        most = Math.max(most, fetcher.bufferedBytes);
        batch.release();
      }
    };
    await fake.run(work());
    expect(count).toBe(600);
    // A batch, and where its records are, may come on top.
    expect(most).toBeLessThan(maxBufferedBytes + 2_500);
    expect(most).toBeGreaterThan(maxBufferedBytes / 4);
    expect(fetcher.bufferedBytes).toBe(0);
    // No answer may bring more than there is room for.
    expect(Math.max(...logs.fetches.map(({ maxBytes }) => maxBytes))).toBeLessThanOrEqual(
      maxBufferedBytes / 2,
    );
  });

  test('nothing is asked for while nothing is released', async () => {
    const { fake, logs, fetcher } = made({}, { maxBufferedBytes: 5_000 });
    for (let batch = 0; batch < 20; batch++) logs.log().append([VALUE]);
    fetcher.assign([from(0)]);
    const first = await fake.run(fetcher.take());
    await fake.run(fake.scheduler.sleep(10_000));
    const asked = logs.fetches.length;
    await fake.run(fake.scheduler.sleep(60_000));
    expect(logs.fetches).toHaveLength(asked);
    expect(logs.fetches.reduce((sum, { sentBytes }) => sum + sentBytes, 0)).toBeLessThan(6_000);
    first?.release();
    for (
      let batch = await fake.run(fetcher.take());
      batch !== undefined;
      batch = await fake.run(fetcher.take())
    )
      batch.release();
    expect(fetcher.progress(at(0))).toEqual({ position: 20, endOffset: 20, lag: 0 });
  });

  test('a batch that is larger than the budget is read', async () => {
    const { fake, logs, fetcher } = made({}, { maxBufferedBytes: 100 });
    logs.log().append([VALUE, VALUE]);
    logs.log().append(['small']);
    fetcher.assign([from(0)]);
    const sizes: number[] = [];
    for (
      let batch = await fake.run(fetcher.take());
      batch !== undefined;
      batch = await fake.run(fetcher.take())
    ) {
      sizes.push(batch.length);
      batch.release();
    }
    expect(sizes).toEqual([2, 1]);
  });

  test('the next answer is on its way while this one is read', async () => {
    const { fake, logs, fetcher } = made(
      {},
      { maxBufferedBytes: 1_000_000, fetchMaxBytes: 2_000, partitionMaxBytes: 2_000 },
    );
    for (let batch = 0; batch < 10; batch++) logs.log().append([VALUE]);
    fetcher.assign([from(0)]);
    const batch = await fake.run(fetcher.take());
    await fake.run(fake.scheduler.sleep(1_000));
    expect(logs.fetches.length).toBeGreaterThan(5);
    batch?.release();
    fetcher.close();
  });
});

describe('partitions that are paused', () => {
  test('give nothing, and go on where they were', async () => {
    const { fake, logs, fetcher } = made({ partitions: 2 });
    for (let batch = 0; batch < 4; batch++) logs.log(batch % 2).append([`${batch}`]);
    fetcher.assign([from(0), from(1)]);
    fetcher.pause([at(1)]);
    expect(fetcher.isPaused(at(1))).toBe(true);
    const seen: string[] = [];
    const work = async () => {
      for (;;) {
        const batch = await fetcher.take();
        if (batch === undefined) return;
        for (const { partition, offset } of batch) seen.push(`${partition}/${offset}`);
        batch.release();
        if (seen.length === 2) fetcher.resume([at(1)]);
      }
    };
    await fake.run(work());
    expect(seen).toEqual(['0/0', '0/1', '1/0', '1/1']);
  });

  test('do not keep others from having the budget', async () => {
    const { fake, logs, fetcher } = made({ partitions: 2 }, { maxBufferedBytes: 3_000 });
    for (let batch = 0; batch < 6; batch++) logs.log(0).append([VALUE]);
    fetcher.assign([from(0)]);
    const first = await fake.run(fetcher.take());
    await fake.run(fake.scheduler.sleep(2_000));
    fetcher.pause([at(0)]);
    first?.release();
    logs.log(1).append(['other']);
    fetcher.assign([from(1)]);
    const other = await fake.run(fetcher.take());
    expect(other?.partition).toBe(1);
    other?.release();
    fetcher.resume([at(0)]);
    const offsets: number[] = [];
    for (
      let batch = await fake.run(fetcher.take());
      batch !== undefined;
      batch = await fake.run(fetcher.take())
    ) {
      for (const { offset } of batch) offsets.push(offset);
      batch.release();
    }
    expect(offsets).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('partitions that are moved', () => {
  const offsetsOf = async (home: ReturnType<typeof made>, most: number) => {
    const found: string[] = [];
    while (found.length < most) {
      const batch = await home.fake.run(home.fetcher.take());
      if (batch === undefined) break;
      for (const { partition, offset } of batch) found.push(`${partition}/${offset}`);
      batch.release();
    }
    return found;
  };

  test('seek: what was buffered from elsewhere is not given', async () => {
    const home = made({});
    for (let batch = 0; batch < 5; batch++) home.logs.log().append([`${batch}`]);
    home.fetcher.assign([from(0)]);
    expect(await offsetsOf(home, 2)).toEqual(['0/0', '0/1']);
    home.fetcher.seek(at(0), 4);
    expect(home.fetcher.progress(at(0))).toBeUndefined();
    expect(await offsetsOf(home, 1)).toEqual(['0/4']);
    home.fetcher.seek(at(0), 'earliest');
    expect(await offsetsOf(home, 1)).toEqual(['0/0']);
    home.fetcher.seek(at(0), { time: 3 });
    expect(await offsetsOf(home, 5)).toEqual(['0/3', '0/4']);
  });

  test('unassign: nothing of it is given, and others go on', async () => {
    const home = made({ partitions: 2 });
    for (let batch = 0; batch < 6; batch++) home.logs.log(batch % 2).append([`${batch}`]);
    home.fetcher.assign([from(0), from(1)]);
    expect(await offsetsOf(home, 1)).toHaveLength(1);
    await home.fake.run(home.fake.scheduler.sleep(1_000));
    home.fetcher.unassign([at(0)]);
    const rest = await offsetsOf(home, 10);
    expect(rest.every((one) => one.startsWith('1/'))).toBe(true);
    expect(() => home.fetcher.progress(at(0))).toThrow('not assigned');
    expect(home.fetcher.assignment).toEqual([at(1)]);
    home.fetcher.assign([{ ...at(0), from: 1, ends: ['latest'] }]);
    expect(await offsetsOf(home, 10)).toEqual(['0/1', '0/2']);
  });
});

test('an hour in which nothing is written takes a long poll every half second, and no more', async () => {
  const { fake, fetcher } = made({});
  fetcher.assign([{ ...at(0), from: 'earliest' }]);
  const waiting = fetcher.take();
  waiting.catch(() => {});
  await fake.run(fake.scheduler.sleep(3_600_000));
  expect(fake.asked.filter((name) => name === 'Fetch').length).toBeLessThanOrEqual(7_200);
  expect(fake.asked.filter((name) => name !== 'Fetch').length).toBeLessThan(100);
  fetcher.close();
  await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
});
