import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import type { ConsumerRecord } from '../../../src/client/fetch/consumer-record.ts';
import { type RawClient, TestBroker } from '../../gateway/harness.ts';
import { WAYS } from '../ways.ts';

/** A reader and a real broker, over every way there is. */

let server: TestBroker;
let raw: RawClient;
beforeAll(async () => {
  server = await TestBroker.start({ httpPort: 0 });
  raw = await server.client();
});
afterAll(() => server.close());

const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : String(Buffer.from(bytes)));
async function all<T, U>(from: AsyncIterable<T>, use: (one: T) => U): Promise<U[]> {
  const made: U[] = [];
  for await (const one of from) made.push(use(one));
  return made;
}

const plain = (record: ConsumerRecord) => ({
  topic: record.topic,
  partition: record.partition,
  offset: record.offset,
  timestamp: record.timestamp,
  key: textOf(record.key),
  value: textOf(record.value),
  headers: record.headers.map(({ key, value }) => [key, textOf(value)]),
});

describe.each(Object.entries(WAYS))('over %s', (_, connect) => {
  let client: Client;
  beforeAll(async () => {
    client = await connect(server.broker);
  });
  afterAll(() => client.close());

  /** A topic with these values, dealt to its partitions in turn. */
  async function written(values: readonly string[], partitions = 1): Promise<string> {
    const { name } = await server.topic(raw, { partitions });
    for (const [at, value] of values.entries())
      await client.send(name, { value, partition: at % partitions });
    return name;
  }

  test('all that is there, as it was written', async () => {
    const topic = await written([]);
    await client.send(topic, [
      { key: 'a', value: 'one', timestamp: 1_700_000_000_000, headers: { h: 'x', none: null } },
      { key: null, value: null, timestamp: 1_700_000_000_001 },
      { key: '', value: '', timestamp: 1_700_000_000_002 },
    ]);
    const read = await all(client.read(topic, { live: false }), plain);
    expect(read).toEqual([
      {
        topic,
        partition: 0,
        offset: 0,
        timestamp: 1_700_000_000_000,
        key: 'a',
        value: 'one',
        headers: [
          ['h', 'x'],
          ['none', null],
        ],
      },
      { topic, partition: 0, offset: 1, timestamp: 1_700_000_000_001, key: null, value: null, headers: [] },
      { topic, partition: 0, offset: 2, timestamp: 1_700_000_000_002, key: '', value: '', headers: [] },
    ]);
  });

  test('what is written later, until the loop is left', async () => {
    const topic = await written(['0']);
    const seen: (string | null)[] = [];
    for await (const { value } of client.read(topic)) {
      seen.push(textOf(value));
      if (seen.length === 3) break;
      await client.send(topic, { value: String(seen.length) });
    }
    expect(seen).toEqual(['0', '1', '2']);
  });
});
