import { describe, expect, test } from 'vitest';
import type { Producer, ProducerOptions } from '../../../src/client/producer/producer.ts';
import { produceApi } from '../../../src/wire/apis/00-produce.ts';
import type { Api } from '../../../src/wire/schema.ts';
import { clientOf } from '../fake-client.ts';
import { FakeCluster, TOPIC } from '../fake-cluster.ts';

/** What the docstrings of the producer promise, beside that records arrive. */

function start(options?: ProducerOptions): {
  fake: FakeCluster;
  producer: Producer;
  fail: (isFailing: boolean) => void;
} {
  let isFailing = false;
  const mishap = (api: Api) => (isFailing && api === produceApi ? ('request-lost' as const) : undefined);
  const fake = new FakeCluster({ partitions: 3, mishap });
  const producer = clientOf(fake, 10_000).producer(options);
  return { fake, producer, fail: (now) => (isFailing = now) };
}

const valuesOf = (fake: FakeCluster) => fake.logs.reduce((sum, { endOffset }) => sum + endOffset, 0);

describe('what is refused before anything is sent', () => {
  test.each([
    ['a partition too far', { value: 'v', partition: 3 }, 'INVALID_ARGUMENT'],
    ['a negative partition', { value: 'v', partition: -1 }, 'INVALID_ARGUMENT'],
    ['half a partition', { value: 'v', partition: 0.5 }, 'INVALID_ARGUMENT'],
    ['a negative timestamp', { value: 'v', timestamp: -5 }, 'INVALID_ARGUMENT'],
    ['no timestamp', { value: 'v', timestamp: Number.NaN }, 'INVALID_ARGUMENT'],
    // As whoever has no types can write it.
    ['a number', { value: 5 as unknown as string }, 'INVALID_ARGUMENT'],
    ['an object', { value: { eur: 5 } as unknown as string }, 'INVALID_ARGUMENT'],
    ['a list for a key', { key: [1] as unknown as string, value: 'v' }, 'INVALID_ARGUMENT'],
    ['wide numbers', { value: new Float64Array(2) as unknown as Uint8Array }, 'INVALID_ARGUMENT'],
    ['a header of a number', { value: 'v', headers: { page: 5 as unknown as string } }, 'INVALID_ARGUMENT'],
    ['a megabyte', { value: new Uint8Array(1_048_576) }, 'RECORD_TOO_LARGE'],
  ])('%s', async (_, record, code) => {
    const { fake, producer } = start();
    await fake.run(producer.send(TOPIC, { value: 'known' }));
    await expect(fake.run(producer.send(TOPIC, record))).rejects.toMatchObject({ code });
    await expect(fake.run(producer.write(TOPIC, record))).rejects.toMatchObject({ code });
    expect(producer.bufferedBytes).toBe(0);
    await fake.run(producer.close());
    expect(valuesOf(fake)).toBe(1);
  });

  test('options that cannot be', () => {
    expect(() => start({ acks: 1, idempotent: true })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(() => start({ compression: 'brotli' as 'gzip' })).toThrow(/brotli/);
  });

  test('a codec that this home lacks is an error of its records, not a hang', async () => {
    const { fake, producer } = start({ compression: 'gzip' });
    await expect(fake.run(producer.send(TOPIC, { value: 'v' }))).rejects.toThrow(/codec/);
    await fake.run(producer.close());
  });
});

describe('what is written', () => {
  test('a failure is told once: by the next write, or by flush, or by close', async () => {
    for (const tell of ['write', 'flush', 'close'] as const) {
      const { fake, producer, fail } = start({ deliveryTimeoutMs: 2_000 });
      fail(true);
      await fake.run(producer.write(TOPIC, { value: 'lost' }));
      await fake.scheduler.run(
        () => producer.bufferedBytes === 0,
        () => new Promise((resolve) => setImmediate(resolve)),
      );
      fail(false);
      const told = tell === 'write' ? producer.write(TOPIC, { value: 'next' }) : producer[tell]();
      await expect(fake.run(told)).rejects.toMatchObject({ code: 'DELIVERY_TIMEOUT' });
      await fake.run(tell === 'close' ? Promise.resolve() : producer.flush());
    }
  });

  test('without room a write waits, in its turn, and can be aborted', async () => {
    const { fake, producer } = start({ maxBufferedBytes: 100 });
    await fake.run(producer.send(TOPIC, { value: 'known' }));
    await producer.write(TOPIC, { value: 'x'.repeat(100) });
    const controller = new AbortController();
    const told: string[] = [];
    const aborted = producer.write(TOPIC, { value: 'never' }, { signal: controller.signal });
    const second = producer.write(TOPIC, { value: 'x'.repeat(100) }).then(() => told.push('second'));
    const third = producer.write(TOPIC, { value: 'z' }).then(() => told.push('third'));
    controller.abort(new Error('enough'));
    await expect(fake.run(aborted)).rejects.toThrow('enough');
    await fake.run(Promise.all([second, third]));
    await fake.run(producer.flush());
    expect(told).toEqual(['second', 'third']);
    expect(valuesOf(fake)).toBe(4);
  });

  test('with a linger, all that comes in its time is one batch', async () => {
    const { fake, producer } = start({ lingerMs: 20 });
    await fake.run(producer.send(TOPIC, { value: 'known', partition: 0 }));
    const sent: Promise<unknown>[] = [];
    for (let number = 0; number < 10; number++)
      fake.scheduler.after(number, 'send', () =>
        sent.push(producer.send(TOPIC, { value: 'v', partition: 0 })),
      );
    await fake.run(fake.scheduler.sleep(15));
    expect(fake.logs[0]?.endOffset).toBe(1);
    await fake.run(Promise.all(sent));
    expect(fake.logs[0]?.batches).toHaveLength(2);
    expect(fake.logs[0]?.endOffset).toBe(11);
  });

  test('flush does not wait for a linger', async () => {
    const { fake, producer } = start({ lingerMs: 60_000 });
    const { nowMs } = fake.scheduler;
    const written = producer.write(TOPIC, { value: 'v' });
    await fake.run(Promise.all([written, producer.flush()]));
    expect(valuesOf(fake)).toBe(1);
    expect(fake.scheduler.nowMs - nowMs).toBeLessThan(1_000);
  });
});

describe('closing', () => {
  test('all that was given is sent first; then nothing is taken', async () => {
    const { fake, producer } = start({ lingerMs: 1_000 });
    const sent = Array.from({ length: 50 }, (_, number) => producer.send(TOPIC, { value: `${number}` }));
    await fake.run(producer.close());
    await Promise.all(sent);
    expect(valuesOf(fake)).toBe(50);
    await expect(producer.send(TOPIC, { value: 'late' })).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(producer.write(TOPIC, { value: 'late' })).rejects.toMatchObject({ code: 'CLOSED' });
    await producer.close();
  });

  test('waits for retries in flight (kjs#879)', async () => {
    const { fake, producer, fail } = start();
    await fake.run(producer.send(TOPIC, { value: 'known' }));
    fail(true);
    const sent = producer.send(TOPIC, { value: 'late' });
    fake.scheduler.after(3_000, 'the broker is back', () => fail(false));
    await fake.run(producer.close({ timeoutMs: 10_000 }));
    expect(await sent).toMatchObject({ offset: expect.any(Number) as number });
    // What was stored is known by its sequence: it is there once, however often it was sent.
    expect(valuesOf(fake)).toBe(2);
  });

  test('with retries under way it settles in its time, and each record knows', async () => {
    const { fake, producer, fail } = start();
    await fake.run(producer.send(TOPIC, { value: 'known' }));
    fail(true);
    const { nowMs } = fake.scheduler;
    const sent = producer.send(TOPIC, { value: 'lost' });
    const outcomes = await fake.run(Promise.allSettled([sent, producer.close({ timeoutMs: 500 })]));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(outcomes[0]).toMatchObject({ reason: { code: 'CLOSED' } });
    expect(fake.scheduler.nowMs - nowMs).toBeLessThan(600);
    expect(producer.bufferedBytes).toBe(0);
  });

  test('a send that is aborted settles at once; the producer goes on', async () => {
    const { fake, producer, fail } = start();
    await fake.run(producer.send(TOPIC, { value: 'known' }));
    fail(true);
    const controller = new AbortController();
    const sent = producer.send(TOPIC, { value: 'unknown' }, { signal: controller.signal });
    controller.abort(new Error('no more'));
    await expect(sent).rejects.toThrow('no more');
    fail(false);
    await fake.run(producer.send(TOPIC, { value: 'next' }));
    await fake.run(producer.close());
    expect(valuesOf(fake)).toBeGreaterThanOrEqual(2);
  });
});
