import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Client } from '../../../src/client/client.ts';
import { InvalidRecord } from '../../../src/client/topics/invalid-record.ts';
import { serde } from '../../../src/client/topics/serde.ts';
import { type Topic, topic } from '../../../src/client/topics/topic.ts';
import { loadKernels } from '../../../src/kernels/load.ts';
import { type BatchRecords, records } from '../../../src/records/batch.ts';
import { forEachBatch } from '../../../src/records/header.ts';
import { fetchOne, type RawClient, TestBroker } from '../../gateway/harness.ts';
import { WAYS } from '../ways.ts';

const kernels = await loadKernels();
const Order = z.object({ id: z.string(), eur: z.number() });
let server: TestBroker;
let raw: RawClient;
beforeAll(async () => {
  server = await TestBroker.start({ httpPort: 0 });
  raw = await server.client();
});
afterAll(() => server.close());

const textOf = (bytes: Uint8Array | null) => (bytes === null ? 'null' : String(Buffer.from(bytes)));

async function stored(created: { name: string; id: string }): Promise<string[]> {
  const all: string[] = [];
  const { records: bytes } = await fetchOne(raw, { topic: created, partition: 0, fetchOffset: 0 });
  forEachBatch(bytes ?? new Uint8Array(0), (header) => {
    for (const { key, value } of records(header.bytes, kernels, new Map()) as BatchRecords)
      all.push(`${textOf(key)}=${textOf(value)}`);
  });
  return all;
}

describe.each(Object.entries(WAYS))('over %s', (_, connect) => {
  let client: Client;
  let orders: Topic<string, z.infer<typeof Order> | null>;
  let created: { name: string; id: string };
  beforeAll(async () => {
    client = await connect(server.broker);
  });
  afterAll(() => client.close());

  async function begin(): Promise<void> {
    created = await server.topic(raw);
    orders = topic(created.name, { key: serde.string, value: Order.nullable() });
  }

  test('send, write and writable take what the topic says', async () => {
    await begin();
    await using producer = client.producer();
    await client.send(orders, { key: 'a', value: { id: '1', eur: 1 } });
    await producer.write(orders, { key: 'b', value: { id: '2', eur: 2 } });
    const rows = new ReadableStream<{ key: string; value: null }>({
      start(controller) {
        controller.enqueue({ key: 'a', value: null });
        controller.close();
      },
    });
    await rows.pipeTo(producer.writable(orders));
    expect(await stored(created)).toEqual(['a={"id":"1","eur":1}', 'b={"id":"2","eur":2}', 'a=null']);
  });

  test('what is not is refused, and of its list nothing is sent', async () => {
    await begin();
    await using producer = client.producer();
    const good = { key: 'a', value: { id: '1', eur: 1 } };
    const bad = { key: 'a', value: { id: '1', eur: Number.NaN } };
    await expect(producer.send(orders, [good, bad])).rejects.toThrow(InvalidRecord);
    await expect(client.send(orders, bad)).rejects.toMatchObject({ code: 'INVALID_RECORD_VALUE' });
    await expect(producer.write(orders, bad)).rejects.toThrow(InvalidRecord);
    await producer.flush();
    expect(await stored(created)).toEqual([]);
    await producer.write(orders, good);
    await producer.flush();
    expect(await stored(created)).toHaveLength(1);
  });
});
