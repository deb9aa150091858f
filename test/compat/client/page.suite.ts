import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { connect } from '../../../src/hosts/node/connect.ts';
import { tcpTransport } from '../../../src/hosts/node/tcp-transport.ts';
import type { Connection } from '../../../src/web/connection.ts';
import { Inbox, Page, States } from '../../pubsub/world.ts';
import { KafkaCluster } from '../kafka/cluster.ts';

/** What a page speaks, to three brokers of Apache Kafka; TCP stands in for the WebSocket before them. */

const REPLICATED = { 'offsets.topic.replication.factor': '3', 'min.insync.replicas': '1' };

let kafka: KafkaCluster;
let client: Client;
beforeAll(async () => {
  kafka = await KafkaCluster.start(3, REPLICATED);
  client = await connect(`kafka://${kafka.addresses.join(',')}`);
}, 240_000);
afterAll(async () => {
  await client.close();
  await kafka.close();
});

function newConnection(): Connection {
  return new Page().connect(`ws://${kafka.address}`, { transport: tcpTransport });
}

async function newTopic(
  kind: string,
  options: { partitions?: number; configs?: Record<string, string> } = {},
) {
  const name = kafka.name(kind);
  await client.admin.topics.create(name, { partitions: 1, replicationFactor: 3, ...options });
  return name;
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `${from + at}`);

test('it writes and reads all partitions, a broker dying and coming back: each record once, in order', async () => {
  const topic = await newTopic('mortal', { partitions: 3 });
  await using connection = newConnection();
  const inbox = new Inbox();
  connection.subscribe(topic, inbox.take, { from: 'earliest' });
  const publish = (from: number) =>
    Promise.all(
      numbers(200, from).flatMap((value) =>
        [0, 1, 2].map((partition) => connection.publish(topic, { value, partition })),
      ),
    );
  await publish(0);
  const publishing = publish(200);
  await kafka.stop(3, 'SIGKILL');
  await publishing;
  const more = publish(400);
  await kafka.revive(3);
  await more;
  await inbox.count(1_800);
  for (const partition of [0, 1, 2]) expect(inbox.texts(partition)).toEqual(numbers(600));
});

test('records that were packed by any codec', async () => {
  const topic = await newTopic('packed');
  const expected: string[] = [];
  for (const compression of ['gzip', 'snappy', 'lz4'] as const) {
    const producer = client.producer({ compression });
    const values = numbers(50).map((number) => `${compression} ${number}`);
    await producer.send(
      topic,
      values.map((value) => ({ value })),
    );
    expected.push(...values);
  }
  await using connection = newConnection();
  const inbox = new Inbox();
  connection.subscribe(topic, inbox.take, { from: 'earliest' });
  await inbox.count(expected.length);
  expect(inbox.texts()).toEqual(expected);
});

test('records that were deleted before they were read: it says which', async () => {
  const topic = await newTopic('trimmed');
  await using connection = newConnection();
  await connection.publish(
    topic,
    numbers(10).map((value) => ({ value })),
  );
  const inbox = new Inbox();
  const told: (string | undefined)[] = [];
  await client.admin.records.delete(topic, { before: { offset: 6 } });
  connection.subscribe(topic, inbox.take, {
    from: { 0: 2 },
    onStatus: ({ error }) => told.push(error?.message),
  });
  await inbox.count(4);
  expect(inbox.texts()).toEqual(['6', '7', '8', '9']);
  expect(told).toContain(`${topic}-0: OFFSET_OUT_OF_RANGE (2 to 5 were deleted before they were read)`);
});

test('a topic that is deleted and made again', async () => {
  const topic = await newTopic('again');
  await using connection = newConnection();
  const inbox = new Inbox();
  const states = new States();
  connection.subscribe(topic, inbox.take, { onStatus: states.tell });
  await states.until('live');
  await connection.publish(topic, [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
  await inbox.count(3);
  await client.admin.topics.delete(topic);
  await states.until('retrying');
  await client.admin.topics.create(topic, { partitions: 1, replicationFactor: 3 });
  await client.send(topic, { value: 'd' });
  await inbox.count(4);
  expect(inbox.texts()).toEqual(['a', 'b', 'c', 'd']);
});

test('where to start, and times that the broker gives', async () => {
  const topic = await newTopic('timed', { configs: { 'message.timestamp.type': 'LogAppendTime' } });
  await using connection = newConnection();
  const [first] = await connection.publish(topic, [{ value: '0', timestamp: 5 }]);
  await connection.publish(
    topic,
    numbers(9, 1).map((value) => ({ value })),
  );
  expect(first?.timestamp).toBeGreaterThan(1_700_000_000_000);
  for (const [from, text] of [
    [-3, '7'],
    [4, '4'],
    [{ time: '-1h' }, '0'],
    ['earliest', '0'],
  ] as const) {
    for await (const record of connection.subscribe(topic, { from })) {
      expect(record.text()).toBe(text);
      break;
    }
  }
});

test('what Kafka refuses has its name: a name that cannot be, a record that is too large', async () => {
  const topic = await newTopic('small', { configs: { 'max.message.bytes': '1000' } });
  await using connection = newConnection();
  await expect(connection.publish('no such name!', { value: 'a' })).rejects.toMatchObject({
    code: 'INVALID_TOPIC_EXCEPTION',
  });
  const told = await Promise.allSettled(
    [10, 5_000, 10].map((size) => connection.publish(topic, { value: 'x'.repeat(size) })),
  );
  expect(told).toMatchObject([
    { status: 'fulfilled' },
    { reason: { code: 'MESSAGE_TOO_LARGE' } },
    { status: 'fulfilled' },
  ]);
});
