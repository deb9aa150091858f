import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClientBroker, HOMES } from './fixture.ts';
import { connectAdmin, connectConsumer, connectProducer, createTopic } from './kafkajs.ts';

const SOON = { timeout: 10_000 };

describe.each(HOMES)('transactions of kafkajs, %s', (home) => {
  const broker = new ClientBroker(home);
  beforeAll(() => broker.start());
  afterAll(async () => {
    await broker.stop();
    await broker.removeDirectories();
  });

  async function begin() {
    const transactionalId = broker.name('transaction');
    const producer = await connectProducer(broker, {
      transactionalId,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    return producer;
  }

  /** What a consumer has seen, as it comes. */
  async function consume(topic: string, readUncommitted: boolean): Promise<string[]> {
    const seen: string[] = [];
    const consumer = await connectConsumer(broker, { groupId: broker.name('readers'), readUncommitted });
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
    return seen;
  }

  test('consumers of committed records see what counts, all of it and nothing else, once it is decided', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
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
    const [uncommitted, committed] = [await consume(topic, true), await consume(topic, false)];
    await expect.poll(() => uncommitted, SOON).toEqual([...all, 'open']);
    await expect.poll(() => committed, SOON).toEqual(counts);
    await open.commit();
    await expect.poll(() => committed, SOON).toEqual([...counts, 'open']);
  });

  // Memory survives no restart.
  test.runIf(home === 'files')('a restart in the middle of a transaction changes nothing of it', async () => {
    const topic = await createTopic(await connectAdmin(broker), broker);
    const transaction = await (await begin()).transaction();
    await transaction.send({ topic, messages: [{ value: 'before', partition: 0 }] });
    await broker.stop();
    await broker.start();
    const committed = await consume(topic, false);
    const uncommitted = await consume(topic, true);
    await expect.poll(() => uncommitted, SOON).toEqual(['before']);
    expect(committed).toEqual([]);
  });
});
