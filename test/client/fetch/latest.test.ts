import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../src/model/errors.ts';
import { clientOf } from '../fake-client.ts';
import { FakeCluster, TOPIC } from '../fake-cluster.ts';
import { FakeLogs } from '../fake-logs.ts';
import { latestOf } from '../suite/latest.ts';
import { overEachWay, textOf } from '../suite/reach.ts';

/** The newest record of each key, as a map that follows its topic. */

overEachWay(latestOf);

describe('in virtual time', () => {
  function made() {
    const fake = new FakeCluster({ partitions: 2 });
    const logs = new FakeLogs(fake);
    const put = (key: string, value: string | null) => {
      logs.log(key.length % 2).append([{ key, value, timestamp: 0 }]);
      logs.wake();
    };
    return { fake, logs, put, client: clientOf(fake, 30_000) };
  }

  test('who is slow sees the newest of each key, not those between', async () => {
    const { fake, put, client } = made();
    const latest = await fake.run(client.latest(TOPIC));
    const changes = latest.changes();
    const first = changes.next();
    put('k', '0');
    await fake.run(first);
    for (let number = 1; number < 50; number++) put(number % 2 === 0 ? 'k' : 'l', String(number));
    await fake.run(fake.scheduler.sleep(5_000));
    const seen: (string | null)[] = [];
    for (let left = 2; left > 0; left--) {
      const { value } = await fake.run(changes.next());
      seen.push(textOf(value?.value ?? null));
    }
    expect(seen).toEqual(['48', '49']);
    await fake.run(client.close());
    expect(await changes.next()).toEqual({ done: true, value: undefined });
  });

  test('nothing is missed between what is there and what comes', async () => {
    const { fake, put, client } = made();
    let number = 0;
    const write = () => {
      put(`key ${number % 7}`.padEnd(6 + (number % 2)), String(number));
      if (++number < 300) fake.scheduler.after(fake.random.between(0, 20), 'write', write);
    };
    write();
    await fake.run(fake.scheduler.sleep(1_000));
    const latest = await fake.run(client.latest(TOPIC));
    await fake.run(fake.scheduler.sleep(10_000));
    const values = Array.from(latest.values(), ({ value }) => Number(textOf(value)));
    expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 14 }, (_, at) => 286 + at));
    await fake.run(client.close());
  });

  test('a topic that cannot be followed any more: changes throw, and the map stays', async () => {
    const { fake, logs, put, client } = made();
    put('k', '0');
    const latest = await fake.run(client.latest(TOPIC));
    logs.options.refuse = () => ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    logs.wake();
    const failed = { code: 'TOPIC_AUTHORIZATION_FAILED' };
    await expect(fake.run(latest.changes().next())).rejects.toMatchObject(failed);
    await expect(latest.closed).rejects.toMatchObject(failed);
    expect(latest.size).toBe(1);
    await fake.run(client.close());
  });

  test('a record keeps nothing but itself in memory', async () => {
    const { fake, logs, client } = made();
    const records = Array.from({ length: 100 }, (_, at) => ({
      key: `k${at}`,
      value: 'v'.repeat(1_000),
      headers: [{ key: 'h', value: String(at) }],
      timestamp: 1_000 + at,
    }));
    logs.log().append(records);
    const latest = await fake.run(client.latest(TOPIC));
    for (const [at, record] of [...latest.values()].entries()) {
      expect(record.value?.buffer.byteLength).toBeLessThan(1_200);
      expect([textOf(record.key), record.offset, record.timestamp, record.value?.length]).toEqual([
        `k${at}`,
        at,
        1_000 + at,
        1_000,
      ]);
      expect(record.headers.map(({ key, value }) => [key, textOf(value)])).toEqual([['h', String(at)]]);
    }
    await fake.run(client.close());
  });

  test('the signal ends loading', async () => {
    const { fake, client } = made();
    const abort = new AbortController();
    const loading = client.latest(TOPIC, { signal: abort.signal });
    loading.catch(() => {});
    abort.abort(new Error('enough'));
    await expect(fake.run(loading)).rejects.toThrow('enough');
  });
});
