import { describe, expect, test } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { onDemand } from '../../src/client/on-demand.ts';
import type { ConsumerOptions } from '../../src/client/consumer/options.ts';
import { ConsumerWorld, valueOf } from './consumer/life.ts';
import { clientOf, clusterOf } from './fake-client.ts';
import { TOPIC } from './fake-cluster.ts';
import { type EngineName, lateEngines } from './late-engines.ts';

/** A page's client: what does the work comes later, or not at all; in virtual time. */

const LOAD_MS = 400;
const AT = { topic: TOPIC, partition: 0 };
const CONSUMED: ConsumerOptions<Uint8Array | null, Uint8Array | null> = { group: 'group', topics: TOPIC };
const NOT_LOADED = {
  code: 'NOT_LOADED',
  retriable: true,
  hint: expect.stringContaining('network') as string,
  cause: expect.any(TypeError) as TypeError,
};

/** Each engine is there `LOAD_MS` after it is asked for, or fails then. */
class LateWorld extends ConsumerWorld {
  readonly asked: EngineName[] = [];
  isOffline = false;

  override client(retryForMs = 30_000, cluster = clusterOf(this.fake)): Client {
    const engines = lateEngines(async (name) => {
      this.asked.push(name);
      await this.fake.scheduler.sleep(LOAD_MS);
      if (this.isOffline) throw new TypeError('Failed to fetch dynamically imported module');
    });
    return clientOf(this.fake, retryForMs, cluster, engines);
  }

  /** One that has its connection. */
  async connected(): Promise<Client> {
    const cluster = clusterOf(this.fake);
    await this.run(cluster.anyBroker());
    return this.client(30_000, cluster);
  }
}

describe('a part', () => {
  test('is loaded once, for all that ask, and is there at once from then on', async () => {
    let loads = 0;
    const part = onDemand('this', async () => ++loads);
    const [first, second] = [part(), part()];
    expect(first).toBeInstanceOf(Promise);
    expect(second).toBe(first);
    expect(await first).toBe(1);
    expect(part()).toBe(1);
  });

  test('that does not load is an error that says so, and is loaded by the next call', async () => {
    let loads = 0;
    const part = onDemand('this', async () => {
      if (++loads === 1) throw new TypeError('Failed to fetch');
      return loads;
    });
    const [first, second] = [part(), part()];
    const error = { ...NOT_LOADED, message: 'this could not be loaded: Failed to fetch' };
    await expect(first).rejects.toMatchObject(error);
    await expect(second).rejects.toMatchObject(error);
    expect(await part()).toBe(2);
  });
});

