import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import type { Latest } from '../../../src/client/latest.ts';
import { serde } from '../../../src/client/topics/serde.ts';
import { topic } from '../../../src/client/topics/topic.ts';
import { ErrorCode } from '../../../src/model/errors.ts';
import { type RawClient, TestBroker } from '../../gateway/harness.ts';
import { clientOf } from '../fake-client.ts';
import { FakeCluster, TOPIC } from '../fake-cluster.ts';
import { FakeLogs } from '../fake-logs.ts';
import { WAYS } from '../ways.ts';

/** The newest record of each key, as a map that follows its topic. */

let server: TestBroker;
let raw: RawClient;
beforeAll(async () => {
  server = await TestBroker.start({ httpPort: 0 });
  raw = await server.client();
});
afterAll(() => server.close());

const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : String(Buffer.from(bytes)));
const contentOf = (latest: Latest) =>
  new Map(Array.from(latest, ([key, record]) => [textOf(key), textOf(record.value)]));

describe.each(Object.entries(WAYS))('over %s', (_, connect) => {
  let client: Client;
  beforeAll(async () => {
    client = await connect(server.broker);
  });
  afterAll(() => client.close());

  test('what is there, and then what comes', async () => {
    const { name } = await server.topic(raw, { partitions: 3 });
    const send = (key: string, value: string | null) => client.send(name, { key, value });
    for (const [key, value] of [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
      ['c', '1'],
      ['c', null],
    ] as const)
      await send(key, value);
    await client.send(name, { value: 'no key' });
    await using latest = await client.latest(name);
    expect(contentOf(latest)).toEqual(
      new Map([
        ['a', '2'],
        ['b', '1'],
      ]),
    );
    expect(latest.size).toBe(2);
    expect(latest.has('c')).toBe(false);
    expect(textOf(latest.get(Buffer.from('a'))?.value ?? null)).toBe('2');
    const changes = latest.changes();
    const first = changes.next();
    await send('d', '1');
    expect(textOf((await first).value?.value ?? null)).toBe('1');
    expect(latest.get('d')?.topic).toBe(name);
    const second = changes.next();
    await send('a', null);
    expect((await second).value?.value).toBeNull();
    expect(new Set([...latest.keys()].map(textOf))).toEqual(new Set(['b', 'd']));
    latest.close();
    expect(await changes.next()).toEqual({ done: true, value: undefined });
    await latest.closed;
  });

  test('a topic with types; a tombstone needs no valid value', async () => {
    const { name } = await server.topic(raw);
    const prices = topic(name, { key: serde.string, value: serde.json<{ eur: number }>() });
    await client.send(prices, [
      { key: 'x', value: { eur: 1 } },
      { key: 'y', value: { eur: 2 } },
      { key: 'x', value: { eur: 3 } },
    ]);
    await client.send(name, { key: 'y', value: null });
    const latest = await client.latest(prices, { live: false });
    await latest.closed;
    expectTypeOf(latest.get('x')?.value).toEqualTypeOf<{ eur: number } | undefined>();
    expect([...latest].map(([key, { value, offset }]) => [key, value.eur, offset])).toEqual([['x', 3, 2]]);
  });
});

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
