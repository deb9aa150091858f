import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { ReplyFrame } from '../../src/hosts/durable-object/frames.ts';
import { SharedMetadata } from '../../src/hosts/durable-object/shared-metadata.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { buildBatch } from '../../src/records/builder.ts';
import type { ProduceResponse } from '../../src/wire/apis/00-produce.ts';
import type { FetchResponse } from '../../src/wire/apis/01-fetch.ts';
import type { CreateTopicsResponse } from '../../src/wire/apis/19-create-topics.ts';
import { Databases } from './node-home.ts';
import { type FakeObject, type FakeSocket, settled, World } from './objects.ts';

const databases = new Databases();
afterAll(() => databases.remove());

let world: World;
let gateway: SharedMetadata;
let metadata: FakeObject;
let metadataLink: FakeSocket;
let lastId = 0;

beforeEach(async () => {
  world = new World(databases);
  gateway = new SharedMetadata('test');
  metadata = world.object('m');
  metadataLink = await metadata.link();
  hear();
});

/** The gateway hears what its link was sent. */
function hear(): void {
  for (const frame of metadataLink.metadata) gateway.take(frame);
}

async function createTopic(name: string, partitions = 1): Promise<string> {
  const topic = { name, numPartitions: partitions, replicationFactor: -1, assignments: [], configs: [] };
  const body = { topics: [topic], timeoutMs: 1_000, validateOnly: false };
  const [reply] = await metadata.request(metadataLink, {
    correlationId: ++lastId,
    apiKey: 19,
    apiVersion: 7,
    body,
  });
  hear();
  const made = (reply?.body as CreateTopicsResponse | undefined)?.topics[0];
  expect(made?.errorCode).toBe(0);
  return made?.topicId ?? '';
}

async function deleteTopic(name: string): Promise<void> {
  const body = { topics: [], topicNames: [name], timeoutMs: 1_000 };
  await metadata.request(metadataLink, { correlationId: ++lastId, apiKey: 20, apiVersion: 5, body });
  hear();
}

const linkTo = (object: FakeObject) => object.link(gateway.greeting(object.shard));

async function produce(object: FakeObject, socket: FakeSocket, topicId: string, text = 'x') {
  const value = new TextEncoder().encode(text);
  const records = buildBatch(await loadKernels(), { records: [{ value, timestamp: 1 }] });
  const topicData = [{ name: '', topicId, partitionData: [{ index: 0, records }] }];
  const body = { transactionalId: null, acks: -1, timeoutMs: 1_000, topicData };
  const replies = await object.request(socket, { correlationId: ++lastId, apiKey: 0, apiVersion: 13, body });
  const answer = (replies[0]?.body as ProduceResponse | undefined)?.responses[0]?.partitionResponses[0];
  return { replies, errorCode: answer?.errorCode ?? replies[0]?.errorCode, offset: answer?.baseOffset };
}

async function fetchFrom(object: FakeObject, socket: FakeSocket, { topicId = '', offset = 0, minBytes = 1 }) {
  const partition = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: offset,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 1_000_000,
  };
  const topics = [{ topic: '', topicId, partitions: [partition] }];
  const limits = { maxWaitMs: 60_000, minBytes, maxBytes: 1_000_000, isolationLevel: 0 };
  const correlationId = ++lastId;
  await object.request(socket, { correlationId, apiKey: 1, apiVersion: 13, body: { ...limits, topics } });
  return correlationId;
}

const bytesIn = ({ body }: ReplyFrame) =>
  (body as FetchResponse | undefined)?.responses[0]?.partitions[0]?.records?.length ?? 0;

describe('metadata', () => {
  test('a gateway hears all of it at first, then each change, before the answer to it', async () => {
    expect(metadataLink.metadata[0]).toMatchObject({ base: 0 });
    const id = await createTopic('orders', 3);
    expect(gateway.image.topic('orders')?.partitions).toHaveLength(3);
    expect(gateway.image.topic('orders')?.id).toBe(id);
    const kinds = metadataLink.frames.map(({ type }) => type);
    expect(kinds.indexOf('reply')).toBeGreaterThan(kinds.lastIndexOf('metadata') - 1);
  });

  test('who comes back is told what it missed alone; whoever knows it all hears that', async () => {
    await createTopic('one');
    const { from } = gateway.greeting('m');
    const back = await metadata.link({ from });
    expect(back.metadata).toEqual([{ type: 'metadata', base: from, end: from, values: [] }]);
    await createTopic('two');
    expect(back.metadata[1]).toMatchObject({ base: from });
    const late = await metadata.link({ from });
    expect(late.metadata).toEqual(back.metadata.slice(1));
  });

  test('an instance goes on in the reign before, and registers nobody again', async () => {
    await createTopic('orders');
    const { from } = gateway.greeting('m');
    metadata.sleep();
    await metadata.host;
    const link = await metadata.link({ from });
    expect(link.metadata).toEqual([{ type: 'metadata', base: from, end: from, values: [] }]);
  });

  test('links that slept with it hear of changes by the next instance', async () => {
    await createTopic('one');
    metadata.sleep();
    await createTopic('two');
    expect(gateway.image.topic('two')).toBeDefined();
    expect(gateway.image.topicCount).toBe(2);
  });
});

