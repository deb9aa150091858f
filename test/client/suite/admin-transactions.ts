import { expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import type { Transaction } from '../../../src/client/transactions/transaction.ts';
import { newTopic, SOON, suite, textOf, useClient } from './reach.ts';

/** Transactions as an operator sees them (KIP-664), and ends them. */
export const adminTransactions = suite('admin: transactions', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made), { retryForMs: 5_000 });

  /** One that goes on until the test lets it. */
  async function begun(work: (tx: Transaction) => Promise<unknown>) {
    const transactionalId = reach.place.name('open');
    const isBegun = Promise.withResolvers<void>();
    const isOver = Promise.withResolvers<void>();
    const ended = client.transaction(transactionalId, async (tx) => {
      await work(tx);
      isBegun.resolve();
      await isOver.promise;
    });
    ended.catch(isBegun.reject);
    await isBegun.promise;
    const end = async () => {
      isOver.resolve();
      await ended;
    };
    return { transactionalId, end, ended, letGo: isOver.resolve };
  }

  async function committedIn(topic: string): Promise<(string | null)[]> {
    const values: (string | null)[] = [];
    const read = client.read(topic, { live: false, isolation: 'read_committed' });
    for await (const { value } of read) values.push(textOf(value));
    return values;
  }

  test('one that goes on is listed and described, and its producer is known where it has written', async () => {
    const { transactions } = client.admin;
    const { name } = await newTopic(reach, client, { partitions: 2 });
    await client.send(name, { value: 'before', partition: 1 });
    const { transactionalId, end } = await begun((tx) => tx.send(name, { value: 'x', partition: 1 }));
    const startedBy = Date.now();
    const described = await transactions.describe(transactionalId);
    const { producerId, producerEpoch, startedAtMs, timeoutMs } = described;
    expect(described).toMatchObject({ state: 'Ongoing', partitions: [{ topic: name, partition: 1 }] });
    expect(Math.abs((startedAtMs ?? 0) - startedBy)).toBeLessThan(60_000);
    expect(timeoutMs).toBeGreaterThan(0);

    const listed = { transactionalId, producerId, state: 'Ongoing' };
    expect(await transactions.list({ states: ['Ongoing'], producerIds: [producerId] })).toEqual([listed]);
    expect(await transactions.list({ states: ['Ongoing'] })).toContainEqual(listed);
    expect(await transactions.list({ producerIds: [producerId], olderThanMs: 3_600_000 })).toEqual([]);
    expect(await transactions.list({ pattern: `${transactionalId}|none` })).toEqual([listed]);

    expect(await transactions.list({ pattern: transactionalId.slice(1) })).toEqual([]);
    await expect(transactions.list({ pattern: '(' })).rejects.toMatchObject({
      code: 'INVALID_REGULAR_EXPRESSION',
    });

    const parts = [0, 1].map((partition) => ({ topic: name, partition }));
    const producers = await transactions.producers(parts);
    expect(producers.filter((one) => one.producerId === producerId)).toMatchObject([
      { topic: name, partition: 1, producerEpoch, lastSequence: 0, transactionStartOffset: 1 },
    ]);
    // Its coordinator will end it.
    expect(await transactions.hanging({ topics: [name], olderThan: 0 })).toEqual([]);
    await end();
    await expect.poll(() => transactions.describe(transactionalId), SOON).toMatchObject({ partitions: [] });
    await expect
      .poll(() => transactions.producers(parts), SOON)
      .toSatisfy((all: typeof producers) => all.every((one) => one.transactionStartOffset === null));
  });

  test('fenced, it is aborted and its producer is told', async () => {
    const { name } = await newTopic(reach, client);
    const { transactionalId, ended, letGo } = await begun((tx) => tx.send(name, { value: 'gone' }));
    await client.admin.transactions.fence(transactionalId);
    letGo();
    await expect(ended).rejects.toMatchObject({ code: expect.stringMatching(/FENCED|EPOCH/) as string });
    await client.send(name, { value: 'behind' });
    await expect.poll(() => committedIn(name), SOON).toEqual(['behind']);
  });

  test('in a partition it is ended by a marker that no coordinator wrote', async () => {
    const { transactions } = client.admin;
    const { name } = await newTopic(reach, client);
    const { transactionalId, letGo, ended } = await begun((tx) => tx.send(name, { value: 'gone' }));
    const { producerId } = await transactions.describe(transactionalId);
    await client.send(name, { value: 'behind' });
    expect(await committedIn(name)).toEqual([]);
    const all = await transactions.producers([{ topic: name, partition: 0 }]);
    const open = all.find((one) => one.producerId === producerId);
    if (open === undefined) throw new Error('its producer is not known');
    await transactions.abort(open);
    await expect.poll(() => committedIn(name), SOON).toEqual(['behind']);
    letGo();
    await ended.catch(() => {});
  });

  test('what is not there', async () => {
    const { transactions } = client.admin;
    await expect(transactions.describe(reach.place.name('nobody'))).rejects.toMatchObject({
      code: 'TRANSACTIONAL_ID_NOT_FOUND',
    });
    await expect(transactions.producers([{ topic: 'none', partition: 0 }])).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      retriable: false,
    });
    expect(await transactions.list({ producerIds: [987_654_321] })).toEqual([]);
    expect(await transactions.producers([])).toEqual([]);
  });
});
