import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/hosts/sim/random.ts';
import type { Subscription } from '../../src/web/subscription.ts';
import { FakeCluster, type FakeOptions, type FakeRequest, MISHAPS, TOPIC } from '../client/fake-cluster.ts';
import { FakeLogs, type FakeLogsOptions } from '../client/fake-logs.ts';
import { Inbox } from './world.ts';
import { connectTo } from './virtual.ts';

/** What becomes of a subscription when brokers, leaders and logs are not what they were, in virtual time. */

function made(options: FakeOptions = {}, logOptions: FakeLogsOptions = {}) {
  const fake = new FakeCluster(options);
  const logs = new FakeLogs(fake, logOptions);
  const inbox = new Inbox();
  const seen: Subscription['status'][] = [];
  const subscribe = (from: 'earliest' | 'latest' = 'earliest') =>
    connectTo(fake).subscribe(TOPIC, inbox.take, { from, onStatus: (status) => seen.push(status) });
  /** Runs until it is so. */
  const until = async (isSo: () => boolean) => {
    for (let rounds = 0; !isSo(); rounds++) {
      if (rounds > 10_000) throw new Error(`it never is: ${isSo.toString()}`);
      await fake.run(fake.scheduler.sleep(50));
    }
  };
  const append = (values: readonly string[], partition = 0) => {
    for (const value of values) logs.log(partition).append([value]);
    logs.wake();
  };
  return { fake, logs, log: logs.log(), inbox, seen, subscribe, until, append };
}

test.each(Array.from({ length: 30 }, (_, seed) => seed))(
  'each record once, and in order (seed %i)',
  async (seed) => {
    const chance = new SeededRandom(2_000 + seed);
    const mishap = () => (chance.chance(0.1) ? MISHAPS[chance.int(MISHAPS.length)] : undefined);
    const { fake, logs, inbox, subscribe, until, append } = made(
      { seed, nodes: 3, partitions: 3, mishap },
      { flipRatio: 0.02 },
    );
    const stop = subscribe();
    for (let number = 0; number < 150; number++) {
      append([`${number}`], number % 3);
      if (chance.chance(0.1)) logs.moveLeader(chance.int(3));
      if (chance.chance(0.3)) await fake.run(fake.scheduler.sleep(chance.int(2_000)));
    }
    await until(() => inbox.records.length >= 150);
    for (const partition of [0, 1, 2])
      expect(inbox.texts(partition)).toEqual(
        Array.from({ length: 50 }, (_, index) => `${3 * index + partition}`),
      );
    stop();
  },
);

describe('a log', () => {
  test('that lost its end, and has other records there: they come too (KIP-595)', async () => {
    const { log, logs, inbox, subscribe, until, append } = made({ nodes: 2 });
    append(['a', 'b', 'c', 'd']);
    const stop = subscribe();
    await until(() => inbox.records.length === 4);
    log.truncate(2);
    logs.moveLeader(0);
    append(['x', 'y', 'z']);
    await until(() => inbox.records.length >= 7);
    expect(inbox.texts()).toEqual(['a', 'b', 'c', 'd', 'x', 'y', 'z']);
    expect(inbox.records.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 2, 3, 4]);
    stop();
  });

  test('that lost its end, and has nothing there yet', async () => {
    const { log, logs, inbox, subscribe, until, append } = made({ nodes: 2 });
    append(['a', 'b', 'c', 'd']);
    const stop = subscribe();
    await until(() => inbox.records.length === 4);
    log.truncate(2);
    logs.moveLeader(0);
    await until(() => stop.position?.[0] === 2);
    append(['x']);
    await until(() => inbox.records.length >= 5);
    expect(inbox.texts()).toEqual(['a', 'b', 'c', 'd', 'x']);
    stop();
  });

  test('whose records were deleted before they were read: it says which, and goes on', async () => {
    const { fake, log, inbox, seen, subscribe, until, append } = made();
    append(['a', 'b']);
    const stop = subscribe();
    await until(() => inbox.records.length === 2);
    fake.stop(1);
    append(['c', 'd', 'e', 'f']);
    log.trim(4);
    fake.down.delete(1);
    await until(() => inbox.records.length >= 4);
    expect(inbox.texts()).toEqual(['a', 'b', 'e', 'f']);
    const told = seen.find(({ state, error }) => state === 'reading' && error !== undefined);
    expect(told?.error).toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringContaining('orders-0: OFFSET_OUT_OF_RANGE (2 to 3 were deleted') as string,
    });
    expect(stop.status.state).toBe('live');
    stop();
  });

  test('whose records were deleted while the page was away: it says which', async () => {
    const { fake, log, inbox, seen, until, append } = made();
    append(['a', 'b', 'c', 'd']);
    log.trim(3);
    const stop = connectTo(fake).subscribe(TOPIC, inbox.take, {
      from: { 0: 1 },
      onStatus: (status) => seen.push(status),
    });
    await until(() => inbox.records.length === 1);
    expect(inbox.texts()).toEqual(['d']);
    expect(seen.map(({ error }) => error?.message)).toContain(
      'orders-0: OFFSET_OUT_OF_RANGE (1 to 2 were deleted before they were read)',
    );
    stop();
  });

  test('with damage that stays: it has failed, and says where', async () => {
    const { inbox, seen, subscribe, until, append } = made({}, { flipRatio: 1 });
    append(['a']);
    subscribe();
    await until(() => seen.at(-1)?.state === 'failed');
    expect(seen.at(-1)?.error).toMatchObject({ code: expect.stringMatching(/CORRUPT|FORMAT/) as string });
    expect(seen.at(-1)?.error?.message).toContain('orders-0');
    expect(inbox.records).toEqual([]);
  });

  test('with damage on the way: it is asked again', async () => {
    const options = { flipRatio: 1 };
    const { inbox, seen, subscribe, until, append } = made({ seed: 3 }, options);
    append(['a']);
    const stop = subscribe();
    await until(() => seen.some(({ error }) => error?.code === 'CORRUPT_MESSAGE'));
    options.flipRatio = 0;
    await until(() => inbox.records.length === 1);
    expect(stop.status.state).toBe('live');
    stop();
  });
});

