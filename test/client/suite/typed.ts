import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Client } from '../../../src/client/client.ts';
import { InvalidRecord } from '../../../src/client/topics/invalid-record.ts';
import { serde } from '../../../src/client/topics/serde.ts';
import { type Topic, topic } from '../../../src/client/topics/topic.ts';
import { newTopic, suite, textOf, useClient } from './reach.ts';

const Order = z.object({ id: z.string(), eur: z.number() });

/** What is written to a topic with types. */
export const typed = suite('typed', (reach) => {
  let client: Client;
  let name: string;
  let orders: Topic<string, z.infer<typeof Order> | null>;
  useClient(reach, (made) => (client = made));

  async function stored(): Promise<string[]> {
    const all: string[] = [];
    for await (const { key, value } of client.read(name, { live: false }))
      all.push(`${textOf(key)}=${textOf(value)}`);
    return all;
  }

  async function begin(): Promise<void> {
    ({ name } = await newTopic(reach, client));
    orders = topic(name, { key: serde.string, value: Order.nullable() });
  }

  test('send, write and writable take what the topic says: no messages typed by hand (effect-kafka#14)', async () => {
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
    expect(await stored()).toEqual(['a={"id":"1","eur":1}', 'b={"id":"2","eur":2}', 'a=null']);
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
    expect(await stored()).toEqual([]);
    await producer.write(orders, good);
    await producer.flush();
    expect(await stored()).toHaveLength(1);
  });
});
