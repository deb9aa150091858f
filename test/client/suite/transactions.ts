import type { Transaction } from 'kafkajs';
import { expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import type { ConsumerOptions } from '../../../src/client/consumer/options.ts';
import { connectProducer } from '../../clients/kafkajs.ts';
import { newTopic, SOON, suite, textOf, useClient } from './reach.ts';

type Isolation = NonNullable<ConsumerOptions<unknown, unknown>['isolation']>;

/** What is read of transactions, as kafkajs writes them. */
export const transactions = suite('transactions', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made));

  async function begin(topic: string, value: string): Promise<Transaction> {
    const transactionalId = reach.place.name('transaction');
    const producer = await connectProducer(reach.place, {
      transactionalId,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value, partition: 0 }] });
    return transaction;
  }

  async function valuesOf(topic: string, isolation: Isolation): Promise<(string | null)[]> {
    const values: (string | null)[] = [];
    for await (const { value } of client.read(topic, { live: false, isolation })) values.push(textOf(value));
    return values;
  }

  test('isolation', async () => {
    const { name } = await newTopic(reach, client);
    await (await begin(name, 'committed')).commit();
    await (await begin(name, 'aborted')).abort();
    await (await begin(name, 'committed too')).commit();
    const open = await begin(name, 'open');
    await client.send(name, { value: 'plain' });
    const all = ['committed', 'aborted', 'committed too', 'open', 'plain'];
    expect(await valuesOf(name, 'read_uncommitted')).toEqual(all);
    // Nothing behind the first that is not decided.
    expect(await valuesOf(name, 'read_committed')).toEqual(['committed', 'committed too']);
    const group = reach.place.name('group');
    const consumer = client.consumer({ group, topics: name, isolation: 'read_committed' });
    const seen: (string | null)[] = [];
    const consuming = (async () => {
      for await (const { value } of consumer) if (seen.push(textOf(value)) === 3) break;
    })();
    await expect.poll(() => seen, SOON).toEqual(['committed', 'committed too']);
    await open.abort();
    await consuming;
    expect(seen).toEqual(['committed', 'committed too', 'plain']);
    expect(await valuesOf(name, 'read_committed')).toEqual(seen);
  });
});
