import { MessagesStreamModes } from '@platformatic/kafka';
import { describe, expect, test } from 'vitest';
import { type Home, HOMES, type ClientBroker, useBroker } from './fixture.ts';
import { createTopic, newAdmin, newConsumer, newProducer } from './platformatic.ts';

function transactional(broker: ClientBroker, transactionalId: string) {
  return newProducer(broker, { idempotent: true, transactionalId });
}

/** As many values as there are of committed transactions. */
async function readCommitted(broker: ClientBroker, topic: string, count: number): Promise<string[]> {
  const consumer = newConsumer(broker, broker.name('reader'), { isolationLevel: 1 });
  const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST });
  const values: string[] = [];
  for await (const { value } of stream) if (values.push(String(value)) >= count) break;
  return values.toSorted();
}

describe.each(HOMES)('@platformatic/kafka in transactions, on %s', (home: Home) => {
  const broker = useBroker(home);

  test('sends, and readers see what is committed alone', async () => {
    const topic = await createTopic(broker, { partitions: 2 });
    const producer = transactional(broker, broker.name('tx'));
    for (const [name, end] of [
      ['a', 'commit'],
      ['b', 'abort'],
      ['c', 'commit'],
    ] as const) {
      const transaction = await producer.beginTransaction();
      const messages = [0, 1].map((partition) => ({
        topic,
        partition,
        value: Buffer.from(`${name}${partition}`),
      }));
      await transaction.send({ messages });
      await transaction[end]();
    }
    expect(await readCommitted(broker, topic, 4)).toEqual(['a0', 'a1', 'c0', 'c1']);
  });

  test('commits positions with what it sends', async () => {
    const input = await createTopic(broker);
    const output = await createTopic(broker);
    await newProducer(broker).send({ messages: [{ topic: input, value: Buffer.from('in') }] });
    const groupId = broker.name('group');
    const consumer = newConsumer(broker, groupId, { autocommit: false });
    const stream = await consumer.consume({ topics: [input], mode: MessagesStreamModes.EARLIEST });
    const producer = transactional(broker, broker.name('tx'));
    for await (const message of stream) {
      const transaction = await producer.beginTransaction();
      await transaction.addConsumer(consumer);
      await transaction.send({ messages: [{ topic: output, value: Buffer.from('out') }] });
      await transaction.addOffset(message);
      await transaction.commit();
      break;
    }
    const position = async () => {
      const [group] = await newAdmin(broker).listConsumerGroupOffsets({ groups: [groupId] });
      return group?.topics.find(({ name }) => name === input)?.partitions[0]?.committedOffset;
    };
    await expect.poll(position).toBe(1n);
    expect(await readCommitted(broker, output, 1)).toEqual(['out']);
  });
});
