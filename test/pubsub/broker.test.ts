import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { publish, subscribe } from '../../src/web/index.ts';
import { batch, produce, type RawClient, TestBroker } from '../gateway/harness.ts';
import { doorOf, Inbox, Page, States } from './world.ts';

/** A real broker over a real WebSocket. */

let server: TestBroker;
let raw: RawClient;
let door: string;
let host: string;
beforeAll(async () => {
  server = await TestBroker.start({ httpPort: 0 });
  raw = await server.client();
  const { http = { host: '', port: 0 } } = server.broker;
  door = doorOf(http);
  host = door.replace('/kafka', '');
});
afterAll(() => server.close());

/** Something that answers each request with these bytes. */
function saying(answer: (correlationId: number) => number[]): Transport {
  return {
    open: async (_, events) => ({
      write(bytes) {
        const id = new DataView(bytes.buffer, bytes.byteOffset).getInt32(8);
        queueMicrotask(() => events.received(Uint8Array.from(answer(id))));
        return true;
      },
      close: () => events.closed('closed here'),
    }),
  };
}

/** A broker before flexible versions: it answers in the oldest. */
const old = (id: number) => [0, 0, 0, 10, 0, 0, 0, id, 0, ErrorCode.UNSUPPORTED_VERSION, 0, 0, 0, 0];

test('five lines: what there was, then what is published', async () => {
  const { name } = await server.topic(raw);
  const orders = `${host}/t/${name}`;
  await publish(orders, [{ value: 'old' }, { value: 'older than now' }]);
  const inbox = new Inbox();
  const states = new States();
  const stop = subscribe(`${orders}?from=-1`, inbox.take, { onStatus: states.tell });
  await states.until('live');
  const where = await publish(orders, { key: 'c17', value: { eur: 5 }, headers: { trace: 'x' } });
  expect(where).toEqual({ partition: 0, offset: 2, timestamp: expect.any(Number) as number });
  const [first, second] = await inbox.count(2);
  stop();
  expect(first).toMatchObject({ offset: 1, key: null });
  expect(first?.text()).toBe('older than now');
  expect(second).toMatchObject({ ...where, topic: name, key: 'c17' });
  expect(second?.json()).toEqual({ eur: 5 });
  expect(second?.headers).toEqual([{ key: 'trace', value: new TextEncoder().encode('x') }]);
  expect(stop.status.state).toBe('stopped');
});

test.each([
  [{ value: null }, null],
  [{ value: '' }, ''],
  [{ value: 'é' }, 'é'],
  [{ value: new TextEncoder().encode('bytes') }, 'bytes'],
  [{ value: 5 }, '5'],
  [{ value: false }, 'false'],
  [{ value: [1, { a: null }] }, '[1,{"a":null}]'],
  [{}, null],
])('the value %j', async (record, text) => {
  const { name } = await server.topic(raw);
  await publish(`${host}/t/${name}`, record);
  for await (const read of subscribe(door, { topic: name, from: 'earliest' })) {
    expect(read.text()).toBe(text);
    break;
  }
});

test('all partitions; the records of a key keep their order, and so do those of a page without one', async () => {
  const { name } = await server.topic(raw, { partitions: 5 });
  const page = new Page();
  await using connection = page.connect(door);
  const inbox = new Inbox();
  connection.subscribe(name, inbox.take, { from: 'earliest' });
  const published: Promise<unknown>[] = [];
  for (let number = 0; number < 500; number++)
    published.push(
      connection.publish(name, { key: number % 3 === 0 ? null : `k${number % 7}`, value: number }),
    );
  await Promise.all(published);
  const records = await inbox.count(500);
  const keys = new Map<string | null, number[]>();
  for (const record of records)
    keys.set(record.key, [...(keys.get(record.key) ?? []), record.json<number>()]);
  for (const numbers of keys.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(new Set(records.filter(({ key }) => key === null).map(({ partition }) => partition)).size).toBe(1);
  expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(1);
  expect(records.map((record) => record.json<number>()).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 500 }, (_, number) => number),
  );
});

