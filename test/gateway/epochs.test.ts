import { cp, mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { offsetForLeaderEpochApi } from '../../src/wire/apis/23-offset-for-leader-epoch.ts';
import { noLog } from '../support/no-log.ts';
import { type RawClient, TestBroker, batch, batchesIn, fetchBody, fetchOne, produce } from './harness.ts';
import { SessionClient, type TopicName } from './session-client.ts';

const NONE = { epoch: -1, endOffset: -1 };

let directories: string[];
let server: TestBroker;
let client: RawClient;
let topic: TopicName;

beforeEach(async () => {
  directories = [];
  server = await TestBroker.start({ directory: await newDirectory(), flush: 'never' });
  client = await server.client();
  topic = await server.topic(client);
});
afterEach(async () => {
  await server.close();
  for (const directory of directories) await rm(directory, { recursive: true });
});

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'milena-epochs-'));
  directories.push(directory);
  return directory;
}

/** The machine goes down and comes up: of the partition it had written no more than the first `kept` batches. */
async function crash({ kept }: { kept: number }): Promise<void> {
  const left = await newDirectory();
  await cp(directories.at(-2) ?? '', left, { recursive: true });
  await server.close();
  const log = join(left, `${topic.name}-0`, '00000000000000000000.log');
  const sizes = batchesIn(await readFile(log)).map(({ sizeBytes }) => sizeBytes);
  await truncate(
    log,
    sizes.slice(0, kept).reduce((sum, size) => sum + size, 0),
  );
  server = await TestBroker.start({ directory: left, flush: 'never', log: noLog });
  client = await server.client();
}

async function produceMany(values: readonly string[]): Promise<void> {
  for (const value of values) expect((await produce(client, topic, batch([value]))).errorCode).toBe(0);
}

/** What Metadata says. */
async function leaderEpoch(): Promise<number> {
  const { topics } = await client.send(metadataApi, 12, { topics: [{ name: topic.name }] });
  return topics[0]?.partitions[0]?.leaderEpoch ?? -1;
}

/** Code, and where that epoch ends. */
async function endOf(epoch: number, currentLeaderEpoch = -1) {
  const partitions = [{ partition: 0, currentLeaderEpoch, leaderEpoch: epoch }];
  const { topics } = await client.send(offsetForLeaderEpochApi, 4, {
    topics: [{ topic: topic.name, partitions }],
  });
  const found = topics[0]?.partitions[0];
  return [found?.errorCode, { epoch: found?.leaderEpoch, endOffset: found?.endOffset }];
}