describe('a topic', () => {
  test('made again, with more records than were read: all of the new one', async () => {
    const { logs, inbox, subscribe, until, append } = made();
    append(['a', 'b']);
    const stop = subscribe('latest');
    await until(() => stop.status.state === 'live');
    append(['c']);
    await until(() => inbox.records.length === 1);
    logs.remake('AAAAAAAAAAAAAAAAAAAABg');
    append(['v', 'w', 'x', 'y', 'z']);
    await until(() => inbox.records.length >= 6);
    expect(inbox.texts()).toEqual(['c', 'v', 'w', 'x', 'y', 'z']);
    stop();
  });

  test('that gets another partition: it is read from its start, within minutes', async () => {
    const { fake, logs, inbox, subscribe, until, append } = made();
    const stop = subscribe('latest');
    await until(() => stop.status.state === 'live');
    fake.leaders.push({ id: 1, epoch: 0 });
    logs.grow();
    append(['first', 'second'], 1);
    await until(() => inbox.records.length === 2);
    expect(inbox.texts(1)).toEqual(['first', 'second']);
    expect(stop.position).toEqual({ 0: 0, 1: 2 });
    stop();
  });

  test('of which a broker is down: what others lead comes, and that once it is back', async () => {
    const { fake, inbox, seen, subscribe, until, append } = made({ nodes: 2, partitions: 2 });
    append(['a'], 0);
    append(['b'], 1);
    fake.down.add(2);
    const stop = subscribe();
    await until(() => inbox.texts(0).length === 1);
    for (let number = 0; number < 20; number++) {
      append([`${number}`], 0);
      await fake.run(fake.scheduler.sleep(1_000));
    }
    await until(() => inbox.texts(0).length === 21);
    expect(seen.at(-1)).toMatchObject({ state: 'retrying', error: { retriable: true } });
    expect(stop.position).toBeUndefined();
    fake.down.delete(2);
    await until(() => inbox.texts(1).length === 1 && stop.status.state === 'live');
    expect(new Set(inbox.records.map(({ partition, offset }) => `${partition}@${offset}`)).size).toBe(22);
    stop();
  });
});

test('a broker whose Fetch is too old: failed, and told so', async () => {
  const { seen, subscribe, until } = made({}, { fetchMax: 12 });
  subscribe();
  await until(() => seen.at(-1)?.state === 'failed');
  expect(seen.at(-1)?.error).toMatchObject({
    code: 'UNSUPPORTED_VERSION',
    retriable: false,
    message: expect.stringContaining('Fetch 13 is needed') as string,
    hint: expect.stringContaining('too old') as string,
  });
});

test('a broker that cuts what is large, for ever: failed, not asked for ever', async () => {
  const { log, logs, seen, subscribe, until } = made({}, { cuts: true });
  log.append([{ value: new Uint8Array(1_500_000), timestamp: 0 }]);
  subscribe();
  await until(() => seen.at(-1)?.state === 'failed');
  expect(seen.at(-1)?.error).toMatchObject({ code: 'CORRUPT_MESSAGE' });
  expect(logs.fetches.length).toBeLessThan(10);
});

test('a broker that never waits is asked a few times a second', async () => {
  const fake = new FakeCluster();
  class Hasty extends FakeLogs {
    override answer(request: FakeRequest, reply: (body: unknown) => void): void {
      super.answer({ ...request, body: { ...(request.body as object), maxWaitMs: 0 } }, reply);
    }
  }
  const logs = new Hasty(fake);
  const inbox = new Inbox();
  const stop = connectTo(fake).subscribe(TOPIC, inbox.take);
  await fake.run(fake.scheduler.sleep(60_000));
  expect(logs.fetches.length).toBeGreaterThan(60);
  expect(logs.fetches.length).toBeLessThan(2_000);
  logs.log().append(['a']);
  await fake.run(fake.scheduler.sleep(1_000));
  expect(inbox.texts()).toEqual(['a']);
  stop();
});

test('partitions take turns: one that is never empty does not hold up the others', async () => {
  const { logs, inbox, subscribe, until } = made({ partitions: 3 });
  for (const partition of [0, 1, 2])
    for (let number = 0; number < 8; number++)
      logs.log(partition).append([{ value: new Uint8Array(600_000), timestamp: 0 }]);
  const stop = subscribe();
  await until(() => inbox.records.length === 24);
  const firsts = inbox.records.slice(0, 6).map(({ partition }) => partition);
  expect(new Set(firsts).size).toBe(3);
  stop();
});