describe('from where', () => {
  const topic = async () => {
    const made = await server.topic(raw);
    const times = Array.from({ length: 20 }, (_, number) => ({
      value: `${number}`,
      timestamp: 1_000 * number,
    }));
    await produce(raw, made, batch(times.slice(0, 10)));
    await produce(raw, made, batch(times.slice(10)));
    return made.name;
  };
  test.each([
    ['earliest', '0'],
    [-5, '15'],
    [-100, '0'],
    [13, '13'],
    [{ time: 7_000 }, '7'],
    [{ time: '1970-01-01T00:00:12Z' }, '12'],
    [{ 0: 9 }, '9'],
    [{}, '0'],
  ] as const)('%j', async (from, first) => {
    const name = await topic();
    for await (const record of subscribe(door, { topic: name, from })) {
      expect(record.text()).toBe(first);
      break;
    }
  });

  test.each(['latest', 5_000, { time: '-1s' }] as const)('%j: only what comes', async (from) => {
    const name = await topic();
    const states = new States();
    const inbox = new Inbox();
    const stop = subscribe(door, inbox.take, { topic: name, from, onStatus: states.tell });
    await states.until('live');
    await publish(`${host}/t/${name}`, { value: 'new' });
    await inbox.count(1);
    stop();
    expect(inbox.texts()).toEqual(['new']);
    expect(states.seen).toEqual(['live', 'stopped']);
  });

  test('a position, as it was when a page went away', async () => {
    const name = await topic();
    const before = new Inbox();
    const first = subscribe(
      door,
      (record) => {
        before.take(record);
        if (record.offset === 6) first();
      },
      { topic: name, from: 'earliest' },
    );
    await before.count(7);
    const inbox = new Inbox();
    const position = JSON.parse(JSON.stringify({ ...first.position, 0: 7 })) as Record<number, number>;
    const second = subscribe(door, inbox.take, { topic: name, from: position });
    await inbox.count(13);
    second();
    expect([...before.texts(), ...inbox.texts()]).toEqual(Array.from({ length: 20 }, (_, at) => `${at}`));
  });
});

