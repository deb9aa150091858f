import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { SharedMetadata } from '../../src/hosts/durable-object/shared-metadata.ts';
import { RemoteReader } from '../../src/hosts/durable-object/tiering/remote-reader.ts';
import { TieredPlaces } from '../../src/hosts/durable-object/tiering/tiered-places.ts';
import { TieredShards } from '../../src/hosts/durable-object/tiering/tiered-shards.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import type { ShardReply, ShardRequest } from '../../src/ports/shard-link.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { forEachBatch } from '../../src/records/header.ts';
import type { ProduceResponse } from '../../src/wire/apis/00-produce.ts';
import type { FetchResponse } from '../../src/wire/apis/01-fetch.ts';
import type { CreateTopicsResponse } from '../../src/wire/apis/19-create-topics.ts';
import { Databases } from '../durable-object/node-home.ts';
import { type FakeObject, type FakeSocket, settled, World } from '../durable-object/objects.ts';
import { MemoryRemote } from './memory-remote.ts';

const databases = new Databases();
afterAll(() => databases.remove());

const SETTINGS = 'log.segment.bytes=1048576\nlog.local.retention.bytes=0\nlog.segment.delete.delay.ms=0';
const CALLER = { principal: 'User:ANONYMOUS', clientId: 'test', clientHost: '/127.0.0.1' };
const RECORD_BYTES = 400_000;

let remote: MemoryRemote;
let world: World;
let topicId: string;
let partition: FakeObject;
let link: FakeSocket;
let lastId: number;
/** What partitions were asked. */
let asked: ShardRequest[];
let gateway: TieredShards;
let replies: ShardReply[];

beforeEach(async () => {
  remote = new MemoryRemote();
  world = new World(databases, { remote, settings: SETTINGS });
  lastId = 0;
  const metadata = new SharedMetadata('test');
  const metadataObject = world.object('m');
  const metadataLink = await metadataObject.link();
  const topic = { name: 'orders', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] };
  const body = { topics: [topic], timeoutMs: 1_000, validateOnly: false };
  const made = await metadataObject.request(metadataLink, {
    correlationId: ++lastId,
    apiKey: 19,
    apiVersion: 7,
    body,
  });
  topicId = (made[0]?.body as CreateTopicsResponse | undefined)?.topics[0]?.topicId ?? '';
  for (const frame of metadataLink.metadata) metadata.take(frame);
  partition = world.object(`d/${topicId}/0`);
  link = await partition.link(metadata.greeting(partition.shard));
  asked = [];
  replies = [];
  gateway = newGateway();
});

function newGateway(): TieredShards {
  return new TieredShards({
    cluster: 'test',
    link: {
      request: (request) => void forward(request),
      cancel: () => {},
    },
    reply: (reply) => void replies.push(reply),
    storage: remote,
    reader: new RemoteReader(),
    places: new TieredPlaces(),
    now: () => Date.now(),
  });
}

async function forward(request: ShardRequest): Promise<void> {
  asked.push(request);
  const { from, apiKey, apiVersion, body } = request;
  const { correlationId } = from;
  const answers = await partition.request(link, { correlationId, apiKey, apiVersion, body });
  for (const { body: answer, errorCode, parked } of answers)
    gateway.receive({
      to: from,
      body: answer,
      ...(errorCode !== undefined && { errorCode }),
      ...(parked !== undefined && { parked }),
    });
}

async function produce(): Promise<ProduceResponse | undefined> {
  const value = new Uint8Array(RECORD_BYTES).fill(lastId);
  const records = buildBatch(await loadKernels(), { records: [{ value, timestamp: Date.now() }] });
  const topicData = [{ name: '', topicId, partitionData: [{ index: 0, records }] }];
  const body = { transactionalId: null, acks: -1, timeoutMs: 1_000, topicData };
  const [reply] = await partition.request(link, { correlationId: ++lastId, apiKey: 0, apiVersion: 13, body });
  if (reply?.errorCode !== undefined) throw new Error(String(reply.errorCode));
  return reply?.body as ProduceResponse | undefined;
}

async function fetch(fetchOffset: number, isolationLevel = 0) {
  const wanted = {
    partition: 0,
    currentLeaderEpoch: 0,
    fetchOffset,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 1_000_000,
  };
  const topics = [{ topic: '', topicId, partitions: [wanted] }];
  const body = { maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, isolationLevel, topics };
  const from = { link: 1, correlationId: ++lastId };
  const shard = partition.shard;
  gateway.request({ shard, from, caller: CALLER, apiKey: 1, apiVersion: 13, body, credit: 1_000_000 });
  let reply: ShardReply | undefined;
  for (let turn = 0; turn < 5 && reply === undefined; turn++) {
    await settled();
    reply = replies.find(({ to }) => to.correlationId === from.correlationId);
  }
  const fetched = (reply?.body as FetchResponse | undefined)?.responses[0]?.partitions[0];
  const offsets: number[] = [];
  forEachBatch(fetched?.records ?? new Uint8Array(0), ({ baseOffset }) => offsets.push(baseOffset));
  return { errorCode: reply?.errorCode ?? fetched?.errorCode, offsets, fetched };
}

async function tiered(count = 12): Promise<void> {
  for (let record = 0; record < count; record++) await produce();
  await (await partition.host).alarm();
  await settled();
}