describe('before it is loaded', () => {
  test('what cannot be is refused where it is given', async () => {
    const world = new LateWorld();
    const client = world.client();
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    expect(() => client.producer({ acks: 1, idempotent: true })).toThrow(refused);
    expect(() => client.producer({ compression: 'brotli' as 'gzip' })).toThrow(refused);
    expect(() => client.read([])).toThrow(refused);
    expect(() => client.read(TOPIC, { from: 1.5 })).toThrow(refused);
    expect(() => client.read(TOPIC, { maxBufferedBytes: 0 })).toThrow(refused);
    expect(() => client.consumer({ ...CONSUMED, assignors: ['other' as 'range'] })).toThrow(refused);
    expect(() => client.consumer({ ...CONSUMED, sessionTimeoutMs: 0 })).toThrow(refused);
    expect(() => client.consumer({ ...CONSUMED, isolation: 'none' as 'read_committed' })).toThrow(refused);
    const consumer = client.consumer(CONSUMED);
    await expect(consumer.run(() => {}, { concurrency: 0 })).rejects.toEqual(refused);
    expect(consumer.status).toBe('idle');
    const producer = client.producer({ requestMaxBytes: 2_000 });
    const large = producer.send(TOPIC, { value: 'v'.repeat(2_000) });
    await expect(large).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
    expect(world.nowMs).toBe(new LateWorld().nowMs);
  });

  test('records wait, and keep the order of the calls and their time, while it comes too', async () => {
    const world = new LateWorld({ partitions: 1 });
    const { promise: loaded, resolve: load } = Promise.withResolvers<void>();
    const client = clientOf(
      world.fake,
      1_000,
      clusterOf(world.fake),
      lateEngines(() => loaded),
    );
    const producer = client.producer();
    const { nowMs } = world;
    const sent: Promise<{ offset: number; timestamp: number }>[] = [];
    const send = () => sent.push(producer.send(TOPIC, { value: `${sent.length}` }));
    send();
    const written = producer.write(TOPIC, { value: 'written' });
    await world.sleep(LOAD_MS);
    load();
    // One in each turn of promises, while what waits begins.
    for (let turn = 0; turn < 30; turn++) {
      send();
      await Promise.resolve();
    }
    await world.run(Promise.all([written, producer.flush()]));
    const stored = await world.run(Promise.all(sent));
    expect(stored[0]).toMatchObject({ offset: 0, timestamp: nowMs });
    const offsets = stored.map(({ offset }) => offset);
    expect(offsets).toEqual([0, ...Array.from({ length: 30 }, (_, at) => 2 + at)]);
  });

  test('flushing waits for what waits', async () => {
    const world = new LateWorld({ partitions: 1 });
    const producer = world.client().producer();
    await world.run(producer.flush());
    let isStored = false;
    void producer.send(TOPIC, { value: 'v' }).then(() => (isStored = true));
    await world.run(producer.flush());
    expect(isStored).toBe(true);
    expect(producer.bufferedBytes).toBe(0);
  });

  test('who gives up waiting sends nothing', async () => {
    const world = new LateWorld({ partitions: 1 });
    const producer = world.client().producer();
    const reason = new Error('enough');
    const controller = new AbortController();
    const { signal } = controller;
    const given = [
      producer.send(TOPIC, { value: 'a' }, { signal }),
      producer.write(TOPIC, { value: 'b' }, { signal }),
    ];
    const sent = producer.send(TOPIC, { value: 'c' });
    controller.abort(reason);
    for (const one of given) await expect(one).rejects.toBe(reason);
    expect(world.nowMs).toBe(new LateWorld().nowMs);
    expect(await world.run(sent)).toMatchObject({ offset: 0 });
    await world.run(producer.close());
  });

  test('a producer that is closed sends what it was given if that is in time, else says CLOSED', async () => {
    const world = new LateWorld({ partitions: 1 });
    const idle = world.client().producer();
    await idle.close();
    const client = world.client();
    const inTime = client.producer();
    const sent = inTime.send(TOPIC, { value: 'v' });
    await world.run(inTime.close());
    expect(await sent).toMatchObject({ offset: 0 });
    const late = world.client().producer();
    const unsent = late.send(TOPIC, { value: 'v' });
    const outcome = world.failureOf(unsent);
    await world.run(late.close({ timeoutMs: LOAD_MS / 2 }));
    expect(await outcome).toMatchObject({ code: 'CLOSED' });
    await world.sleep(LOAD_MS);
    expect(world.fake.asked.filter((name) => name === 'Produce')).toHaveLength(1);
  });

  test('a consumer has nothing, and says so', async () => {
    const world = new LateWorld();
    const client = await world.connected();
    const consumer = client.consumer(CONSUMED);
    expect(consumer.status).toBe('idle');
    const next = consumer.next();
    expect(consumer.status).toBe('joining');
    expect(consumer.assignment).toEqual([]);
    expect(await consumer.lag()).toEqual([]);
    await consumer.commit();
    consumer.pause();
    consumer.resume();
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    expect(() => consumer.seek(AT, 0)).toThrow(refused);
    expect(() => consumer.pause([AT])).toThrow(refused);
    await expect(consumer.run(() => {})).rejects.toEqual(refused);
    world.write(0, 1);
    expect(valueOf((await world.run(next)).value!)).toBe('0-0');
    expect(consumer.status).toBe('running');
    expect(consumer.assignment).toHaveLength(4);
    await world.run(client.close());
  });

  test('a consumer that is closed ends its loop or run at once, and joins nothing later', async () => {
    const world = new LateWorld();
    const client = world.client();
    const looped = client.consumer(CONSUMED);
    const next = looped.next();
    await looped.close();
    expect(await next).toEqual({ done: true, value: undefined });
    const run = client.consumer(CONSUMED);
    const running = run.run(() => {});
    await run.close();
    await running;
    expect([looped.status, run.status]).toEqual(['closed', 'closed']);
    await world.sleep(2 * LOAD_MS);
    expect(world.fake.asked).toEqual([]);
  });

  test.each(['of the consumer', 'of the run'])('a signal %s ends it at once', async (whose) => {
    const world = new LateWorld();
    const controller = new AbortController();
    const { signal } = controller;
    const isOfRun = whose === 'of the run';
    const consumer = world.client().consumer({ ...CONSUMED, ...(!isOfRun && { signal }) });
    const running = consumer.run(() => {}, isOfRun ? { signal } : {});
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(consumer.status).toBe('closed');
    await world.sleep(2 * LOAD_MS);
    expect(world.fake.asked).toEqual([]);
  });

  test('a reader has nothing, and reads once it can', async () => {
    const world = new LateWorld({ partitions: 1 });
    world.write(0, 3);
    const client = world.client();
    const reader = client.read(TOPIC, { live: false });
    expect(reader.assignment).toEqual([]);
    expect(() => reader.progress(AT)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    const values: string[] = [];
    const read = async () => {
      for await (const batch of reader.batches())
        for (const { value } of batch) values.push(String(Buffer.from(value ?? [])));
    };
    await world.run(read());
    expect(values).toEqual(['0-0', '0-1', '0-2']);
    expect(reader.assignment).toEqual([AT]);
    const latest = await world.run(client.latest(TOPIC, { live: false }));
    expect(latest.size).toBe(0);
    expect(world.asked).toEqual(['fetcher', 'latest']);
  });

  test('a reader that is closed ends its loop at once, and so does a signal', async () => {
    const world = new LateWorld();
    const closed = world.client().read(TOPIC);
    const next = closed.next();
    closed.close();
    expect(await next).toEqual({ done: true, value: undefined });
    const reason = new Error('enough');
    const controller = new AbortController();
    const { signal } = controller;
    const client = world.client();
    const aborted = [client.read(TOPIC, { signal }).next(), client.latest(TOPIC, { signal })];
    controller.abort(reason);
    for (const one of aborted) await expect(one).rejects.toBe(reason);
    await world.sleep(2 * LOAD_MS);
    expect(world.fake.asked).toEqual([]);
  });

  test('a client that is closed ends all that waits', async () => {
    const world = new LateWorld();
    world.isOffline = true;
    const client = world.client();
    const sent = world.failureOf(client.send(TOPIC, { value: 'v' }));
    const next = client.consumer(CONSUMED).next();
    const read = client.read(TOPIC).next();
    await world.run(client.close({ timeoutMs: LOAD_MS / 2 }));
    expect(await sent).toMatchObject({ code: 'CLOSED' });
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await read).toEqual({ done: true, value: undefined });
  });
});

