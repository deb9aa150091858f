import { expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { nodeCodecs } from '../../../src/hosts/node/codecs.ts';
import { loadKernels } from '../../../src/kernels/load.ts';
import { type BatchRecords, records } from '../../../src/records/batch.ts';
import { CODEC, type CodecName } from '../../../src/records/codecs.ts';
import { forEachBatch } from '../../../src/records/header.ts';
import { fetchOne } from '../../gateway/harness.ts';
import { connectRaw, newTopic, type Reach, SOON, suite, textOf, useClient } from './reach.ts';

const kernels = await loadKernels();

interface Read {
  offset: number;
  key: string | null;
  value: string | null;
  timestamp: number;
  headers: [string, string | null][];
}

/** A partition as it is stored, read by hand. */
async function stored(
  reach: Reach,
  topic: { name: string; id: string },
  partition = 0,
): Promise<{ all: Read[]; codecs: Set<number> }> {
  const raw = await connectRaw(reach);
  const codecs = new Set<number>();
  const all: Read[] = [];
  for (;;) {
    const fetchOffset = (all.at(-1)?.offset ?? -1) + 1;
    const { records: bytes } = await fetchOne(raw, { topic, partition, fetchOffset });
    if (bytes === null || bytes.length === 0) return { all, codecs };
    forEachBatch(bytes, (header) => {
      codecs.add(header.codec);
      for (const { offset, key, value, timestamp, headers } of records(
        header.bytes,
        kernels,
        nodeCodecs(kernels),
      ) as BatchRecords)
        all.push({
          offset,
          key: textOf(key),
          value: textOf(value),
          timestamp,
          headers: headers.map((header) => [header.key, textOf(header.value)]),
        });
    });
  }
}

/** What a producer promises. */
export const producing = suite('producing', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made));

  test('a record as it was given, and where it is', async () => {
    const topic = await newTopic(reach, client, { partitions: 3 });
    const headers = { trace: 'ä', none: null };
    const sent = await client.send(topic.name, {
      key: 'c17',
      value: 'vé',
      headers,
      timestamp: 1_234,
      partition: 2,
    });
    expect(sent).toEqual({ partition: 2, offset: 0, timestamp: 1_234 });
    const list = await client.send(topic.name, [
      { value: null, key: Uint8Array.of(65), partition: 2 },
      {
        value: '',
        headers: [
          { key: 'h', value: '1' },
          { key: 'h', value: '2' },
        ],
        partition: 2,
      },
    ]);
    expect(list.map(({ offset }) => offset)).toEqual([1, 2]);
    const { all } = await stored(reach, topic, 2);
    expect(all).toEqual([
      {
        offset: 0,
        key: 'c17',
        value: 'vé',
        timestamp: 1_234,
        headers: [
          ['trace', 'ä'],
          ['none', null],
        ],
      },
      { offset: 1, key: 'A', value: null, timestamp: expect.any(Number) as number, headers: [] },
      {
        offset: 2,
        key: null,
        value: '',
        timestamp: expect.any(Number) as number,
        headers: [
          ['h', '1'],
          ['h', '2'],
        ],
      },
    ]);
  });

  test('ten thousand written records: all there, in order, in few batches; keys keep to their partitions', async () => {
    const topic = await newTopic(reach, client, { partitions: 4 });
    await using producer = client.producer({ maxBufferedBytes: 200_000 });
    let most = 0;
    for (let number = 0; number < 10_000; number++) {
      await producer.write(topic.name, { key: `k${number % 50}`, value: `${number}` });
      most = Math.max(most, producer.bufferedBytes);
    }
    await producer.flush();
    expect(most).toBeLessThan(201_000);
    expect(producer.bufferedBytes).toBe(0);
    const partitions = await Promise.all([0, 1, 2, 3].map((partition) => stored(reach, topic, partition)));
    expect(partitions.reduce((sum, { all }) => sum + all.length, 0)).toBe(10_000);
    const keys = partitions.map(({ all }) => new Set(all.map(({ key }) => key)));
    expect(keys.reduce((sum, { size }) => sum + size, 0)).toBe(50);
    for (const { all } of partitions) {
      const numbers = all.map(({ value }) => Number(value));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  test.each(Object.keys(CODEC) as CodecName[])('compression: %s', async (compression) => {
    const topic = await newTopic(reach, client);
    await using producer = client.producer({ compression });
    const values = Array.from({ length: 300 }, (_one, number) => `value ${number} `.repeat(10));
    await Promise.all(values.map((value) => producer.send(topic.name, { value })));
    const { all, codecs } = await stored(reach, topic);
    expect(all.map(({ value }) => value)).toEqual(values);
    expect([...codecs]).toEqual([CODEC[compression]]);
  });

  test('acks 1 and 0: in order too; 0 says no offset', async () => {
    const topic = await newTopic(reach, client);
    const values = Array.from({ length: 200 }, (_one, number) => `${number}`);
    await using leader = client.producer({ acks: 1, batchBytes: 500 });
    const sent = await Promise.all(values.map((value) => leader.send(topic.name, { value })));
    expect(sent.map(({ offset }) => offset)).toEqual(values.map(Number));
    await using nobody = client.producer({ acks: 0, batchBytes: 500 });
    const unsure = await Promise.all(values.map((value) => nobody.send(topic.name, { value })));
    expect(new Set(unsure.map(({ offset }) => offset))).toEqual(new Set([-1]));
    // Behind them on the same connection.
    await client.send(topic.name, { value: 'last' });
    await expect.poll(async () => (await stored(reach, topic)).all.length, SOON).toBe(401);
  });

  test('records of up to five megabytes arrive whole', async () => {
    const configs = { 'max.message.bytes': 8_000_000 };
    const topic = await newTopic(reach, client, { configs });
    await using producer = client.producer({ requestMaxBytes: 8_000_000 });
    const sizes = [900_000, 5_000_000, 1];
    const values = sizes.map((size) => Buffer.alloc(size, `${size} `));
    const sent = await Promise.all(values.map((value) => producer.send(topic.name, { value })));
    expect(sent.map(({ offset }) => offset)).toEqual([0, 1, 2]);
    const read: Buffer[] = [];
    for await (const { value } of client.read(topic.name, { live: false }))
      read.push(Buffer.from(value ?? []));
    expect(read.map((value, at) => values[at]?.equals(value))).toEqual([true, true, true]);
  });

  test('a batch larger than the topic takes is parted until it fits', async () => {
    const topic = await newTopic(reach, client, { configs: { 'max.message.bytes': '1000' } });
    const values = Array.from({ length: 100 }, (_one, number) => `${number}`.padStart(100, '.'));
    await using producer = client.producer();
    const sent = values.map((value) => producer.send(topic.name, { value }));
    const tooLarge = producer.send(topic.name, { value: 'x'.repeat(2_000) });
    await expect(tooLarge).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      hint: expect.any(String) as string,
    });
    await Promise.all(sent);
    expect((await stored(reach, topic)).all.map(({ value }) => value)).toEqual(values);
  });

  test('a stream is piped in, as fast as the broker takes it', async () => {
    const topic = await newTopic(reach, client);
    await using producer = client.producer({ maxBufferedBytes: 10_000 });
    let number = 0;
    const rows = new ReadableStream<{ value: string }>({
      pull(controller) {
        if (number === 3_000) controller.close();
        else controller.enqueue({ value: `${number++}` });
      },
    });
    await rows.pipeTo(producer.writable(topic.name));
    expect((await stored(reach, topic)).all.map(({ value }) => Number(value))).toEqual(
      Array.from({ length: 3_000 }, (_one, at) => at),
    );
  });
});