describe('a handler', () => {
  test('gets one record at a time, and the next when its promise is settled', async () => {
    const { name } = await server.topic(raw, { partitions: 3 });
    await using connection = new Page().connect(door);
    for (let partition = 0; partition < 3; partition++)
      await connection.publish(
        name,
        Array.from({ length: 5 }, () => ({ value: 'x', partition })),
      );
    let atWork = 0;
    let most = 0;
    const inbox = new Inbox();
    connection.subscribe(
      name,
      async (record) => {
        most = Math.max(most, ++atWork);
        await new Promise((resolve) => setImmediate(resolve));
        atWork--;
        inbox.take(record);
      },
      { from: 'earliest' },
    );
    await inbox.count(15);
    expect(most).toBe(1);
  });

  test('that throws, or rejects, is reported, and the next record comes', async () => {
    const { name } = await server.topic(raw);
    const page = new Page();
    await using connection = page.connect(door);
    await connection.publish(name, [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
    const inbox = new Inbox();
    connection.subscribe(
      name,
      (record) => {
        inbox.take(record);
        if (record.text() === 'a') throw new Error('thrown');
        return record.text() === 'b' ? Promise.reject(new Error('rejected')) : undefined;
      },
      {
        from: 'earliest',
        onStatus() {
          throw new Error('status');
        },
      },
    );
    await inbox.count(3);
    expect(page.reported.map((error) => (error as Error).message)).toEqual(
      expect.arrayContaining(['thrown', 'rejected', 'status']),
    );
  });

  test('nothing comes after it was stopped, by a call, a signal or `using`; nothing listens any longer', async () => {
    const { name } = await server.topic(raw);
    const page = new Page();
    await using connection = page.connect(door);
    await connection.publish(
      name,
      Array.from({ length: 50 }, () => ({ value: 'x' })),
    );
    const listening = page.listeners;
    const inbox = new Inbox();
    const stop = connection.subscribe(name, inbox.take, { from: 'earliest' });
    const controller = new AbortController();
    const signalled = connection.subscribe(
      name,
      (record) => {
        inbox.take(record);
        controller.abort();
      },
      { from: 'earliest', signal: controller.signal },
    );
    await inbox.count(51);
    stop();
    stop();
    {
      using own = connection.subscribe(name, inbox.take, { from: 'earliest' });
      expect(own.status.state).toBe('connecting');
    }
    await connection.publish(name, { value: 'late' });
    expect(inbox.records).toHaveLength(51);
    expect([stop.status.state, signalled.status.state]).toEqual(['stopped', 'stopped']);
    expect(page.listeners).toBe(listening);
    expect(() => connection.subscribe(name, { signal: controller.signal })).toThrow(
      controller.signal.reason as Error,
    );
  });
});

describe('a loop', () => {
  test('asks for the next record when it is done with the last; leaving it stops', async () => {
    const { name } = await server.topic(raw);
    await publish(
      `${host}/t/${name}`,
      Array.from({ length: 10 }, (_, number) => ({ value: number })),
    );
    const subscription = subscribe(door, { topic: name, from: 'earliest' });
    const read: number[] = [];
    for await (const record of subscription) {
      read.push(record.json<number>());
      expect(subscription.position?.[0] ?? 0).toBeLessThanOrEqual(record.offset);
      if (read.length === 4) break;
    }
    expect(read).toEqual([0, 1, 2, 3]);
    expect(subscription.status.state).toBe('stopped');
  });

  test('throws what a signal says, and why a subscription failed', async () => {
    const { name } = await server.topic(raw);
    const controller = new AbortController();
    const read = (async () => {
      for await (const record of subscribe(door, { topic: name, signal: controller.signal })) void record;
    })();
    controller.abort(new Error('enough'));
    await expect(read).rejects.toThrow('enough');
    await using connection = new Page().connect('ws://old:1', { transport: saying(old) });
    const failing = (async () => {
      for await (const record of connection.subscribe(name)) void record;
    })();
    await expect(failing).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION', retriable: false });
    const misnamed = (async () => {
      for await (const record of subscribe(door, { topic: 'no such name!' })) void record;
    })();
    await expect(misnamed).rejects.toMatchObject({
      code: 'INVALID_TOPIC_EXCEPTION',
      hint: expect.stringContaining('249') as string,
    });
    const stopped = subscribe(door, { topic: name });
    stopped();
    for await (const record of stopped) expect(record).toBeUndefined();
  });
});

describe('topics', () => {
  test('that are not there yet: all that they will hold', async () => {
    const states = new States();
    const inbox = new Inbox();
    const page = new Page();
    await using connection = page.connect(door);
    connection.subscribe('made-later', inbox.take, { onStatus: states.tell });
    await states.until('retrying');
    await connection.publish('made-later', [{ value: 'first' }, { value: 'second' }]);
    await inbox.count(2);
    await states.until('live');
    expect(inbox.texts()).toEqual(['first', 'second']);
  });

  test('deleted and made again, with fewer records: all of the new one', async () => {
    const topic = await server.topic(raw);
    const states = new States();
    const inbox = new Inbox();
    const page = new Page();
    await using connection = page.connect(door);
    const subscription = connection.subscribe(topic.name, inbox.take, { onStatus: states.tell });
    await states.until('live');
    await produce(raw, topic, batch(['a', 'b', 'c', 'd']));
    await inbox.count(4);
    await server.deleteTopic(raw, topic);
    await states.until('retrying');
    const again = await server.topic(raw, { name: topic.name });
    await produce(raw, again, batch(['e', 'f']));
    await inbox.count(6);
    expect(inbox.texts()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(subscription.position).toEqual({ 0: 2 });
  });
});

describe('what a broker refuses', () => {
  test('a record that is too large: it alone, and those around it are there', async () => {
    const { name } = await server.topic(raw, { configs: { 'max.message.bytes': '5000' } });
    await using connection = new Page().connect(door);
    const sizes = [10, 2_000, 2_000, 2_000, 9_000, 10, 10];
    const told = await Promise.allSettled(
      sizes.map((size, number) => connection.publish(name, { key: `${number}`, value: 'x'.repeat(size) })),
    );
    expect(told.map(({ status }) => status)).toEqual(
      sizes.map((size) => (size > 5_000 ? 'rejected' : 'fulfilled')),
    );
    expect(told[4]).toMatchObject({
      reason: { code: 'MESSAGE_TOO_LARGE', hint: expect.stringContaining('max.message.bytes') as string },
    });
    const inbox = new Inbox();
    connection.subscribe(name, inbox.take, { from: 'earliest' });
    await inbox.count(6);
    expect(inbox.records.map(({ key }) => key)).toEqual(['0', '1', '2', '3', '5', '6']);
    expect(connection.pendingBytes).toBe(0);
  });

  test('a record without a key on a compacted topic; a partition that is not there', async () => {
    const { name } = await server.topic(raw, { configs: { 'cleanup.policy': 'compact' } });
    await using connection = new Page().connect(door);
    const told = await Promise.allSettled([
      connection.publish(name, { key: 'a', value: 1 }),
      connection.publish(name, { value: 2 }),
      connection.publish(name, { key: 'b', value: 3 }),
      connection.publish(name, { key: 'b', value: 4, partition: 7 }),
    ]);
    expect(told).toMatchObject([
      { value: { offset: 0 } },
      { reason: { code: 'INVALID_RECORD', hint: expect.stringContaining('key') as string } },
      { value: { offset: 1 } },
      { reason: { code: 'INVALID_ARGUMENT' } },
    ]);
  });

  test('more than may wait', async () => {
    await using connection = new Page().connect(door, { maxBufferedBytes: 1_000 });
    const { name } = await server.topic(raw);
    const first = connection.publish(name, { value: 'x'.repeat(900) });
    await expect(connection.publish(name, { value: 'x'.repeat(200) })).rejects.toMatchObject({
      code: 'BUFFER_FULL',
      retriable: true,
      hint: expect.stringContaining('maxBufferedBytes') as string,
    });
    await first;
    await connection.publish(name, { value: 'x'.repeat(200) });
  });
});

test('a broker that is no Kafka broker, or too old, is named', async () => {
  const page = new Page();
  await using connection = page.connect('ws://old:1', { transport: saying(old) });
  await expect(connection.publish('orders', { value: 1 })).rejects.toMatchObject({
    code: 'UNSUPPORTED_VERSION',
    retriable: false,
    message: expect.stringMatching(/old:1.*12 is needed.*none/) as string,
  });
  const states = new States();
  await using other = page.connect('ws://other:1', { transport: saying(() => [72, 84, 84, 80, 47, 49]) });
  const subscription = other.subscribe('orders', () => {}, { onStatus: states.tell });
  await states.until('retrying');
  expect(subscription.status.error).toMatchObject({
    code: 'CONNECTION_LOST',
    message: expect.stringContaining('no Kafka broker') as string,
  });
});
