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
