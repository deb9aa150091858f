import { describe, expect, test } from 'vitest';
import { ConnectionLost } from '../../src/client/errors.ts';
import { WakefulClock } from '../../src/client/wakeful-clock.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import type { Api } from '../../src/wire/schema.ts';
import { clusterOf } from './fake-client.ts';
import { FakeCluster, type Mishap, TOPIC } from './fake-cluster.ts';
import { FakeGroups } from './fake-groups.ts';
import { FakeLogs } from './fake-logs.ts';
import { SleepyHome } from './sleepy-home.ts';

/** A page that sleeps, and a network that goes: what the status says, and how soon things go on. */

const HOUR_MS = 3_600_000;

function start({ mishap }: { mishap?: (api: Api) => Mishap } = {}) {
  const fake = new FakeCluster({ ...(mishap && { mishap }) });
  return { fake, home: new SleepyHome(fake) };
}

const later = (fake: FakeCluster, delayMs: number) => fake.run(fake.scheduler.sleep(delayMs));

describe('status', () => {
  test('connected; disconnected when nobody wants a broker; reconnecting while one is tried; closed', async () => {
    const { fake, home } = start();
    const client = await fake.run(home.connect());
    expect(client.status).toBe('connected');
    fake.stop(1);
    expect(client.status).toBe('disconnected');
    const sent = client.send(TOPIC, { value: 'v' });
    for (let seconds = 0; seconds < 20; seconds++) {
      await later(fake, 1_000);
      expect(client.status).toBe('reconnecting');
    }
    fake.down.delete(1);
    await fake.run(sent);
    expect(client.status).toBe('connected');
    await fake.run(client.close());
    expect(client.status).toBe('closed');
  });

  test('when all that tried has given up it is disconnected', async () => {
    const { fake, home } = start();
    const client = await fake.run(home.connect({ retryForMs: 5_000 }));
    fake.stop(1);
    const producer = client.producer({ deliveryTimeoutMs: 5_000 });
    await expect(fake.run(producer.send(TOPIC, { value: 'v' }))).rejects.toMatchObject({ retriable: true });
    await later(fake, 2_001);
    expect(client.status).toBe('disconnected');
  });
});

describe('the network is back', () => {
  test('who waits to try again does so at once', async () => {
    const { fake, home } = start();
    for (let round = 0; round < 10; round++) {
      fake.down.add(1);
      const connecting = home.connect({ retryForMs: HOUR_MS });
      await later(fake, 15_000);
      fake.down.delete(1);
      const { nowMs } = fake.scheduler;
      home.wakeUp();
      await fake.run(connecting);
      expect(fake.scheduler.nowMs - nowMs).toBeLessThan(20);
    }
  });

  test('so does a producer, whose records are stored once', async () => {
    const { fake, home } = start();
    const client = await fake.run(home.connect());
    await fake.run(client.send(TOPIC, { value: 'known' }));
    for (let round = 0; round < 10; round++) {
      fake.stop(1);
      const sent = client.send(TOPIC, { value: 'v' });
      await later(fake, 15_000);
      fake.down.delete(1);
      const { nowMs } = fake.scheduler;
      home.wakeUp();
      await fake.run(sent);
      expect(fake.scheduler.nowMs - nowMs).toBeLessThan(30);
    }
    expect(fake.logs[0]?.endOffset).toBe(11);
  });

  test('a connection that died without a word is found out, and another one is made', async () => {
    let isSilent = false;
    const { fake, home } = start({ mishap: () => (isSilent ? 'silence' : undefined) });
    const client = await fake.run(home.connect());
    isSilent = true;
    home.wakeUp();
    await later(fake, 6_000);
    expect(client.status).not.toBe('connected');
    isSilent = false;
    await fake.run(client.send(TOPIC, { value: 'v' }));
    expect(client.status).toBe('connected');
  });

  test('one that waits for others to join a group is left alone', async () => {
    const fake = new FakeCluster({ mishap: (api) => (api === metadataApi ? 'silence' : undefined) });
    let wakeUp = () => {};
    const clock = new WakefulClock(fake.scheduler, (woke) => {
      wakeUp = woke;
      return () => {};
    });
    const cluster = clusterOf(fake, { clock });
    const exchange = await fake.run(cluster.anyBroker());
    const request = { topics: [] };
    const slow = exchange.request(metadataApi, { min: 1, max: 12 }, request, { timeoutMs: 65_000 });
    const lost = slow.catch((error: unknown) => error);
    await later(fake, 100);
    wakeUp();
    await later(fake, 60_000);
    expect(cluster.status).toBe('connected');
    expect(await fake.run(lost)).toBeInstanceOf(ConnectionLost);
    cluster.close();
  });

  test('one that lives stays', async () => {
    const { fake, home } = start();
    const client = await fake.run(home.connect());
    home.wakeUp();
    await later(fake, 60_000);
    expect(client.status).toBe('connected');
    expect(fake.asked.filter((name) => name === 'ApiVersions')).toHaveLength(2);
  });
});

