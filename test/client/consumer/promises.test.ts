import { describe, expect, test } from 'vitest';
import type { ConsumedRecord } from '../../../src/client/consumer/consumed-record.ts';
import { TOPIC } from '../fake-cluster.ts';
import { until } from '../group/fake-member.ts';
import { ConsumerWorld, type Options, valueOf } from './life.ts';

/** What the docstrings of the consumer promise, in virtual time. */

describe('what is refused before anything is done', () => {
  test.each<[string, Options]>([
    ['no group', { group: undefined }],
    ['an empty group', { group: '' }],
    ['topics and a pattern', { pattern: /x/ }],
    ['nothing to read', { topics: [] }],
    ['an assignor that is none', { assignors: ['other' as 'range'] }],
    ['no assignor', { assignors: [] }],
    ['a time that is none', { sessionTimeoutMs: 0 }],
    ['a position that is none', { from: { time: Number.NaN } }],
    ['an interval that is none', { autoCommit: { intervalMs: 0 } }],
    ['an isolation that is none', { isolation: 'other' as 'read_committed' }],
  ])('%s', (_, options) => {
    const world = new ConsumerWorld();
    expect(() => world.consumer(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test.each([
    ['no concurrency', { concurrency: 0 }],
    ['half a retry', { retry: 0.5 }],
    ['an order that is none', { order: 'other' as 'key' }],
  ])('%s', async (_, options) => {
    const consumer = new ConsumerWorld().consumer();
    await expect(consumer.run(() => {}, options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(consumer.status).toBe('idle');
  });

  test('a second reader of one consumer', async () => {
    const world = new ConsumerWorld();
    world.write(0, 1);
    const consumer = world.consumer();
    await world.run(consumer.next());
    await expect(consumer.run(() => {})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await world.run(consumer.return());
    await expect(consumer.run(() => {})).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('run', () => {
  interface Running {
    world: ConsumerWorld;
    consumer: ReturnType<ConsumerWorld['consumer']>;
    seen: string[];
    over: Promise<unknown>;
  }

  /** Takes 100 ms for each record. */
  function start(options: Parameters<Running['consumer']['run']>[1] = {}, counts = [10, 10]): Running {
    const world = new ConsumerWorld({ partitions: counts.length });
    for (const [partition, count] of counts.entries()) world.write(partition, count);
    const consumer = world.consumer({ autoCommit: { intervalMs: 1_000 } });
    const seen: string[] = [];
    const work = async (record: ConsumedRecord) => {
      await world.fake.scheduler.sleep(100);
      seen.push(valueOf(record));
    };
    return { world, consumer, seen, over: world.failureOf(consumer.run(work, options)) };
  }
  const inOrder = (partition: number, count: number) =>
    Array.from({ length: count }, (_, offset) => `${partition}-${offset}`);
  const of = (seen: readonly string[], partition: number) =>
    seen.filter((value) => value.startsWith(`${partition}-`));

  test.each([
    ['one at a time', { concurrency: 1 }],
    ['partitions side by side', { concurrency: 4 }],
  ])('%s: each partition in order, and what is done is committed in time', async (_, options) => {
    const { world, consumer, seen } = start(options);
    await until(world.fake, () => seen.length === 20);
    for (const partition of [0, 1]) expect(of(seen, partition)).toEqual(inOrder(partition, 10));
    await until(world.fake, () => world.committed().join() === '10,10');
    await world.run(consumer.close());
  });

  test('paused, nothing of the partition is begun, though it is here; resumed, it goes on', async () => {
    const { world, consumer, seen } = start({ concurrency: 2 });
    await until(world.fake, () => seen.length === 4);
    consumer.pause([{ topic: TOPIC, partition: 0 }]);
    await until(world.fake, () => of(seen, 1).length === 10);
    const before = of(seen, 0).length;
    expect(before).toBeLessThan(5);
    await world.sleep(5_000);
    expect(of(seen, 0)).toHaveLength(before);
    consumer.resume([{ topic: TOPIC, partition: 0 }]);
    await until(world.fake, () => seen.length === 20);
    expect(of(seen, 0)).toEqual(inOrder(0, 10));
    await world.run(consumer.close());
    expect(world.committed()).toEqual([10, 10]);
  });

  test('seek: what waits is let go, and it goes on from there', async () => {
    const { world, consumer, seen } = start({}, [10]);
    await until(world.fake, () => seen.length === 5);
    consumer.seek({ topic: TOPIC, partition: 0 }, 8);
    await until(world.fake, () => seen.at(-1) === '0-9');
    expect(seen).toEqual([...inOrder(0, 6), '0-8', '0-9']);
    await world.run(consumer.close());
    expect(world.committed()).toEqual([10]);
  });

  test('a record is tried again with pauses; the others of its partition wait, those of others do not', async () => {
    const world = new ConsumerWorld({ partitions: 2 });
    world.write(0, 3);
    world.write(1, 3);
    const consumer = world.consumer();
    const seen: string[] = [];
    let failures = 0;
    const over = world.failureOf(
      consumer.run(
        (record) => {
          if (valueOf(record) === '0-1' && failures++ < 5) throw new Error('not yet');
          seen.push(valueOf(record));
        },
        { concurrency: 2, retry: 5 },
      ),
    );
    await until(world.fake, () => seen.length === 6);
    expect(of(seen, 0)).toEqual(inOrder(0, 3));
    expect(seen.indexOf('1-2')).toBeLessThan(seen.indexOf('0-1'));
    await world.run(consumer.close());
    expect(await over).toBeUndefined();
  });

  test('a failure for good: what else is begun is finished and committed; the record is not', async () => {
    const world = new ConsumerWorld({ partitions: 2 });
    world.write(0, 3);
    world.write(1, 3);
    const consumer = world.consumer();
    const seen: string[] = [];
    const work = async (record: ConsumedRecord) => {
      if (valueOf(record) === '0-1') throw new Error('no good');
      await world.fake.scheduler.sleep(100);
      seen.push(valueOf(record));
    };
    const failure = await world.failureOf(consumer.run(work, { concurrency: 2 }));
    expect(failure?.message).toBe('no good');
    expect(world.committed()[0]).toBe(1);
    expect(world.committed()[1]).toBe(of(seen, 1).length);
    expect(world.groups.membersCount).toBe(0);
  });

  test('a dead letter that cannot be written ends it, and the record is not acked', async () => {
    const world = new ConsumerWorld({ partitions: 1, refuse: () => 29 });
    world.write(0, 1);
    const consumer = world.consumer();
    const fail = () => {
      throw new Error('poison');
    };
    const failure = await world.failureOf(consumer.run(fail, { deadLetter: TOPIC }));
    expect(failure).toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' });
    expect(world.committed()[0]).not.toBe(1);
  });
});

test('closing does not wait for a record that was acked by hand', async () => {
  const world = new ConsumerWorld();
  world.write(0, 3);
  const consumer = world.consumer();
  await world.run(consumer.next());
  const { value } = await world.run(consumer.next());
  (value as ConsumedRecord).ack();
  const { nowMs } = world;
  await world.run(consumer.close({ timeoutMs: 60_000 }));
  expect(world.nowMs - nowMs).toBeLessThan(1_000);
  expect(world.committed()[0]).toBe(2);
});
