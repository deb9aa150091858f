import { expect, test } from 'vitest';
import { connect } from '../../src/hosts/node/connect.ts';
import { subscribe } from '../../src/web/index.ts';
import { type ClientBroker, type PlainRecord, eventually, useBroker } from './fixture.ts';
import * as kafkajs from './kafkajs.ts';
import * as platformatic from './platformatic.ts';

/** Looks for dirty logs all the time. */
const SETTINGS = { 'log.cleaner.backoff.ms': '5' };
/** Each batch that is a millisecond younger begins a segment, and every one is cleaned. */
const CONFIGS = { 'cleanup.policy': 'compact', 'segment.ms': '1', 'min.cleanable.dirty.ratio': '0' };
const KEYS = 5;
const ROUNDS = 6;
const START_MS = Date.now() - 60_000;

const memory = useBroker('memory', SETTINGS);
const files = useBroker('files', SETTINGS);
const page = useBroker('memory', SETTINGS, 'websocket');

/** A topic in which of each batch of some keys a few records are left, some not any, and the last is a tombstone. */
async function compactedTopic(broker: ClientBroker): Promise<string> {
  const topic = broker.name('compacted');
  await using client = await connect(`kafka://${broker.kafka.host}:${broker.kafka.port}`);
  await client.admin.topics.create(topic, { configs: CONFIGS });
  for (let round = 0; round < ROUNDS; round++) {
    const keys = Array.from({ length: KEYS }, (_, key) => key).filter(
      (key) => key < KEYS - round || round === 5,
    );
    const records = keys.map((key) => ({
      key: `k${key}`,
      value: round === 5 && key === 0 ? null : `${round}`,
      headers: { round: `${round}` },
      timestamp: START_MS + 10 * round,
    }));
    await client.send(topic, records);
  }
  await client.send(topic, { key: 'last', value: 'x', timestamp: START_MS + 1_000 });
  const compacted = async () => {
    let count = 0;
    for await (const _ of client.read(topic, { live: false })) count++;
    return count === KEYS + 1;
  };
  await eventually(compacted);
  return topic;
}

/** Offsets, keys and values that are left. */
const LEFT = [
  [15, 'k0', null],
  [16, 'k1', '5'],
  [17, 'k2', '5'],
  [18, 'k3', '5'],
  [19, 'k4', '5'],
  [20, 'last', 'x'],
];
const plain = (records: readonly PlainRecord[]) =>
  records.map(({ offset, key, value }) => [offset, key, value]);

test.each([
  ['memory', memory],
  ['files', files],
])('what is left of a compacted topic every client reads, from within a gap too: %s', async (_, broker) => {
  const topic = await compactedTopic(broker);
  expect(plain(await kafkajs.readTopic(broker, topic, LEFT.length))).toEqual(LEFT);
  expect(plain(await platformatic.readTopic(broker, topic, LEFT.length))).toEqual(LEFT);
  await using client = await connect(`kafka://${broker.kafka.host}:${broker.kafka.port}`);
  const read: unknown[] = [];
  for await (const { offset, key, value } of client.read(topic, { from: 7, live: false }))
    read.push([offset, key && Buffer.from(key).toString(), value && Buffer.from(value).toString()]);
  expect(read).toEqual(LEFT);
});

test('a page reads it, too', async () => {
  const topic = await compactedTopic(page);
  const read: unknown[] = [];
  const door = `ws://${page.address}/kafka`;
  for await (const record of subscribe(door, { topic, from: 'earliest' })) {
    read.push([record.offset, record.key, record.text()]);
    if (record.key === 'last') break;
  }
  expect(read).toEqual(LEFT);
});

test('after a restart the log is what it was, and goes on', async () => {
  const topic = await compactedTopic(files);
  await files.stop();
  await files.start();
  expect(plain(await kafkajs.readTopic(files, topic, LEFT.length))).toEqual(LEFT);
  await using client = await connect(`kafka://${files.address}`);
  const [sent] = [await client.send(topic, { key: 'k1', value: '6', timestamp: START_MS + 2_000 })];
  expect(sent).toMatchObject({ offset: 21 });
});
