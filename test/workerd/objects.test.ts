import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Client, connect } from './client.mjs';
import worker from '../../workers/index.ts';

/** A Worker's own code comes in by a binding. */
async function newClient(): Promise<Client> {
  const client = await connect({
    fetch: (url, init) => worker.fetch(new Request(url, init), env),
  });
  onTestFinished(() => client.close());
  return client;
}

const text = (value: Uint8Array | null | undefined) => new TextDecoder().decode(value ?? undefined);

describe('through a binding', () => {
  test('a Worker writes and reads, in process', async () => {
    const client = await newClient();
    await client.admin.topics.create('orders', { partitions: 2 });
    await client.send('orders', [{ value: 'a' }, { value: 'b' }]);
    const values: string[] = [];
    for await (const { value } of client.read('orders', { live: false })) values.push(text(value));
    expect(values.toSorted()).toEqual(['a', 'b']);
  });
});

describe('a queue', () => {
  test('is worked off by a Worker that comes now and then, and what its handler throws at comes again', async () => {
    const client = await newClient();
    await client.admin.topics.create('mails');
    await client.admin.configs.alter({ group: 'mailer' }, { 'share.auto.offset.reset': 'earliest' });
    await client.send('mails', [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
    const done: string[] = [];
    const workOff = async (count: number) => {
      const consumer = (await newClient()).shareConsumer({ group: 'mailer', topics: 'mails' });
      await consumer.run(({ value, deliveryCount }) => {
        if (text(value) === 'b' && deliveryCount === 1) throw new Error('not now');
        done.push(text(value));
        if (done.length === count) void consumer.close();
      });
    };
    await workOff(3);
    expect(done.toSorted()).toEqual(['a', 'b', 'c']);
    await client.send('mails', { value: 'd' });
    await workOff(4);
    expect(done.at(-1)).toBe('d');
  });
});

describe('an object that sleeps', () => {
  test('wakes for what is written, and answers who waited while it slept', async () => {
    const [writer, reader] = [await newClient(), await newClient()];
    const { id } = await writer.admin.topics.create('asleep');
    const object = env.SHARDS.getByName(`milena/d/${id}/0`);
    await writer.send('asleep', { value: '0' });
    const records = reader.read('asleep')[Symbol.asyncIterator]();
    expect(text((await records.next()).value.value)).toBe('0');
    for (const value of ['1', '2']) {
      const next = records.next();
      await evictDurableObject(object, { webSockets: 'hibernate' });
      await writer.send('asleep', { value });
      expect(text((await next).value.value)).toBe(value);
    }
    await records.return?.();
  });
});
