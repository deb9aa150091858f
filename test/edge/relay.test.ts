import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/hosts/node/connect.ts';
import { eventually } from '../clients/fixture.ts';
import { connect as connectPage } from '../../src/web/index.ts';
import { useEdge } from './place.ts';

/** All readers wait at a relay. */
const place = useEdge({ 'milena.relay.readers': '0' });
const READERS = 12;

async function newWriter() {
  const client = await connect(place.url);
  onTestFinished(() => client.close());
  return client;
}

/** Pages, each with what it was handed; all of them are live. */
async function pages(topic: string, count = READERS) {
  const all = await Promise.all(
    Array.from({ length: count }, async () => {
      const connection = connectPage(place.url);
      onTestFinished(() => connection.close());
      const got: string[] = [];
      const subscription = connection.subscribe(topic, (record) => void got.push(record.text() ?? ''));
      await eventually(() => subscription.status.state === 'live');
      return { got, subscription };
    }),
  );
  return all;
}

/** Names of the relays that leaders hand over to, from their databases. */
async function relays(): Promise<string[]> {
  const found = (await place.objects()).flatMap((path) => {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    try {
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'relays'").all();
      return tables.length === 0 ? [] : database.prepare('SELECT name FROM relays').all();
    } finally {
      database.close();
    }
  });
  return found.map(({ name }) => String(name));
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => String(from + at));

async function write(client: Awaited<ReturnType<typeof newWriter>>, topic: string, values: string[]) {
  for (const value of values) await client.send(topic, { value });
}

test('all who wait get what is written, once and in order, through one relay', async () => {
  const client = await newWriter();
  const topic = place.name('many');
  const { id } = await client.admin.topics.create(topic);
  const readers = await pages(topic);
  await write(client, topic, numbers(0, 100));
  await eventually(() => readers.every(({ got }) => got.length >= 100));
  for (const { got } of readers) expect(got).toEqual(numbers(0, 100));
  expect((await relays()).filter((name) => name.includes(id))).toHaveLength(1);
});

test('killed in the middle, nothing is lost and nothing doubled', { timeout: 60_000 }, async () => {
  const client = await newWriter();
  const topic = place.name('killed');
  await client.admin.topics.create(topic);
  const readers = await pages(topic);
  await write(client, topic, numbers(0, 20));
  await place.kill();
  await place.start();
  await write(client, topic, numbers(20, 40));
  await eventually(() => readers.every(({ got }) => got.length >= 40));
  for (const { got } of readers) expect(got).toEqual(numbers(0, 40));
});

test('who does not take what it is sent holds nobody, and misses nothing', { timeout: 60_000 }, async () => {
  const client = await newWriter();
  const topic = place.name('slow');
  await client.admin.topics.create(topic);
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const slow: number[] = [];
  const connection = connectPage(place.url);
  onTestFinished(() => connection.close());
  const subscription = connection.subscribe(topic, async (record) => {
    slow.push(record.offset);
    await released;
  });
  await eventually(() => subscription.status.state === 'live');
  const readers = await pages(topic, 3);
  const value = 'x'.repeat(20_000);
  await write(
    client,
    topic,
    Array.from({ length: 60 }, () => value),
  );
  await eventually(() => readers.every(({ got }) => got.length === 60));
  expect(slow).toEqual([0]);
  release();
  await eventually(() => slow.length === 60);
  expect(slow).toEqual(numbers(0, 60).map(Number));
});
