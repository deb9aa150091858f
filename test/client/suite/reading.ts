import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { MilenaError } from '../../../src/client/errors.ts';
import type { ConsumerRecord } from '../../../src/client/fetch/consumer-record.ts';
import type { ReadOptions } from '../../../src/client/read.ts';
import { serde } from '../../../src/client/topics/serde.ts';
import { topic } from '../../../src/client/topics/topic.ts';
import { CODEC, type CodecName } from '../../../src/records/codecs.ts';
import { newTopic, suite, textOf, useClient } from './reach.ts';

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

/** What `read` promises. */
export const reading = suite('reading', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made));

  /** A topic with these values, dealt to its partitions in turn. */
  async function written(values: readonly string[], partitions = 1): Promise<string> {
    const { name } = await newTopic(reach, client, { partitions });
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

  test('partitions that somebody else has added since are read, too', async () => {
    const name = await written(['a', 'b'], 2);
    expect(await all(client.read(name, { live: false }), plain)).toHaveLength(2);
    await using other = await reach.connect();
    await other.admin.topics.createPartitions(name, 3);
    await other.send(name, { value: 'c', partition: 2 });
    const values = await all(client.read(name, { live: false }), ({ value }) => textOf(value));
    expect(new Set(values)).toEqual(new Set(['a', 'b', 'c']));
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

  const valuesOf = (topic: string, options: ReadOptions) =>
    all(client.read(topic, { live: false, ...options }), ({ value }) => textOf(value));

  test('from and to: offsets, times, from the end', async () => {
    const { name: topic } = await newTopic(reach, client, { partitions: 1 });
    const nowMs = Date.now();
    for (const [at, agoMs] of [7_200_000, 3_000_000, 60_000, 1_000].entries())
      await client.send(topic, { value: String(at), timestamp: nowMs - agoMs });
    expect(await valuesOf(topic, { from: 'latest' })).toEqual([]);
    expect(await valuesOf(topic, { from: 2 })).toEqual(['2', '3']);
    expect(await valuesOf(topic, { from: { offset: 1 }, to: 3 })).toEqual(['1', '2']);
    expect(await valuesOf(topic, { from: -1 })).toEqual(['3']);
    expect(await valuesOf(topic, { from: -100, to: -2 })).toEqual(['0', '1']);
    expect(await valuesOf(topic, { from: '-1h' })).toEqual(['1', '2', '3']);
    expect(await valuesOf(topic, { from: { time: new Date(nowMs - 60_000) } })).toEqual(['2', '3']);
    expect(await valuesOf(topic, { from: { time: '-1.5h' }, to: '-30s' })).toEqual(['1', '2']);
    expect(await valuesOf(topic, { from: { time: nowMs + 60_000 } })).toEqual([]);
    // Beyond the end: what is there, and with `live` what comes.
    expect(await valuesOf(topic, { to: 100 })).toEqual(['0', '1', '2', '3']);
    const later = all(client.read(topic, { from: 3, to: 5 }), ({ offset }) => offset);
    await client.send(topic, { value: '4' });
    expect(await later).toEqual([3, 4]);
  });

  test('several topics and partitions, each in order', async () => {
    const values = Array.from({ length: 60 }, (_, number) => String(number));
    const topics = [await written(values, 3), await written(values, 2)];
    const seen = new Map<string, number[]>();
    for await (const { topic, partition, value } of client.read(topics, { live: false })) {
      const key = `${topics.indexOf(topic)}/${partition}`;
      seen.set(key, [...(seen.get(key) ?? []), Number(textOf(value))]);
    }
    expect([...seen.keys()].toSorted()).toEqual(['0/0', '0/1', '0/2', '1/0', '1/1']);
    for (const [key, numbers] of seen) {
      const partitions = key.startsWith('0') ? 3 : 2;
      const first = Number(key.slice(-1));
      expect(numbers).toEqual(values.map(Number).filter((number) => number % partitions === first));
    }
    expect(await valuesOf(topics[0] ?? '', { partitions: [2] })).toHaveLength(20);
  });

  test.each(Object.keys(CODEC) as CodecName[])('compressed with %s', async (compression) => {
    const { name: topic } = await newTopic(reach, client);
    await using producer = client.producer({ compression, batchBytes: 4_000 });
    const values = Array.from({ length: 500 }, (_, number) => `${number}`.padEnd(100, '.'));
    await producer.send(
      topic,
      values.map((value) => ({ value })),
    );
    expect(await valuesOf(topic, {})).toEqual(values);
    expect(await valuesOf(topic, { from: 123, to: 125 })).toEqual(values.slice(123, 125));
  });

  test('by batches', async () => {
    const topic = await written(['a', 'b']);
    const seen: string[] = [];
    for await (const batch of client.read(topic, { live: false }).batches()) {
      expect(batch).toMatchObject({ topic, partition: 0, length: 1 });
      for (const record of batch) seen.push(`${record.offset} ${textOf(record.value)}`);
      expect(batch.at(0).offset).toBe(batch.nextOffset - 1);
    }
    expect(seen).toEqual(['0 a', '1 b']);
  });

  describe('memory that records came in is used again', () => {
    const value = (number: number) => `${number}`.padEnd(1_000, String.fromCharCode(97 + (number % 26)));
    const expected = Array.from({ length: 12 }, (_, at) => value(at * 1_000));
    const options = { live: false, maxBufferedBytes: 2_000_000 };
    let topic: string;

    beforeEach(async () => {
      topic = await written([]);
      await using producer = client.producer();
      for (let number = 0; number < 12_000; number++) await producer.write(topic, { value: value(number) });
    });

    test('by batches: a record that is kept stays', async () => {
      const kept: ConsumerRecord[] = [];
      let next = 0;
      for await (const batch of client.read(topic, options).batches()) {
        for (const record of batch) {
          if (textOf(record.value) !== value(next++))
            throw new Error(`${record.offset} is not as it was written`);
          if (record.offset % 1_000 === 0) kept.push(record.kept());
        }
      }
      expect(next).toBe(12_000);
      expect(kept.map((record) => textOf(record.value))).toEqual(expected);
    });

    test('one by one: each record stays', async () => {
      const every: ConsumerRecord[] = [];
      for await (const record of client.read(topic, options)) every.push(record);
      expect(every).toHaveLength(12_000);
      const wrong = every.filter((record, number) => textOf(record.value) !== value(number));
      expect(wrong).toEqual([]);
    });
  });

  test('how far it has come', async () => {
    const topic = await written(['a', 'b', 'c']);
    const reader = client.read(topic);
    await reader.next();
    expect(reader.assignment).toEqual([{ topic, partition: 0 }]);
    expect(reader.progress({ topic, partition: 0 })).toMatchObject({ endOffset: 3 });
    await reader.return();
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  test('a topic that is deleted while it is read', async () => {
    const topic = await written(['a']);
    const impatient = await reach.connect({ retryForMs: 300 });
    const reader = impatient.read(topic);
    await reader.next();
    const next = reader.next();
    await client.admin.topics.delete(topic);
    await expect(next).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    // Reading does not bring it back.
    await expect(impatient.read(topic).next()).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await impatient.close();
  });

  describe('async iteration (kjs#298) and types', () => {
    test('keys and values may be null, and the types say so', async () => {
      const { name } = await newTopic(reach, client);
      await client.send(name, { key: null, value: null });
      for await (const record of client.read(name, { live: false })) {
        expectTypeOf(record.key).toEqualTypeOf<Uint8Array | null>();
        expectTypeOf(record.value).toEqualTypeOf<Uint8Array | null>();
        expect([record.key, record.value]).toEqual([null, null]);
      }
    });

    test('a typed topic gives its types, made when they are read, once', async () => {
      const { name } = await newTopic(reach, client);
      let made = 0;
      const counting = {
        serialize: (value: { n: number }) => JSON.stringify(value),
        deserialize: (bytes: Uint8Array | null) => {
          made++;
          return JSON.parse(String(Buffer.from(bytes ?? []))) as { n: number };
        },
      };
      const orders = topic(name, { key: serde.nullable(serde.string), value: counting });
      await client.send(orders, [{ key: 'a', value: { n: 1 } }, { value: { n: 2 } }]);
      const batches = client.read(orders, { live: false }).batches();
      for await (const batch of batches)
        for (const { offset } of batch) expect(offset).toBeGreaterThanOrEqual(0);
      expect(made).toBe(0);
      const seen = await all(client.read(orders, { live: false }), (record) => {
        expectTypeOf(record.key).toEqualTypeOf<string | null>();
        expectTypeOf(record.value).toEqualTypeOf<{ n: number }>();
        expect(record.value).toBe(record.value);
        return [record.key, record.value.n];
      });
      expect(seen).toEqual([
        ['a', 1],
        [null, 2],
      ]);
      expect(made).toBe(2);
    });

    test('records that are not what their topic says: skipped, told, or the end', async () => {
      const { name } = await newTopic(reach, client);
      const numbers = topic(name, { value: serde.json<number>() });
      for (const value of ['1', 'no number', '3']) await client.send(name, { value });
      const read = (onInvalid: ReadOptions['onInvalid']) =>
        all(client.read(numbers, { live: false, onInvalid }), ({ value }) => value);
      expect(await read('skip')).toEqual([1, 3]);
      const told: number[] = [];
      expect(await read((_, record) => void told.push(record.offset))).toEqual([1, 3]);
      expect(told).toEqual([1]);
      const deadLetter = `${name}.dlq`;
      expect(await read({ deadLetter })).toEqual([1, 3]);
      expect(await all(client.read(deadLetter, { live: false }), ({ value }) => textOf(value))).toEqual([
        'no number',
      ]);
      await expect(read(undefined)).rejects.toMatchObject({ code: 'INVALID_RECORD_VALUE' });
    });

    test('calls of next that do not wait for each other are answered in order', async () => {
      const { name } = await newTopic(reach, client);
      await client.send(name, [{ value: 'a' }, { value: 'b' }]);
      const reader = client.read(name, { live: false });
      const results = await Promise.all([reader.next(), reader.next(), reader.next(), reader.next()]);
      expect(results.map(({ done, value }) => (done ? 'over' : textOf(value.value)))).toEqual([
        'a',
        'b',
        'over',
        'over',
      ]);
    });

    test.each([
      [{ from: { time: '-1x' as '-1h' } }],
      [{ from: 1.5 }],
      [{ to: { time: Number.NaN } }],
      [{ partitions: [] }],
      [{ maxBufferedBytes: 0 }],
    ] satisfies [ReadOptions][])('%j is refused before anything is asked', (options) => {
      expect(() => client.read('any', options)).toThrow(MilenaError);
    });
  });
});
