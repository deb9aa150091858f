import type { Producer } from 'kafkajs';
import { beforeEach, describe, expect, test } from 'vitest';
import { brokerForTest, type ClientBroker, PLACES, RESTARTS, useBroker } from './fixture.ts';
import { connectAdmin, connectConsumer, createTopic, errorsOf, transactional } from './kafkajs.ts';

/** As many values as there are of committed transactions, in order. */
async function readCommitted(broker: ClientBroker, topic: string, count: number): Promise<string[]> {
  const consumer = await connectConsumer(broker, { groupId: broker.name('reader'), readUncommitted: false });
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const values: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
      values.push(String(message.value));
      if (values.length >= count) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  return values.toSorted();
}

async function commit(producer: Producer, topic: string, value: string): Promise<void> {
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ value }] });
  await transaction.commit();
}

describe.each(PLACES)('kafkajs in transactions, on $home over $door', ({ home, door }) => {
  const broker = useBroker(home, {}, door);

  test('sends to several partitions, and readers see what is committed alone', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker, { partitions: 2 });
    const producer = await transactional(broker, broker.name('tx'));
    const ends = [
      ['a', 'commit'],
      ['b', 'abort'],
      ['c', 'commit'],
    ] as const;
    for (const [name, end] of ends) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: `${name}0`, partition: 0 }] });
      await transaction.send({ topic, messages: [{ value: `${name}1`, partition: 1 }] });
      await transaction[end]();
    }
    expect(await readCommitted(broker, topic, 4)).toEqual(['a0', 'a1', 'c0', 'c1']);
  });

  test('commits positions of a group with what it sends, or neither', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const groupId = broker.name('group');
    const producer = await transactional(broker, broker.name('tx'));
    const position = async () =>
      (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0]?.offset;
    for (const [offset, end] of [
      ['5', 'commit'],
      ['9', 'abort'],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: offset }] });
      const topics = [{ topic, partitions: [{ partition: 0, offset }] }];
      await transaction.sendOffsets({ consumerGroupId: groupId, topics });
      await transaction[end]();
    }
    await expect.poll(position).toBe('5');
    expect(await readCommitted(broker, topic, 1)).toEqual(['5']);
    expect(await position()).toBe('5');
  });

  test('is fenced by whoever begins with the same id, and that one goes on', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const id = broker.name('tx');
    const zombie = await transactional(broker, id);
    const open = await zombie.transaction();
    await open.send({ topic, messages: [{ value: 'zombie' }] });
    const owner = await transactional(broker, id);
    await commit(owner, topic, 'owner');
    const [error = ''] = await errorsOf(open.commit());
    expect(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']).toContain(error);
    await commit(owner, topic, 'owner again');
    expect(await readCommitted(broker, topic, 2)).toEqual(['owner', 'owner again']);
  });
});

describe('kafkajs in the middle of a transaction', () => {
  let broker: ClientBroker;
  beforeEach(async () => {
    broker = await brokerForTest('files');
  });

  test.each(RESTARTS)(
    'after %s what was open is aborted, and what was committed is there',
    async (_, restart) => {
      const topic = await createTopic(await connectAdmin(broker), broker);
      const id = broker.name('tx');
      const before = await transactional(broker, id);
      await commit(before, topic, 'committed');
      const open = await before.transaction();
      await open.send({ topic, messages: [{ value: 'open' }] });
      await restart(broker);
      const after = await transactional(broker, id);
      await commit(after, topic, 'after');
      expect(await readCommitted(broker, topic, 2)).toEqual(['after', 'committed']);
    },
  );
});