describe('what could not be loaded', () => {
  test('a producer says so, and the same one sends the next time', async () => {
    const world = new LateWorld({ partitions: 1 });
    world.isOffline = true;
    const producer = world.client().producer();
    await world.sleep(LOAD_MS);
    const given = [producer.send(TOPIC, { value: 'a' }), producer.write(TOPIC, { value: 'b' })];
    const failures = given.map((one) => expect(one).rejects.toMatchObject(NOT_LOADED));
    await world.run(producer.flush());
    await Promise.all(failures);
    world.isOffline = false;
    expect(await world.run(producer.send(TOPIC, { value: 'c' }))).toMatchObject({ offset: 0 });
    await world.run(producer.close());
    expect(producer.bufferedBytes).toBe(0);
  });

  test.each<[string, (client: Client) => Promise<unknown>]>([
    ['for await', (client) => client.consumer(CONSUMED).next()],
    ['run', (client) => client.consumer(CONSUMED).run(() => Promise.reject(new Error('it has come')))],
    ['read', (client) => client.read(TOPIC).next()],
    ['batches', (client) => client.read(TOPIC).batches().next()],
    ['latest', (client) => client.latest(TOPIC, { live: false })],
  ])('%s says so, and works the next time', async (_, call) => {
    const world = new LateWorld();
    const client = world.client();
    world.isOffline = true;
    await expect(world.run(call(client))).rejects.toMatchObject(NOT_LOADED);
    world.isOffline = false;
    world.write(0, 1);
    const outcome = await world.failureOf(call(client));
    expect([undefined, 'it has come']).toContain(outcome?.message);
    await world.run(client.close());
  });

  test('a consumer that waited for it has failed', async () => {
    const world = new LateWorld();
    world.isOffline = true;
    const consumer = world.client().consumer(CONSUMED);
    await expect(world.run(consumer.next())).rejects.toMatchObject(NOT_LOADED);
    expect(consumer.status).toBe('failed');
    await expect(consumer.next()).rejects.toMatchObject(NOT_LOADED);
    await consumer.close();
  });
});
