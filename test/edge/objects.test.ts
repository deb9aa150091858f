import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { eventually, text } from '../clients/fixture.ts';
import { EdgePlace, useEdge } from './place.ts';

const place = useEdge();

async function newClient(): Promise<Client> {
  const client = await connect(place.url);
  onTestFinished(() => client.close());
  return client;
}

const SQLITE_READONLY = 8;

/** Which shard an object is, from its own database: topic and partition. */
function shardsIn(path: string): string[] {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    // What was deleted has no tables.
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'logs'").all();
    if (tables.length === 0) return [];
    const logs = database.prepare('SELECT topic, partition FROM logs').all();
    return logs.map(({ topic, partition }) => `${String(topic)}-${String(partition)}`);
  } finally {
    database.close();
  }
}

/** Likewise; undefined while its files are being made or deleted, which a reader cannot do for it. */
function settledShardsIn(path: string): string[] | undefined {
  try {
    return shardsIn(path);
  } catch (error) {
    if (!existsSync(path)) return [];
    const { errcode = 0 } = error as { errcode?: number };
    if ((errcode & 0xff) === SQLITE_READONLY) return undefined;
    throw error;
  }
}

async function shards(): Promise<string[]> {
  let found: (string[] | undefined)[] = [];
  await eventually(async () => {
    found = (await place.objects()).map(settledShardsIn);
    return !found.includes(undefined);
  });
  return found.flatMap((names) => names ?? []).toSorted();
}

describe('no request wakes a partition that it does not need', () => {
  test('topics are made and looked at in one object; who writes or reads wakes its own partitions', async () => {
    const client = await newClient();
    const topic = place.name('lazy');
    await client.admin.topics.create(topic, { partitions: 16 });
    await client.admin.topics.describe([topic]);
    await client.admin.configs.describe({ topic });
    expect(await shards()).toEqual(['__cluster_metadata-0']);

    await client.send(topic, { value: 'x', partition: 3 });
    expect(await shards()).toEqual(['__cluster_metadata-0', `${topic}-3`]);

    for await (const { value } of client.read(topic, { from: 'earliest', partitions: [3] })) {
      expect(text(value)).toBe('x');
      break;
    }
    expect(await shards()).toEqual(['__cluster_metadata-0', `${topic}-3`]);
  });
});

describe('objects of a topic that is deleted', () => {
  test('forget it', async () => {
    const client = await newClient();
    const topic = place.name('gone');
    await client.admin.topics.create(topic, { partitions: 2 });
    await client.send(topic, { value: 'x', partition: 0 });
    await client.send(topic, { value: 'x', partition: 1 });
    const ours = async () => (await shards()).filter((shard) => shard.startsWith(topic));
    expect(await ours()).toEqual([`${topic}-0`, `${topic}-1`]);
    await client.admin.topics.delete(topic);
    await eventually(async () => (await ours()).length === 0);
    await client.admin.topics.create(topic);
    expect(await client.send(topic, { value: 'again' })).toMatchObject({ offset: 0 });
  });
});

describe('settings', () => {
  test('reach an object that is in use, with the next request', async () => {
    const client = await newClient();
    const topic = place.name('small');
    await client.admin.topics.create(topic);
    await client.send(topic, { value: 'x' });
    await client.admin.configs.alter({ topic }, { 'max.message.bytes': '200' });
    const producer = client.producer({ compression: 'none' });
    await expect(producer.send(topic, { value: 'x'.repeat(1_000) })).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    });
    // And whoever comes later, from another connection.
    const other = await newClient();
    await expect(other.send(topic, { value: 'x'.repeat(1_000) })).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    });
  });
});

describe('where a topic is', () => {
  test('is a hint that its objects take, and a jurisdiction that workerd by itself refuses', async () => {
    const client = await newClient();
    const topic = place.name('near');
    await client.admin.topics.create(topic, { configs: { 'milena.location.hint': 'weur' } });
    expect(await client.send(topic, { value: 'x' })).toMatchObject({ offset: 0 });
    const held = client.admin.topics.create(place.name('held'), { configs: { 'milena.jurisdiction': 'eu' } });
    await expect(held).rejects.toThrow('only Cloudflare keeps objects in a jurisdiction');
  });

  test('may be said of the whole cluster', async () => {
    const near = new EdgePlace({}, { MILENA_LOCATION_HINT: 'weur' });
    onTestFinished(() => near.stop());
    await near.start();
    const client = await connect(near.url);
    onTestFinished(() => client.close());
    await client.admin.topics.create('t');
    expect(await client.send('t', { value: 'x' })).toMatchObject({ offset: 0 });
  });
});
