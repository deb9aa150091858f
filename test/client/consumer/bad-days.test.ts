import { describe, expect, test } from 'vitest';
import type { ConsumedRecord } from '../../../src/client/consumer/consumed-record.ts';
import { ErrorCode } from '../../../src/model/errors.ts';
import { heartbeatApi } from '../../../src/wire/apis/12-heartbeat.ts';
import type { Api } from '../../../src/wire/schema.ts';
import { until } from '../group/fake-member.ts';
import { TOPIC } from '../fake-cluster.ts';
import { ConsumerWorld, valueOf } from './life.ts';

/** What users of other clients have suffered, each in virtual time. */

const never = new Promise<void>(() => {});

/** A complaint: KafkaJS restarted its runner for ever while health checks passed; an indexer was down for two weeks. */
describe('wedged forever', () => {
  test.each<[string, string, (world: ConsumerWorld) => void]>([
    ['all brokers have gone', 'CONNECTION_LOST', ({ fake }) => fake.stop(1)],
    [
      'the topic was deleted',
      'UNKNOWN_TOPIC_OR_PARTITION',
      ({ fake, logs }) => {
        fake.topicErrorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
        logs.options.refuse = () => ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
        logs.wake();
      },
    ],
    [
      'it is not allowed to read any more',
      'TOPIC_AUTHORIZATION_FAILED',
      ({ logs }) => {
        logs.options.refuse = () => ErrorCode.TOPIC_AUTHORIZATION_FAILED;
        logs.wake();
      },
    ],
  ])('%s: tried for as long as told, then the iterator throws', async (_, code, breaks) => {
    const world = new ConsumerWorld();
    world.write(0, 1);
    const consumer = world.consumer();
    await world.run(consumer.next());
    const next = consumer.next();
    breaks(world);
    const { nowMs } = world;
    expect(await world.failureOf(next)).toMatchObject({ code });
    expect(world.nowMs - nowMs).toBeLessThan(50_000);
    expect(consumer.status).toBe('failed');
    expect(consumer.assignment).toEqual([]);
    expect(await world.failureOf(consumer.next())).toMatchObject({ code });
    expect(await world.failureOf(consumer.close())).toBeUndefined();
  });

  test('run ends in the same way, and status says retrying meanwhile', async () => {
    const world = new ConsumerWorld();
    world.write(0, 1);
    const consumer = world.consumer();
    let done = 0;
    const running = world.failureOf(consumer.run(() => done++));
    const watched = (async () => {
      await until(world.fake, () => done === 1 && consumer.status === 'running');
      world.fake.stop(1);
      await until(world.fake, () => consumer.status === 'retrying');
      await until(world.fake, () => consumer.status === 'failed');
    })();
    await watched;
    expect(await running).toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test('brokers that are back within the budget: it goes on where it was', async () => {
    const world = new ConsumerWorld();
    world.write(0, 2);
    const consumer = world.consumer({ sessionTimeoutMs: 60_000 });
    await world.run(consumer.next());
    const second = await world.run(consumer.next());
    expect(valueOf(second.value as ConsumedRecord)).toBe('0-1');
    world.fake.stop(1);
    const next = consumer.next();
    await world.sleep(20_000);
    expect(consumer.status).toBe('retrying');
    world.fake.down.delete(1);
    world.write(0, 1);
    expect(valueOf((await world.run(next)).value as ConsumedRecord)).toBe('0-2');
    await world.run(consumer.return());
    expect(world.committed()[0]).toBe(2);
  });

  test('a topic that is not there: the error says so, and what to do', async () => {
    const world = new ConsumerWorld();
    world.fake.topicErrorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    const failure = await world.failureOf(world.consumer().next());
    expect(failure).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      hint: expect.stringContaining('create') as string,
    });
  });
});