describe('an hour asleep', () => {
  test.each([true, false])('a call that was being retried goes on (told: %s)', async (says) => {
    const { fake, home } = start();
    fake.down.add(1);
    const connecting = home.connect({ retryForMs: 30_000 });
    await later(fake, 10_000);
    await home.sleep(HOUR_MS, { says });
    await later(fake, 10_000);
    fake.down.delete(1);
    const client = await fake.run(connecting);
    expect(client.status).toBe('connected');
  });

  test('and its budget is bounded all the same', async () => {
    const { fake, home } = start();
    fake.down.add(1);
    const connecting = home.connect({ retryForMs: 30_000 }).catch((error: unknown) => error);
    await home.sleep(HOUR_MS);
    const { nowMs } = fake.scheduler;
    expect(await fake.run(connecting)).toBeInstanceOf(ConnectionLost);
    expect(fake.scheduler.nowMs - nowMs).toBeLessThan(31_000);
  });

  test('records that were under way are stored once; each knows', async () => {
    for (const says of [true, false]) {
      const { fake, home } = start();
      const client = await fake.run(home.connect());
      const producer = client.producer({ deliveryTimeoutMs: 2 * HOUR_MS });
      await fake.run(producer.send(TOPIC, { value: 'known' }));
      const sent = Array.from({ length: 5 }, (_, number) => producer.send(TOPIC, { value: `${number}` }));
      await Promise.resolve();
      const stopped = fake.scheduler.after(2, 'stop', () => fake.stop(1));
      await home.sleep(HOUR_MS, { says });
      stopped();
      fake.down.delete(1);
      const offsets = (await fake.run(Promise.all(sent))).map(({ offset }) => offset);
      expect(offsets).toEqual([1, 2, 3, 4, 5]);
      expect(fake.logs[0]?.endOffset).toBe(6);
    }
  });

  test('a record whose time was up meanwhile says so; the next one is written', async () => {
    const { fake, home } = start({
      mishap: (api) => (api === produceApi && fails() ? 'silence' : undefined),
    });
    let left = 1;
    const fails = () => left-- > 0;
    const client = await fake.run(home.connect());
    const sent = client.send(TOPIC, { value: 'unknown' }).catch((error: unknown) => error);
    await later(fake, 100);
    await home.sleep(HOUR_MS);
    expect(await fake.run(sent)).toMatchObject({ code: 'DELIVERY_TIMEOUT' });
    await expect(fake.run(client.send(TOPIC, { value: 'next' }))).resolves.toMatchObject({ partition: 0 });
  });
});

describe('who reads while the page sleeps', () => {
  const text = (value: Uint8Array | null) => new TextDecoder().decode(value ?? undefined);

  test.each([true, false])('reads on where it was, once and in order (the broker died: %s)', async (dies) => {
    const { fake, home } = start();
    const log = new FakeLogs(fake).log(0);
    log.append(['a', 'b']);
    const client = await fake.run(home.connect());
    const reader = client.read(TOPIC, { from: 'earliest' });
    const read: string[] = [];
    const reading = (async () => {
      for await (const { value } of reader) if (read.push(text(value)) === 5) return;
    })();
    await later(fake, 1_000);
    expect(read).toEqual(['a', 'b']);
    if (dies) fake.scheduler.after(1_000, 'stop', () => fake.stop(1));
    fake.scheduler.after(HOUR_MS / 2, 'write', () => log.append(['c', 'd', 'e']));
    await home.sleep(HOUR_MS);
    fake.down.delete(1);
    const { nowMs } = fake.scheduler;
    home.wakeUp();
    await fake.run(reading);
    expect(read).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(fake.scheduler.nowMs - nowMs).toBeLessThan(10_000);
    await fake.run(client.close());
  });

  test('a member of a group, which went on without it, joins again; nothing is lost', async () => {
    const { fake, home } = start();
    const logs = new FakeLogs(fake);
    const groups = new FakeGroups(fake);
    logs.log(0).append(['a', 'b']);
    const client = await fake.run(home.connect());
    const consumer = client.consumer({ group: 'billing', topics: [TOPIC], autoCommit: { intervalMs: 100 } });
    const handled: string[] = [];
    const running = consumer.run(({ value }) => void handled.push(text(value)));
    await later(fake, 5_000);
    expect(handled).toEqual(['a', 'b']);
    expect(groups.committed(TOPIC, 0)).toBe(2);
    fake.scheduler.after(HOUR_MS / 2, 'write', () => logs.log(0).append(['c', 'd']));
    await home.sleep(HOUR_MS);
    await later(fake, 30_000);
    expect(handled).toEqual(['a', 'b', 'c', 'd']);
    expect(consumer.status).toBe('running');
    expect(groups.committed(TOPIC, 0)).toBe(4);
    await fake.run(consumer.close());
    await running;
    await fake.run(client.close());
  });
});

describe('the clock', () => {
  test('listens while somebody does, and not after the client is closed', async () => {
    const { fake, home } = start();
    const client = await fake.run(home.connect());
    await fake.run(client.send(TOPIC, { value: 'v' }));
    expect(home.listeners).toBe(1);
    await fake.run(client.close());
    expect(home.listeners).toBe(0);
  });

  test('a deadline that is a minute late is no sleep: hidden pages run once a minute', () => {
    let nowMs = 0;
    const due: (() => void)[] = [];
    const at = (_: number, callback: () => void) => {
      due.push(callback);
      return () => {};
    };
    const clock = new WakefulClock({ now: () => nowMs, at });
    let woken = 0;
    clock.on(() => woken++);
    const meet = (atMs: number, lateMs: number) => {
      clock.at(atMs, () => {});
      nowMs = atMs + lateMs;
      due.pop()?.();
    };
    meet(1_000, 60_000);
    expect([woken, clock.lastAtMs]).toEqual([0, undefined]);
    meet(100_000, 100_000);
    expect([woken, clock.lastAtMs]).toEqual([1, 200_000]);
  });
});
