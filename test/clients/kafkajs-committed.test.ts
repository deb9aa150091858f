import { describe, expect, test } from 'vitest';
import { type ClientBroker, HOMES, useBroker } from './fixture.ts';
import { connectAdmin, connectConsumer, connectProducer, createTopic, transactional } from './kafkajs.ts';

const SOON = { timeout: 10_000 };

/** What a consumer has seen, as it comes. */
async function consume(broker: ClientBroker, topic: string, readUncommitted: boolean): Promise<string[]> {
  const seen: string[] = [];
  const consumer = await connectConsumer(broker, { groupId: broker.name('readers'), readUncommitted });
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
  return seen;
}

describe.each(HOMES)('transactions of kafkajs, %s', (home) => {
  const broker = useBroker(home);

  test('consumers of committed records see what counts, all of it and nothing else, once it is decided', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const begin = () => transactional(broker, broker.name('transaction'));
    const [one, two] = [await begin(), await begin()];
    const all: string[] = [];
    const counts: string[] = [];
    const send = (value: string) => ({ topic, messages: [{ value, partition: 0 }] });
    for (let round = 0; round < 4; round++) {
      const [first, second] = [await one.transaction(), await two.transaction()];
      for (const [transaction, value] of [
        [first, `a${round}`],
        [second, `b${round}`],
        [first, `c${round}`],
      ] as const) {
        await transaction.send(send(value));
        all.push(value);
        if (value.startsWith('b') === (round % 2 === 0)) counts.push(value);
      }
      await (round % 2 === 0 ? first.abort() : first.commit());
      await (round % 2 === 0 ? second.commit() : second.abort());
    }
    const open = await one.transaction();
    await open.send(send('open'));
    const [uncommitted, committed] = [
      await consume(broker, topic, true),
      await consume(broker, topic, false),
    ];
    await expect.poll(() => uncommitted, SOON).toEqual([...all, 'open']);
    await expect.poll(() => committed, SOON).toEqual(counts);
    await open.commit();
    await expect.poll(() => committed, SOON).toEqual([...counts, 'open']);
  });
});

describe('transactions of kafkajs, over a restart', () => {
  const broker = useBroker('files');

  test('in the middle of a transaction it changes nothing of it', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const settled = await connectProducer(broker);
    await settled.send({ topic, messages: [{ value: 'settled', partition: 0 }] });
    const producer = await transactional(broker, broker.name('transaction'));
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: 'before', partition: 0 }] });
    await broker.stop();
    await broker.start();
    const committed = await consume(broker, topic, false);
    const uncommitted = await consume(broker, topic, true);
    await expect.poll(() => uncommitted, SOON).toEqual(['settled', 'before']);
    await expect.poll(() => committed, SOON).toEqual(['settled']);
  });
});