/** A complaint: a stop during a rebalance never returned; librdkafka's close knows no bound. */
describe('shutdown hangs', () => {
  const CLOSE_MS = 5_000;

  test.each<[string, (world: ConsumerWorld) => Promise<void>]>([
    ['with nothing to do', async () => {}],
    ['with the broker dead', async ({ fake }) => fake.stop(1)],
    [
      'while it reconnects (plt#408)',
      async (world) => {
        world.fake.stop(1);
        await world.sleep(10_000);
      },
    ],
    [
      'while another member holds up a rebalance',
      async (world) => {
        const other = world.consumer({ assignors: ['range'] });
        void other.run(() => never).catch(() => {});
        await world.sleep(2_000);
      },
    ],
    [
      'while the coordinator says nothing',
      async (world) => {
        world.fake.options.mishap = () => 'silence';
        await world.sleep(2_000);
      },
    ],
  ])('%s: close settles in time, called twice, and all who wait are told', async (_, prepare) => {
    const world = new ConsumerWorld();
    world.write(0, 5);
    world.write(1, 5);
    const consumer = world.consumer({ assignors: ['range'] });
    await world.run(consumer.next());
    const next = consumer.next().then(() => consumer.next());
    next.catch(() => {});
    await prepare(world);
    const { nowMs } = world;
    const outcomes = await world.run(
      Promise.allSettled([consumer.close({ timeoutMs: CLOSE_MS }), consumer.close()]),
    );
    expect(outcomes).toHaveLength(2);
    expect(world.nowMs - nowMs).toBeLessThanOrEqual(CLOSE_MS + 1);
    expect(consumer.status).toBe('closed');
    await world.run(Promise.allSettled([next]));
    expect((await world.run(consumer.next())).done).toBe(true);
  });

  test('a handler that never ends: its signal aborts, and close settles', async () => {
    const world = new ConsumerWorld();
    world.write(0, 1);
    const consumer = world.consumer();
    let seen: ConsumedRecord | undefined;
    const running = world.failureOf(
      consumer.run((record) => {
        seen = record;
        return never;
      }),
    );
    await until(world.fake, () => seen !== undefined);
    await world.run(consumer.close({ timeoutMs: CLOSE_MS }));
    expect(await running).toBeUndefined();
    expect(seen?.signal.reason).toMatchObject({ code: 'PARTITION_LOST' });
    expect(world.committed()[0]).not.toBe(1);
    expect(world.groups.membersCount).toBe(0);
  });

  test('what is acked and cannot be committed: close says so', async () => {
    const world = new ConsumerWorld();
    world.write(0, 2);
    const consumer = world.consumer({ autoCommit: { intervalMs: 3_600_000 } });
    await world.run(consumer.next());
    await world.run(consumer.next());
    world.fake.stop(1);
    expect(await world.failureOf(consumer.close())).toBeDefined();
    expect(consumer.status).toBe('closed');
  });

  test('closing the client closes its consumers first: they commit and leave', async () => {
    const world = new ConsumerWorld();
    world.write(0, 3);
    const client = world.client();
    const consumer = world.consumer({}, client);
    await world.run(consumer.next());
    await world.run(consumer.next());
    const third = consumer.next();
    await world.run(third);
    await world.run(client.close());
    expect(world.committed()[0]).toBe(2);
    expect(world.groups.membersCount).toBe(0);
    expect(() => world.consumer({}, client)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});

/** A complaint: fencing before draining threw finished work away. */
describe('duplicates on revoke', () => {
  test('what is worked on is finished and committed before the partition goes over', async () => {
    const world = new ConsumerWorld();
    for (let partition = 0; partition < 4; partition++) world.write(partition, 50);
    const done = new Map<string, number>();
    let inVain = 0;
    const work = async (record: ConsumedRecord) => {
      await world.fake.scheduler.sleep(300);
      if (record.signal.aborted) inVain++;
      done.set(valueOf(record), (done.get(valueOf(record)) ?? 0) + 1);
    };
    const consumers = [0, 1, 2].map(() => world.consumer({ assignors: ['range'] }));
    for (const consumer of consumers) {
      void consumer.run(work, { concurrency: 4, order: 'key' }).catch(() => {});
      await world.sleep(3_000);
    }
    await until(world.fake, () => done.size === 200);
    expect([...done.values()].every((times) => times === 1)).toBe(true);
    expect(inVain).toBe(0);
    for (const consumer of consumers) await world.run(consumer.close());
    expect(world.committed()).toEqual([50, 50, 50, 50]);
  });

  test('work that outlasts the rebalance is told to stop, and done again by who has it', async () => {
    const world = new ConsumerWorld({ partitions: 2 });
    world.write(0, 1);
    world.write(1, 1);
    const slow = world.consumer({ assignors: ['range'] });
    const aborted: string[] = [];
    void slow
      .run(
        (record) =>
          new Promise((resolve) =>
            record.signal.addEventListener('abort', () => {
              aborted.push(valueOf(record));
              resolve(undefined);
            }),
          ),
        { concurrency: 2 },
      )
      .catch(() => {});
    await world.sleep(1_000);
    const other = world.consumer({ assignors: ['range'] });
    const done: string[] = [];
    void other.run((record) => done.push(valueOf(record))).catch(() => {});
    await until(world.fake, () => done.length > 0);
    expect(aborted.toSorted()).toEqual(['0-0', '1-0']);
    expect(slow.status).not.toBe('failed');
  });

  test('a member that was thrown out: the signals of its records abort at once', async () => {
    let isMute = false;
    const mishap = (api: Api) => (isMute && api === heartbeatApi ? ('request-lost' as const) : undefined);
    const world = new ConsumerWorld({ mishap });
    world.write(0, 2);
    const consumer = world.consumer({ autoCommit: false });
    const { value: record } = await world.run(consumer.next());
    isMute = true;
    await world.sleep(12_000);
    isMute = false;
    await until(world.fake, () => record?.signal.aborted ?? false);
    expect(record?.signal.reason).toMatchObject({ code: 'PARTITION_LOST' });
    record?.ack();
    await until(world.fake, () => consumer.assignment.length === 4);
    expect(valueOf((await world.run(consumer.next())).value as ConsumedRecord)).toBe('0-0');
    await world.run(consumer.return());
    expect(world.committed()[0]).toBeUndefined();
  });

  test('another under the same instanceId: the first is told, and stops', async () => {
    const world = new ConsumerWorld();
    world.write(0, 1);
    const first = world.consumer({ instanceId: 'a' });
    const { value: record } = await world.run(first.next());
    const next = first.next();
    const second = world.consumer({ instanceId: 'a' });
    const other = second.next();
    expect(await world.failureOf(next)).toMatchObject({ code: 'FENCED_INSTANCE_ID' });
    expect(record?.signal.aborted).toBe(true);
    world.write(0, 1);
    await world.run(other);
    await world.run(second.return());
  });
});

describe('what else a consumer promises', () => {
  test('what began at the end is committed, so that nothing is lost when it goes over', async () => {
    const world = new ConsumerWorld({ partitions: 1 });
    world.write(0, 5);
    const first = world.consumer({ from: 'latest' });
    const waiting = first.next();
    await world.sleep(3_000);
    await world.run(first.close());
    expect((await world.run(waiting)).done).toBe(true);
    expect(world.committed()).toEqual([5]);
    world.write(0, 1);
    const second = world.consumer({ from: 'latest' });
    expect(valueOf((await world.run(second.next())).value as ConsumedRecord)).toBe('0-5');
    await world.run(second.return());
  });

  test('its signal gives up at once', async () => {
    const world = new ConsumerWorld();
    world.write(0, 2);
    const controller = new AbortController();
    const consumer = world.consumer({ signal: controller.signal });
    const { value: record } = await world.run(consumer.next());
    const next = consumer.next();
    await world.run(next);
    const third = consumer.next();
    controller.abort(new Error('enough'));
    expect(await world.failureOf(third)).toMatchObject({ message: 'enough' });
    expect(record?.signal.aborted).toBe(true);
    expect(consumer.status).toBe('closed');
    expect(world.committed()[0]).toBe(2);
  });

  test('a commit that fails for good ends it', async () => {
    const world = new ConsumerWorld();
    world.write(0, 2);
    const consumer = world.consumer({ assign: [{ topic: TOPIC, partition: 0 }], topics: undefined });
    const member = world.consumer();
    const joined = member.next();
    await world.run(consumer.next());
    await world.run(joined);
    await world.run(consumer.next());
    // The group has members: who reads by hand may not commit there.
    expect(await world.failureOf(consumer.commit())).toMatchObject({ code: 'UNKNOWN_MEMBER_ID' });
    await world.run(member.return());
  });
});
