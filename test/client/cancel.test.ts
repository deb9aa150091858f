import { describe, expect, test } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { ConsumerWorld } from './consumer/life.ts';
import { TOPIC } from './fake-cluster.ts';

const ABORT_MS = 1_000;
/** A consumer commits and leaves its group before it gives up: at most so long. */
const CLOSE_MS = 5_000;

type Call = (client: Client, signal: AbortSignal) => Promise<unknown>;

const AT = { topic: TOPIC, partition: 0 };
const CONSUMED = { group: 'group', topics: TOPIC };

const CALLS: Readonly<Record<string, Call>> = {
  send: (client, signal) => client.send(TOPIC, { value: 'v' }, { signal }),
  async write(client, signal) {
    const producer = client.producer({ maxBufferedBytes: 100 });
    for (;;) await producer.write(TOPIC, { value: 'v'.repeat(50) }, { signal });
  },
  async flush(client, signal) {
    const producer = client.producer();
    await producer.write(TOPIC, { value: 'v' });
    await producer.flush({ signal });
  },
  read: (client, signal) => client.read(TOPIC, { signal }).next(),
  latest: (client, signal) => client.latest(TOPIC, { signal }),
  'topics.list': ({ admin }, signal) => admin.topics.list({ signal }),
  'topics.describe': ({ admin }, signal) => admin.topics.describe(TOPIC, { signal }),
  'topics.create': ({ admin }, signal) => admin.topics.create('new', { signal }),
  'topics.ensure': ({ admin }, signal) => admin.topics.ensure('new', { signal }),
  'topics.delete': ({ admin }, signal) => admin.topics.delete(TOPIC, { signal }),
  'topics.createPartitions': ({ admin }, signal) => admin.topics.createPartitions(TOPIC, 9, { signal }),
  'configs.describe': ({ admin }, signal) => admin.configs.describe({ topic: TOPIC }, { signal }),
  'configs.alter': ({ admin }, signal) =>
    admin.configs.alter({ topic: TOPIC }, { 'retention.ms': 1 }, { signal }),
  'groups.list': ({ admin }, signal) => admin.groups.list({ signal }),
  'groups.describe': ({ admin }, signal) => admin.groups.describe('group', { signal }),
  'groups.offsets': ({ admin }, signal) => admin.groups.offsets('group', { signal }),
  'groups.lag': ({ admin }, signal) => admin.groups.lag('group', { signal }),
  'groups.reset': ({ admin }, signal) => admin.groups.reset('group', { to: 'latest', signal }),
  'groups.delete': ({ admin }, signal) => admin.groups.delete('group', { signal }),
  'groups.deleteOffsets': ({ admin }, signal) => admin.groups.deleteOffsets('group', [AT], { signal }),
  'offsets.list': ({ admin }, signal) => admin.offsets.list(TOPIC, { signal }),
  'records.delete': ({ admin }, signal) => admin.records.delete(TOPIC, { before: 'latest', signal }),
  'cluster.describe': ({ admin }, signal) => admin.cluster.describe({ signal }),
  'cluster.health': ({ admin }, signal) => admin.cluster.health({ signal }),
};

const CONSUMERS: Readonly<Record<string, Call>> = {
  'for await': (client, signal) => client.consumer({ ...CONSUMED, signal }).next(),
  run: (client, signal) => client.consumer(CONSUMED).run(() => {}, { signal }),
};

/** Aborts a call that nobody answers. @returns what it came to, and how long after the signal. */
async function abort(call: Call): Promise<{ outcome: PromiseSettledResult<unknown>; lateMs: number }> {
  const world = new ConsumerWorld();
  const client = world.client(600_000);
  // The admin is loaded by its first call.
  await Promise.allSettled([client.admin.topics.list({ signal: AbortSignal.abort() })]);
  await world.run(client.send(TOPIC, { value: 'connected' }));
  world.fake.options.mishap = () => 'silence';
  const controller = new AbortController();
  let abortedAtMs = Infinity;
  world.fake.scheduler.after(ABORT_MS, 'abort', () => {
    abortedAtMs = world.nowMs;
    controller.abort(new Error('enough'));
  });
  const [outcome] = await world.run(Promise.allSettled([call(client, controller.signal)]));
  const lateMs = world.nowMs - abortedAtMs;
  await world.run(Promise.allSettled([client.close({ timeoutMs: 10 })]));
  return { outcome, lateMs };
}

const REFUSED = { status: 'rejected', reason: { message: 'enough' } };

describe('no cancel: whatever is asked for can be given up', () => {
  test.each(Object.entries(CALLS))('%s settles at once, with what the signal says', async (_, call) => {
    const { outcome, lateMs } = await abort(call);
    expect(outcome).toMatchObject(REFUSED);
    expect(lateMs).toBe(0);
  });

  test.each(Object.entries(CONSUMERS))('%s, once the consumer is closed, in its time', async (_, call) => {
    const { outcome, lateMs } = await abort(call);
    expect(outcome).toMatchObject(REFUSED);
    expect(lateMs).toBeLessThanOrEqual(CLOSE_MS + 1);
  });
});

describe('no disposal: what has a life ends with its block', () => {
  test('client, producer, consumer, reader and latest', async () => {
    const world = new ConsumerWorld();
    world.write(0, 2);
    const use = async () => {
      await using client = world.client();
      await using producer = client.producer();
      await using consumer = client.consumer(CONSUMED);
      await using reader = client.read(TOPIC);
      await using latest = await client.latest(TOPIC);
      await Promise.all([producer.send(TOPIC, { value: 'v' }), consumer.next(), reader.next()]);
      expect([client.status, consumer.status]).toEqual(['connected', 'running']);
      return { client, producer, consumer, reader, latest };
    };
    const { client, producer, consumer, reader, latest } = await world.run(use());
    expect([client.status, consumer.status]).toEqual(['closed', 'closed']);
    await expect(producer.send(TOPIC, { value: 'v' })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    expect(await latest.closed).toBeUndefined();
    expect(world.groups.membersCount).toBe(0);
  });
});
