import { describe, expect, test } from 'vitest';
import { Fetcher } from '../../../src/client/fetch/fetcher.ts';
import { onDemand } from '../../../src/client/on-demand.ts';
import { CODEC, type Codec, tooLarge } from '../../../src/records/codecs.ts';
import { buildBatch, recompress } from '../../../src/records/builder.ts';
import { clusterOf, kernels } from '../fake-client.ts';
import { FakeCluster, TOPIC } from '../fake-cluster.ts';
import { FakeLogs } from '../fake-logs.ts';

/** Compressed batches where unpacking takes a while, as in a page, or is refused; in virtual time. */

const at = { topic: TOPIC, partition: 0 };

/** Ten batches of two records, each under another codec's number, by a codec that says how long it takes. */
async function made(
  decompress: (fake: FakeCluster, bytes: Uint8Array, maxBytes: number) => Promise<Uint8Array>,
) {
  const fake = new FakeCluster();
  const logs = new FakeLogs(fake);
  const codec: Codec = {
    compress: (bytes) => bytes.map((byte) => byte ^ 0xff),
    decompress: (bytes, maxBytes) => decompress(fake, bytes, maxBytes),
  };
  const codecs = new Map([[CODEC.gzip, codec] as const]);
  for (let batch = 0; batch < 10; batch++) {
    const records = [0, 1].map((place) => ({ value: `${2 * batch + place}`, timestamp: 0 }));
    logs.log().put(await recompress({ kernels, codecs }, buildBatch(kernels, { records }), CODEC.gzip), 2);
  }
  const { scheduler: clock, random } = fake;
  const parts = { cluster: clusterOf(fake), clock, random, kernels, codecs, retryForMs: 1_000 };
  const fetcher = new Fetcher(parts);
  fetcher.assign([{ ...at, from: 'earliest', ends: ['latest'] }]);
  const take = async () => {
    const batch = await fake.run(fetcher.take());
    if (batch === undefined) return undefined;
    const values = Array.from(batch, ({ value }) => Number(String(Buffer.from(value ?? []))));
    batch.release();
    return values;
  };
  return { fake, fetcher, take };
}

const slow = async (fake: FakeCluster, bytes: Uint8Array) => {
  await fake.scheduler.sleep(fake.random.between(1, 500));
  return bytes.map((byte) => byte ^ 0xff);
};

test('a codec that answers later: batches keep their order, and all is released', async () => {
  const { fetcher, take } = await made(slow);
  const found: number[] = [];
  for (let values = await take(); values !== undefined; values = await take()) found.push(...values);
  expect(found).toEqual(Array.from({ length: 20 }, (_, number) => number));
  expect(fetcher.bufferedBytes).toBe(0);
});

test('a record that is kept keeps nothing but itself, whatever memory its batch was unpacked into', async () => {
  const { fake, fetcher } = await made(async (_, bytes) => {
    const whole = Buffer.alloc(1_000_000);
    whole.set(bytes.map((byte) => byte ^ 0xff));
    return whole.subarray(0, bytes.length);
  });
  const batch = await fake.run(fetcher.take());
  const kept = Array.from(batch ?? [], (record) => record.kept().valueBytes as Uint8Array);
  expect(kept.map(String)).toEqual(['48', '49']);
  for (const { buffer } of kept) expect(buffer.byteLength).toBeLessThan(100);
});

test('who moves while a batch is unpacked is not given it', async () => {
  const { fake, fetcher, take } = await made(slow);
  expect(await take()).toEqual([0, 1]);
  const next = take();
  fake.scheduler.after(0.5, 'seek', () => fetcher.seek(at, 15));
  expect(await next).toEqual([15]);
  expect(await take()).toEqual([16, 17]);
});

test('a batch that would unpack to more than it may: an error that says so, and no memory for it', async () => {
  let most = 0;
  const { take, fetcher } = await made(async (_, __, maxBytes) => {
    most = Math.max(most, maxBytes);
    throw tooLarge(maxBytes);
  });
  await expect(take()).rejects.toMatchObject({
    code: 'CORRUPT_MESSAGE',
    message: expect.stringContaining('unpacks to more'),
  });
  expect(most).toBe(64 * 1024 * 1024);
  fetcher.close();
  expect(fetcher.bufferedBytes).toBe(0);
});

describe('a codec that is not loaded', () => {
  const offline = () => onDemand('zstd', () => Promise.reject(new TypeError('Failed to fetch')))();

  test('is tried again, and the batch is read once it is there', async () => {
    let left = 3;
    const { take } = await made(async (_, bytes) => {
      if (left-- > 0) await offline();
      return bytes.map((byte) => byte ^ 0xff);
    });
    expect(await take()).toEqual([0, 1]);
    expect(left).toBe(-1);
  });

  test('is the error, not the batch, when it does not come', async () => {
    const { take } = await made(async (_, bytes) => (await offline()) ?? bytes);
    await expect(take()).rejects.toMatchObject({
      code: 'NOT_LOADED',
      retriable: true,
      message: 'zstd could not be loaded: Failed to fetch',
    });
  });
});

test('a codec that this home lacks is an error at once', async () => {
  const fake = new FakeCluster();
  const logs = new FakeLogs(fake);
  const codec: Codec = { compress: (bytes) => bytes, decompress: (bytes) => bytes };
  const batch = buildBatch(kernels, { records: [{ value: 'a', timestamp: 0 }] });
  logs.log().put(await recompress({ kernels, codecs: new Map([[CODEC.zstd, codec]]) }, batch, CODEC.zstd), 1);
  const { scheduler: clock, random } = fake;
  const parts = { cluster: clusterOf(fake), clock, random, kernels, codecs: new Map(), retryForMs: 30_000 };
  const fetcher = new Fetcher(parts);
  fetcher.assign([{ ...at, from: 'earliest' }]);
  const since = fake.scheduler.nowMs;
  await expect(fake.run(fetcher.take())).rejects.toMatchObject({ code: 'UNSUPPORTED_COMPRESSION_TYPE' });
  expect(fake.scheduler.nowMs - since).toBeLessThan(1_000);
});

test('a position that is none is refused where it is given', async () => {
  const { fetcher } = await made(slow);
  expect(() => fetcher.seek(at, 1.5)).toThrow('whole number');
});