describe('a fetch of what is in remote storage', () => {
  test('is read there by a gateway that knows nothing, and its partition sleeps', async () => {
    await tiered();
    expect(remote.objects.size).toBeGreaterThan(3);
    partition.sleep();
    const { wakes } = partition;
    const found: number[] = [];
    const wakesBefore = new Map<number, number>();
    for (let next = 0; next < 12; next = (found.at(-1) ?? 0) + 1) {
      wakesBefore.set(next, partition.wakes);
      const { errorCode, offsets } = await fetch(next);
      expect(errorCode).toBe(0);
      found.push(...offsets);
    }
    expect(found).toEqual(Array.from({ length: 12 }, (_, offset) => offset));
    const ofPartition = asked.map(
      ({ body }) =>
        (body as { topics: { partitions: { fetchOffset: number }[] }[] }).topics[0]?.partitions[0]
          ?.fetchOffset,
    );
    expect(ofPartition.length).toBeGreaterThan(0);
    expect(ofPartition.every((offset) => (offset ?? 0) >= 8)).toBe(true);
    expect(wakesBefore.get(8)).toBe(wakes);
    expect(partition.wakes).toBe(wakes + 1);
  });

  test('is looked for once: who reads on where the partition has it asks nobody else', async () => {
    await tiered();
    const looks = () => remote.calls.filter((call) => call.startsWith('get test/places/')).length;
    for (const offset of [11, 11]) expect((await fetch(offset)).offsets[0]).toBe(offset);
    expect(looks()).toBe(1);
    for (const offset of [0, 1, 11]) expect((await fetch(offset)).offsets[0]).toBe(offset);
    expect(looks()).toBe(2);
    expect(asked).toHaveLength(3);
  });

  test('of which nothing is said is asked of the partition', async () => {
    await tiered();
    remote.objects.delete(`test/places/${topicId}/0`);
    expect((await fetch(0)).offsets[0]).toBe(0);
    expect(asked).toHaveLength(1);
    expect((await fetch(1)).offsets[0]).toBe(1);
    expect(asked).toHaveLength(1);
  });

  test('is read as it is now, whatever an old word of it says', async () => {
    await tiered();
    const key = `test/places/${topicId}/0`;
    const old = remote.objects.get(key);
    await produce();
    await tiered();
    if (old) remote.objects.set(key, old);
    const found: number[] = [];
    for (let next = 0; next < 25; next = (found.at(-1) ?? 0) + 1) found.push(...(await fetch(next)).offsets);
    expect(found).toEqual(Array.from({ length: 25 }, (_, offset) => offset));
  });

  test('tells what is committed, and of no transaction that was aborted elsewhere', async () => {
    await tiered();
    const { fetched } = await fetch(0, 1);
    expect(fetched).toMatchObject({
      highWatermark: 12,
      lastStableOffset: 12,
      logStartOffset: 0,
      abortedTransactions: [],
    });
  });

  test('whose object is gone is asked of the partition again', async () => {
    await tiered();
    await fetch(0);
    asked = [];
    const [first = ''] = [...remote.objects.keys()].filter((key) => key.includes('/e')).toSorted();
    const object = remote.objects.get(first);
    remote.objects.delete(first);
    expect((await fetch(0)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(asked).toHaveLength(1);
    if (object) remote.objects.set(first, object);
    expect((await fetch(0)).offsets[0]).toBe(0);
  });

  test('while remote storage is down is an error that clients try again after', async () => {
    await tiered();
    remote.before = () => {
      throw new Error('503');
    };
    expect((await fetch(0)).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect((await fetch(11)).offsets).toEqual([11]);
    remote.before = () => {};
    expect((await fetch(0)).offsets[0]).toBe(0);
  });

  test('that is called off is not answered', async () => {
    await tiered();
    await fetch(0);
    replies = [];
    remote.before = () => gateway.cancel(partition.shard, { link: 1, correlationId: lastId });
    await fetch(1);
    expect(replies).toHaveLength(0);
  });
});

describe('an object', () => {
  test('of a deleted topic deletes what it has elsewhere, as soon as that can be reached', async () => {
    await tiered();
    const host = await partition.host;
    remote.before = () => {
      throw new Error('503');
    };
    await expect(host.drop()).rejects.toThrow('503');
    expect(remote.objects.size).toBeGreaterThan(0);
    remote.before = () => {};
    await host.drop();
    expect(remote.objects.size).toBe(0);
  });

  test('short of room slows producers down, then takes no more, and goes on once there is room', async () => {
    partition.sleep();
    world.room = { throttleBytes: 1_000_000, refuseBytes: 3_000_000 };
    remote.before = () => {
      throw new Error('503');
    };
    const waits: number[] = [];
    const writing = async () => {
      for (;;) waits.push((await produce())?.throttleTimeMs ?? -1);
    };
    await expect(writing()).rejects.toThrow(String(ErrorCode.THROTTLING_QUOTA_EXCEEDED));
    expect(waits[0]).toBe(0);
    expect(waits.at(-1)).toBeGreaterThan(100);
    expect(waits.length).toBeLessThan(20);
    remote.before = () => {};
    await (await partition.host).alarm();
    await settled();
    expect((await produce())?.responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
    expect((await fetch(0)).offsets[0]).toBe(0);
  });
});