describe('a partition', () => {
  test('asks once what it is, and remembers', async () => {
    const topicId = await createTopic('orders');
    const object = world.object(`d/${topicId}/0`);
    expect(await produce(object, await linkTo(object), topicId)).toMatchObject({ errorCode: 0, offset: 0 });
    object.sleep();
    expect(await produce(object, await linkTo(object), topicId)).toMatchObject({ errorCode: 0, offset: 1 });
    expect(world.calls).toEqual([`metadata for ${object.shard}`]);
  });

  test('that nobody has made accepts nothing', async () => {
    const object = world.object(`d/AAAAAAAAAAAAAAAAAAAAZQ/0`);
    const answer = await produce(object, await linkTo(object), 'AAAAAAAAAAAAAAAAAAAAZQ');
    expect(answer.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('hears of a new setting with the next request of a gateway that knows it', async () => {
    const topicId = await createTopic('orders');
    const object = world.object(`d/${topicId}/0`);
    const socket = await linkTo(object);
    await produce(object, socket, topicId);
    const configs = [{ name: 'max.message.bytes', configOperation: 0, value: '80' }];
    const body = { resources: [{ resourceType: 2, resourceName: 'orders', configs }], validateOnly: false };
    await metadata.request(metadataLink, { correlationId: ++lastId, apiKey: 44, apiVersion: 1, body });
    hear();
    await object.say(socket, { type: 'metadata', print: gateway.greeting(object.shard).print });
    const answer = await produce(object, socket, topicId, 'more than that');
    expect(answer.errorCode).toBe(ErrorCode.MESSAGE_TOO_LARGE);
  });

  test('whose topic is deleted forgets all of it, and refuses what comes late', async () => {
    const topicId = await createTopic('orders', 2);
    const object = world.object(`d/${topicId}/0`);
    const socket = await linkTo(object);
    await produce(object, socket, topicId);
    await deleteTopic('orders');
    await settled();
    expect(world.calls.filter((call) => call.startsWith('drop')).toSorted()).toEqual([
      `drop d/${topicId}/0`,
      `drop d/${topicId}/1`,
    ]);
    expect(socket.closed).toBe(1001);
    expect(object.storage.sql.exec('SELECT name FROM sqlite_master').toArray()).toEqual([]);
    object.sleep();
    const answer = await produce(object, await object.link(), topicId);
    expect(answer.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });
});

describe('an object sleeps', () => {
  async function reading(minBytes = 1) {
    const topicId = await createTopic('orders');
    const object = world.object(`d/${topicId}/0`);
    const [writer, reader] = [await linkTo(object), await linkTo(object)];
    await produce(object, writer, topicId);
    const parked = await fetchFrom(object, reader, { topicId, offset: 1, minBytes });
    return { object, writer, reader, parked, topicId };
  }

  test('with a reader parked, and wakes to answer it, once', async () => {
    const { object, writer, reader, parked, topicId } = await reading();
    expect(reader.replies(parked).map((reply) => reply.parked)).toEqual([true]);
    object.sleep();
    await produce(object, writer, topicId);
    expect(reader.replies(parked).map((reply) => [reply.parked, bytesIn(reply) > 0])).toEqual([
      [true, false],
      [undefined, true],
    ]);
    expect(object.wakes).toBe(2);
    object.sleep();
    await produce(object, writer, topicId);
    expect(reader.replies(parked)).toHaveLength(2);
  });

  test('several times, while too little comes', async () => {
    const { object, writer, reader, parked, topicId } = await reading(200);
    for (let round = 0; round < 2; round++) {
      object.sleep();
      await produce(object, writer, topicId);
    }
    expect(reader.replies(parked).at(-1)?.parked).toBe(true);
    object.sleep();
    await produce(object, writer, topicId, 'x'.repeat(200));
    expect(reader.replies(parked).at(-1)?.parked).toBeUndefined();
  });

  test('a fetch that was called off stays called off', async () => {
    const { object, writer, reader, parked, topicId } = await reading();
    await object.say(reader, { type: 'cancel', correlationId: parked });
    object.sleep();
    await produce(object, writer, topicId);
    expect(reader.replies(parked)).toHaveLength(1);
  });

  test('more readers than an attachment holds: the link is closed, and its gateway asks again', async () => {
    const { object, writer, reader, topicId } = await reading();
    for (let more = 0; more < 40; more++) await fetchFrom(object, reader, { topicId, offset: 1 });
    object.sleep();
    await produce(object, writer, topicId);
    expect(reader.closed).toBe(1013);
  });

  test('a reader that has gone is not answered', async () => {
    const { object, writer, reader, parked, topicId } = await reading();
    await object.unlink(reader);
    await produce(object, writer, topicId);
    expect(reader.replies(parked)).toHaveLength(1);
  });

  test('an alarm may come twice', async () => {
    const { object, writer, topicId } = await reading();
    const host = await object.host;
    await Promise.all([host.alarm(), host.alarm()]);
    object.sleep();
    await (await object.host).alarm();
    expect((await produce(object, writer, topicId)).offset).toBe(1);
    expect(world.warnings).toEqual([]);
  });
});
