import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import type { ShareConsumerOptions } from '../../../src/client/share/share-options.ts';
import { connect } from '../../../src/hosts/node/connect.ts';
import { TestBroker } from '../../gateway/harness.ts';

const SETTINGS = new Map([
  ['offsets.topic.num.partitions', '1'],
  ['share.coordinator.state.topic.num.partitions', '1'],
  ['log.retention.ms', '-1'],
  ['group.share.assignment.interval.ms', '0'],
  ['group.share.min.record.lock.duration.ms', '1000'],
]);

let server: TestBroker;
let client: Client;

beforeEach(async () => {
  server = await TestBroker.start({ settings: SETTINGS });
  const { host, port } = server.broker.kafka;
  client = await connect(`kafka://${host}:${port}`);
  await client.admin.topics.create('jobs', { partitions: 2 });
  await client.admin.configs.alter({ group: 'workers' }, { 'share.auto.offset.reset': 'earliest' });
});

afterEach(async () => {
  await client.close();
  await server.close();
});

async function write(...values: (string | number)[]): Promise<void> {
  await client.send(
    'jobs',
    values.map((value) => ({ key: String(value), value: String(value) })),
  );
}

function workers(options: Partial<ShareConsumerOptions<Uint8Array | null, Uint8Array | null>> = {}) {
  return client.shareConsumer({ group: 'workers', topics: 'jobs', maxWaitMs: 50, ...options });
}

const text = (value: Uint8Array | null) => new TextDecoder().decode(value ?? undefined);

async function lag(): Promise<number> {
  const [described] = await client.admin.groups.shareOffsets('workers');
  return described === undefined ? -1 : described.lag;
}

async function totalLag(): Promise<number> {
  const found = await client.admin.groups.shareOffsets('workers');
  return found.reduce((sum, { lag: one }) => sum + one, 0);
}

describe('a share consumer', () => {
  test('accepts the last record with the next', async () => {
    await write(...Array.from({ length: 30 }, (_, number) => number));
    const seen: number[] = [];
    for await (const { value, deliveryCount } of workers()) {
      expect(deliveryCount).toBe(1);
      seen.push(Number(text(value)));
      if (seen.length === 30) break;
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, number) => number));
    // The last one was not accepted when the loop was left.
    expect(await totalLag()).toBe(1);
    const again = workers();
    const { value } = await again.next();
    expect(value?.deliveryCount).toBe(2);
    value?.accept();
    await again.close();
    expect(await totalLag()).toBe(0);
  });

  test('says of each record what is said of it', async () => {
    await client.admin.topics.create('one', { partitions: 1 });
    const said = ['accept', 'release', 'reject'] as const;
    await client.send(
      'one',
      said.map((value) => ({ value })),
    );
    const consumer = workers({ topics: 'one', acknowledge: 'explicit' });
    const seen: string[] = [];
    for await (const record of consumer) {
      const value = text(record.value) as (typeof said)[number];
      seen.push(`${value} ${record.deliveryCount}`);
      if (record.deliveryCount === 2) record.accept();
      else record[value]();
      expect(record.isOpen).toBe(false);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual(['accept 1', 'release 1', 'reject 1', 'release 2']);
    expect(await totalLag()).toBe(0);
  });

  test('runs a handler on many at once, and gives back what it throws at', async () => {
    await write(...Array.from({ length: 40 }, (_, number) => number));
    const done = new Set<string>();
    let working = 0;
    let most = 0;
    const consumer = workers();
    const running = consumer.run(
      async (record) => {
        most = Math.max(most, ++working);
        await Promise.resolve();
        working--;
        if (record.deliveryCount === 1 && Number(text(record.value)) % 10 === 0) throw new Error('not now');
        done.add(text(record.value));
        if (done.size === 40) void consumer.close();
      },
      { concurrency: 4 },
    );
    await running;
    expect(done.size).toBe(40);
    expect(most).toBeGreaterThan(1);
    expect(consumer.status).toBe('closed');
    expect(await totalLag()).toBe(0);
  });

  test('shares records with others: each goes to one of them', async () => {
    const all = Array.from({ length: 200 }, (_, number) => number);
    const consumers = [workers({ maxRecords: 5 }), workers({ maxRecords: 5 }), workers({ maxRecords: 5 })];
    const seen: string[] = [];
    const over = Promise.withResolvers<void>();
    const running = consumers.map((consumer) =>
      consumer.run((record) => {
        seen.push(text(record.value));
        if (seen.length === all.length) over.resolve();
      }),
    );
    for (const number of all) await write(number);
    await over.promise;
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await Promise.all(running);
    expect(seen.toSorted()).toEqual(all.map(String).toSorted());
    expect(await totalLag()).toBe(0);
  });

  test('releases what it has when it closes', async () => {
    await client.admin.topics.create('held', { partitions: 1 });
    await client.send('held', [{ value: 'a' }, { value: 'b' }]);
    const first = workers({ topics: 'held' });
    expect(text((await first.next()).value?.value ?? null)).toBe('a');
    await first.close();
    const second = workers({ topics: 'held' });
    const again = [await second.next(), await second.next()];
    expect(again.map(({ value }) => [text(value?.value ?? null), value?.deliveryCount])).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
  });

  test('goes on when its connections are cut, and what it had is delivered again', async () => {
    await write(1);
    const consumer = workers();
    const { value: first } = await consumer.next();
    expect(first?.deliveryCount).toBe(1);
    server.broker.gateway.closeAll();
    await write(2);
    const seen = new Set<string>();
    for await (const record of consumer) {
      seen.add(text(record.value));
      if (seen.size === 2) break;
    }
    expect([...seen].toSorted()).toEqual(['1', '2']);
  });

  test('tells of what was acknowledged too late', async () => {
    await client.admin.configs.alter({ group: 'workers' }, { 'share.record.lock.duration.ms': '1000' });
    await client.admin.topics.create('slow', { partitions: 1 });
    await client.send('slow', [{ value: 'a' }]);
    const lost = Promise.withResolvers<string>();
    const slow = workers({ topics: 'slow', onLost: ({ error }) => lost.resolve(error.code) });
    const { value: record } = await slow.next();
    await client.admin.configs.alter({ group: 'workers' }, { 'share.record.lock.duration.ms': '30000' });
    const other = workers({ topics: 'slow' });
    expect((await other.next()).value?.deliveryCount).toBe(2);
    record?.accept();
    expect(await lost.promise).toBe('INVALID_RECORD_STATE');
  });

  test('refuses what makes no sense', async () => {
    await expect(client.shareConsumer({ group: '', topics: 'jobs' }).next()).rejects.toThrow('needs a group');
    await expect(workers({ topics: [] }).next()).rejects.toThrow('nothing to consume');
    await expect(workers({ maxRecords: 0 }).next()).rejects.toThrow('maxRecords');
    const consumer = workers();
    await expect(consumer.run(() => {}, { concurrency: 0 })).rejects.toThrow('concurrency');
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(workers({ signal: aborted }).next()).rejects.toThrow('enough');
  });

  test('is described with its group', async () => {
    const consumer = workers();
    await write(1);
    await consumer.next();
    const described = await client.admin.groups.describe('workers');
    expect(described).toMatchObject({ type: 'share', state: 'Stable', assignor: 'simple' });
    expect(described.members[0]?.assignment).toEqual([
      { topic: 'jobs', partition: 0 },
      { topic: 'jobs', partition: 1 },
    ]);
    expect(await lag()).toBeGreaterThanOrEqual(0);
    expect(await client.admin.groups.lag('workers')).toMatchObject({ state: 'Stable', lag: 1 });
  });
});
