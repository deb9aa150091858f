import { expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { serde } from '../../../src/client/topics/serde.ts';
import { topic } from '../../../src/client/topics/topic.ts';
import { SOON, suite, useClient } from './reach.ts';

/** Topics: created, described, grown, deleted. */
export const adminTopics = suite('admin: topics', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made), { retryForMs: 2_000 });

  test('one that is created is there, described and listed, and gone when it is deleted', async () => {
    const { topics, configs } = client.admin;
    const name = reach.place.name('topic');
    const created = await topics.create(name, {
      partitions: 3,
      replicationFactor: 1,
      configs: { 'cleanup.policy': 'compact' },
      retention: '7d',
    });
    expect(created).toMatchObject({ name, isInternal: false });
    expect(created.partitions).toEqual(
      [0, 1, 2].map((partition) => ({
        partition,
        leaderId: 1,
        leaderEpoch: 0,
        replicas: [1],
        isr: [1],
        offlineReplicas: [],
      })),
    );
    expect(await topics.describe(name)).toEqual(created);
    const { id } = created;
    const listing = { name, id, partitions: 3, replicationFactor: 1, isInternal: false };
    expect(await topics.list()).toContainEqual(listing);
    const names = ['cleanup.policy', 'retention.ms'];
    const values = (await configs.describe({ topic: name }, { names })).map(({ value }) => value);
    expect(values).toEqual(['compact', '604800000']);
    await topics.delete(name);
    await expect.poll(async () => (await topics.list()).map((each) => each.name), SOON).not.toContain(name);
    await expect(topics.describe(name)).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      retriable: false,
    });
  });

  test('what the broker decides when nothing is said', async () => {
    const { partitions } = await client.admin.topics.create(reach.place.name('topic'));
    expect(partitions).toHaveLength(1);
  });

  test('what is written to at once', async () => {
    const orders = topic(reach.place.name('topic'), { value: serde.string });
    await client.admin.topics.create(orders, { partitions: 2 });
    expect(await client.send(orders, { value: 'x', partition: 1 })).toMatchObject({
      partition: 1,
      offset: 0,
    });
  });

  test('partitions are added, and the client knows them', async () => {
    const name = reach.place.name('topic');
    const { topics } = client.admin;
    await topics.create(name);
    await client.send(name, { value: 'x' });
    await topics.createPartitions(name, 3);
    expect((await topics.describe(name)).partitions).toHaveLength(3);
    expect(await client.send(name, { value: 'x', partition: 2 })).toMatchObject({ offset: 0 });
    await expect(topics.createPartitions(name, 3)).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' });
    await expect(topics.createPartitions('none', 3)).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
  });

  test('ensure creates, adds what is missing, and does nothing the second time', async () => {
    const orders = topic(reach.place.name('topic'));
    const { topics } = client.admin;
    const wanted = { partitions: 2, retention: '1h', configs: { 'max.message.bytes': 1000 } };
    expect(await topics.ensure(orders, wanted)).toBe('created');
    expect(await topics.ensure(orders, wanted)).toBe('unchanged');
    expect(await topics.ensure(orders, { ...wanted, partitions: 3 })).toBe('changed');
    expect(await topics.ensure(orders, { partitions: 1 })).toBe('unchanged');
    expect((await topics.describe(orders)).partitions).toHaveLength(3);
  });

  test('many that ensure the same at once agree', async () => {
    const name = reach.place.name('topic');
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => client.admin.topics.ensure(name, { partitions: 2 })),
    );
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
  });

  test('what cannot be says why', async () => {
    const { topics } = client.admin;
    const name = reach.place.name('topic');
    await topics.create(name);
    await expect(topics.create(name)).rejects.toMatchObject({
      code: 'TOPIC_ALREADY_EXISTS',
      message: expect.stringContaining(name) as string,
    });
    await expect(topics.create('no/name')).rejects.toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION' });
    await expect(topics.create(reach.place.name('topic'), { replicationFactor: 3 })).rejects.toMatchObject({
      code: 'INVALID_REPLICATION_FACTOR',
    });
    await expect(
      topics.create(reach.place.name('topic'), { configs: { 'no.such': '1' } }),
    ).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    });
    await expect(topics.create(reach.place.name('topic'), { retention: '1 week' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      hint: expect.stringContaining('7d') as string,
    });
    // Those of a list that are there go, and what is not is told.
    await expect(topics.delete([name, 'none', 'nowhere'])).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringMatching(/none: .*; nowhere: /) as string,
    });
    await expect.poll(async () => (await topics.list()).map((each) => each.name), SOON).not.toContain(name);
  });

  test('a call that is given up says what its signal says', async () => {
    const reason = new Error('enough');
    const listing = client.admin.topics.list({ signal: AbortSignal.abort(reason) });
    await expect(listing).rejects.toBe(reason);
  });

  test('there is no admin of a client that is closed', async () => {
    const closed = await reach.connect();
    await closed.close();
    expect(() => closed.admin).toThrow(expect.objectContaining({ code: 'CLOSED' }) as Error);
  });
});
