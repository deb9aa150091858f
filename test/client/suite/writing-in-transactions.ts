import { expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { newTopic, SOON, suite, textOf, useClient } from './reach.ts';

/** Transactions as this client writes them. */
export const writingInTransactions = suite('writing in transactions', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made));

  /** Soon after the end: markers are written once it is decided. */
  async function committedIn(topic: string): Promise<(string | null)[]> {
    const values: (string | null)[] = [];
    const read = client.read(topic, { live: false, isolation: 'read_committed' });
    for await (const { value } of read) values.push(textOf(value));
    return values.toSorted((a, b) => (String(a) < String(b) ? -1 : 1));
  }

  async function inputOf(count: number): Promise<string> {
    const { name } = await newTopic(reach, client);
    await client.send(
      name,
      Array.from({ length: count }, (_, index) => ({ value: String(index) })),
    );
    return name;
  }

  test('all of one counts, in all partitions, or nothing', async () => {
    const { name } = await newTopic(reach, client, { partitions: 2 });
    const id = reach.place.name('transaction');
    const write = (value: string) => (tx: Parameters<Parameters<Client['transaction']>[1]>[0]) =>
      Promise.all([0, 1].map((partition) => tx.send(name, { value: `${value}${partition}`, partition })));
    const sent = await client.transaction(id, write('a'));
    expect(sent).toMatchObject([
      { partition: 0, offset: 0 },
      { partition: 1, offset: 0 },
    ]);
    const failed = client.transaction(id, async (tx) => {
      await write('b')(tx);
      throw new Error('no, not that');
    });
    await expect(failed).rejects.toThrow('no, not that');
    await client.transaction(id, write('c'));
    await expect.poll(() => committedIn(name), SOON).toEqual(['a0', 'a1', 'c0', 'c1']);
  });

  test('many, one after the other, and what was written without waiting', async () => {
    const { name } = await newTopic(reach, client, { partitions: 3 });
    const id = reach.place.name('transaction');
    const values = Array.from({ length: 20 }, (_, index) => String(index).padStart(2, '0'));
    await Promise.all(values.map((value) => client.transaction(id, (tx) => tx.write(name, { value }))));
    await expect.poll(() => committedIn(name), SOON).toEqual(values);
  });

  test('one in which nothing is done asks for nothing', async () => {
    const id = reach.place.name('transaction');
    expect(await client.transaction(id, () => 7)).toBe(7);
    await expect(
      client.transaction(id, () => {
        throw new Error('nothing');
      }),
    ).rejects.toThrow('nothing');
  });

  test('what failed and was not awaited aborts all of it', async () => {
    const { name } = await newTopic(reach, client);
    const failed = client.transaction(reach.place.name('transaction'), async (tx) => {
      await tx.send(name, { value: 'a' });
      tx.send(name, { value: 'b', partition: 7 }).catch(() => {});
    });
    await expect(failed).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect.poll(() => committedIn(name), SOON).toEqual([]);
  });

  test('nothing can be written once it is over', async () => {
    const { name } = await newTopic(reach, client);
    const tx = await client.transaction(reach.place.name('transaction'), async (given) => {
      await given.send(name, { value: 'a' });
      return { given };
    });
    await expect(tx.given.send(name, { value: 'b' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect.poll(() => committedIn(name), SOON).toEqual(['a']);
  });

  test('who begins with the same id fences who had it, for good', async () => {
    const { name } = await newTopic(reach, client);
    const transactionalId = reach.place.name('transaction');
    await using zombie = client.producer({ transactionalId });
    await using owner = client.producer({ transactionalId });
    await zombie.transaction((tx) => tx.send(name, { value: 'a' }));
    const fenced = zombie.transaction(async (tx) => {
      await tx.send(name, { value: 'b' });
      await owner.transaction((other) => other.send(name, { value: 'c' }));
    });
    await expect(fenced).rejects.toMatchObject({ code: 'PRODUCER_FENCED', retriable: false });
    await expect(zombie.transaction((tx) => tx.send(name, { value: 'd' }))).rejects.toMatchObject({
      code: 'PRODUCER_FENCED',
    });
    await owner.transaction((tx) => tx.send(name, { value: 'e' }));
    await expect.poll(() => committedIn(name), SOON).toEqual(['a', 'c', 'e']);
  });

  test('what is consumed, and what is made of it, count together', async () => {
    const input = await inputOf(10);
    const { name: output } = await newTopic(reach, client, { partitions: 2 });
    const group = reach.place.name('group');
    const id = reach.place.name('transaction');
    let failures = 0;
    async function work(): Promise<void> {
      await using consumer = client.consumer({ group, topics: input, autoCommit: false });
      for await (const record of consumer) {
        const value = textOf(record.value);
        await client.transaction(id, async (tx) => {
          await tx.send(output, { key: value, value: `made of ${value}` });
          await tx.commit(consumer, record);
          if (value === '4' && failures++ < 2) throw new Error('crashed');
        });
        if (value === '9') break;
      }
    }
    await expect(work()).rejects.toThrow('crashed');
    await expect(work()).rejects.toThrow('crashed');
    await work();
    await expect
      .poll(() => committedIn(output), SOON)
      .toEqual(Array.from({ length: 10 }, (_, index) => `made of ${index}`));
    const position = async () => (await client.admin.groups.offsets(group))[0]?.offset;
    await expect.poll(position, SOON).toBe(10);
  });

  test('who is no member of the group any more commits nothing (KIP-447)', async () => {
    const input = await inputOf(1);
    const { name: output } = await newTopic(reach, client);
    const group = reach.place.name('group');
    const left = client.consumer({ group, topics: input, autoCommit: false });
    const { value: record } = await left.next();
    if (record === undefined) throw new Error('there is a record');
    await left.close();
    const late = client.transaction(reach.place.name('transaction'), async (tx) => {
      await tx.send(output, { value: 'late' });
      await tx.commit(left, record);
    });
    await expect(late).rejects.toMatchObject({ code: 'PARTITION_LOST' });
    await expect.poll(() => committedIn(output), SOON).toEqual([]);
    await expect.poll(() => client.admin.groups.offsets(group), SOON).toEqual([]);
  });
});