describe('after records were lost', () => {
  test('who has read them finds out: by the end of its epoch, and from the fetch itself', async () => {
    await produceMany(['a', 'b', 'c', 'd']);
    const epoch = await leaderEpoch();
    await crash({ kept: 2 });
    expect(await leaderEpoch()).toBeGreaterThan(epoch);
    await produceMany(['other c', 'other d', 'other e']);
    expect(await endOf(epoch)).toEqual([0, { epoch, endOffset: 2 }]);
    expect(await endOf(await leaderEpoch())).toEqual([0, { epoch: await leaderEpoch(), endOffset: 5 }]);
    // At 4 there is a record, but not the one that follows what this client has read.
    const diverged = await fetchOne(client, { topic, fetchOffset: 4, lastFetchedEpoch: epoch });
    expect([diverged.errorCode, diverged.records?.length]).toEqual([0, 0]);
    expect(diverged.divergingEpoch).toEqual({ epoch, endOffset: 2 });
    expect([diverged.highWatermark, diverged.logStartOffset]).toEqual([5, 0]);
    const resumed = await fetchOne(client, { topic, fetchOffset: 2, lastFetchedEpoch: epoch });
    expect(resumed.divergingEpoch).toEqual(NONE);
    expect(batchesIn(resumed.records).map(({ baseOffset }) => baseOffset)).toEqual([2, 3, 4]);
  });

  test('who knows only the old leader is told, and by whom it is led now', async () => {
    await produceMany(['a']);
    const epoch = await leaderEpoch();
    await crash({ kept: 1 });
    const now = await leaderEpoch();
    const ask = (currentLeaderEpoch: number, version: number) =>
      client.send(fetchApi, version, fetchBody([{ topic, fetchOffset: 1, currentLeaderEpoch }]));
    const fenced = await ask(epoch, 16);
    expect(fenced.responses[0]?.partitions[0]).toMatchObject({
      errorCode: ErrorCode.FENCED_LEADER_EPOCH,
      currentLeader: { leaderId: 1, leaderEpoch: now },
    });
    expect(fenced.nodeEndpoints).toEqual([{ nodeId: 1, ...server.broker.kafka, rack: null }]);
    const older = await ask(epoch, 15);
    expect(older.responses[0]?.partitions[0]).toMatchObject({
      errorCode: ErrorCode.FENCED_LEADER_EPOCH,
      currentLeader: { leaderId: -1, leaderEpoch: -1 },
    });
    const ahead = await ask(now + 1, 16);
    expect(ahead.responses[0]?.partitions[0]?.errorCode).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH);
    expect(ahead.nodeEndpoints).toEqual([]);
    expect((await ask(now, 16)).responses[0]?.partitions[0]?.errorCode).toBe(0);
    expect(await endOf(0, epoch)).toEqual([ErrorCode.FENCED_LEADER_EPOCH, NONE]);
    expect(await endOf(0, now + 1)).toEqual([ErrorCode.UNKNOWN_LEADER_EPOCH, NONE]);
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch: epoch, timestamp: -1 }];
    const listed = await client.send(listOffsetsApi, 9, {
      replicaId: -1,
      topics: [{ name: topic.name, partitions }],
    });
    expect(listed.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH);
  });

  test('an epoch of which nothing is left ends where an older one does', async () => {
    await produceMany(['a', 'b']);
    const first = await leaderEpoch();
    await crash({ kept: 2 });
    const second = await leaderEpoch();
    await produceMany(['c', 'd']);
    await crash({ kept: 1 });
    const third = await leaderEpoch();
    await produceMany(['e', 'f', 'g']);
    for (const epoch of [first, second])
      expect(await endOf(epoch)).toEqual([0, { epoch: first, endOffset: 1 }]);
    const read = (lastFetchedEpoch: number, fetchOffset: number) =>
      fetchOne(client, { topic, fetchOffset, lastFetchedEpoch });
    expect((await read(second, 4)).divergingEpoch).toEqual({ epoch: first, endOffset: 1 });
    expect((await read(second, 1)).divergingEpoch).toEqual({ epoch: first, endOffset: 1 });
    expect((await read(third, 4)).divergingEpoch).toEqual(NONE);
    expect(await endOf(third + 1)).toEqual([0, NONE]);
    expect((await read(third + 1, 4)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
  });

  test('a session tells it too, and goes on once the client has gone back', async () => {
    await produceMany(['a', 'b', 'c']);
    const epoch = await leaderEpoch();
    await crash({ kept: 1 });
    const session = new SessionClient(client);
    const key = session.keyOf(topic);
    const diverging = async () => (await session.fetch([])).partitions.get(key)?.divergingEpoch;
    await session.fetch([{ topic, fetchOffset: 3, lastFetchedEpoch: epoch }]);
    expect([await diverging(), await diverging()]).toEqual(Array(2).fill({ epoch, endOffset: 1 }));
    await session.fetch([{ topic, fetchOffset: 1, lastFetchedEpoch: epoch }]);
    expect((await session.fetch([])).partitions.size).toBe(0);
    await produceMany(['other b']);
    expect(batchesIn((await session.fetch([])).partitions.get(key)?.records ?? null)).toHaveLength(1);
  });

  test('records carry the epoch under which they were written', async () => {
    await produceMany(['a', 'b']);
    const epoch = await leaderEpoch();
    await crash({ kept: 1 });
    await produceMany(['c']);
    const epochAt = async (fetchOffset: number) => {
      const { records } = await fetchOne(client, { topic, fetchOffset });
      return Buffer.from(records ?? []).readInt32BE(12);
    };
    const epochs = [await epochAt(0), await epochAt(1)];
    expect(epochs).toEqual([epoch, await leaderEpoch()]);
  });
});

test('a reader that waits for much goes on where the disk ends and memory begins', async () => {
  await produceMany(['a', 'b']);
  const size = (await fetchOne(client, { topic })).records?.length ?? 0;
  await crash({ kept: 2 });
  await produceMany(['c']);
  const waits = { minBytes: size + 1, maxWaitMs: 600_000 };
  const { records } = await fetchOne(client, { topic }, waits);
  expect(batchesIn(records).map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2]);
  const tight = await fetchOne(client, { topic, partitionMaxBytes: size + 1 }, waits);
  expect(batchesIn(tight.records).map(({ baseOffset }) => baseOffset)).toEqual([0, 1]);
});

test('below the log start an offset is out of range, whatever the epoch', async () => {
  await produceMany(['a']);
  const { errorCode, divergingEpoch } = await fetchOne(client, {
    topic,
    fetchOffset: -1,
    lastFetchedEpoch: 0,
  });
  expect([errorCode, divergingEpoch]).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE, NONE]);
});
