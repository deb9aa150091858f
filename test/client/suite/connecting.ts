import { expect, test } from 'vitest';
import { suite } from './reach.ts';

/** What a connected client is, and what it does about topics that are not there. */
export const connecting = suite('connecting', (reach) => {
  test('connected until it is closed; what comes later says so, and closing again does nothing', async () => {
    const client = await reach.connect();
    expect(client.status).toBe('connected');
    const topic = reach.place.name('topic');
    await client.admin.topics.create(topic);
    const reading = client.read(topic).next();
    await client.close();
    await client.close();
    expect(client.status).toBe('closed');
    expect(await reading).toEqual({ done: true, value: undefined });
    await expect(client.send(topic, { value: 'v' })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(() => client.read(topic)).toThrow(expect.objectContaining({ code: 'CLOSED' }) as Error);
  });

  test('a topic that is not there is made by writing to it', async () => {
    await using client = await reach.connect();
    const topic = reach.place.name('made');
    expect(await client.send(topic, { value: 'v' })).toMatchObject({ partition: 0, offset: 0 });
    expect(await client.admin.topics.describe(topic)).toMatchObject({ name: topic });
  });

  test('unless told not to: the error names it, and what to do', async () => {
    await using client = await reach.connect({ allowAutoTopicCreation: false, retryForMs: 200 });
    const topic = reach.place.name('none');
    const refusal = {
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining(topic) as string,
      hint: expect.stringContaining('create') as string,
    };
    await expect(
      client.producer({ deliveryTimeoutMs: 500 }).send(topic, { value: 'v' }),
    ).rejects.toMatchObject(refusal);
    await expect(client.read(topic).next()).rejects.toMatchObject(refusal);
    expect((await client.admin.topics.list()).map(({ name }) => name)).not.toContain(topic);
  });
});
