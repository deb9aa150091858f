/** What Kafka's tools ask of a cluster, and one node has an answer to. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { alterReplicaLogDirsApi } from '../../src/wire/apis/34-alter-replica-log-dirs.ts';
import { describeLogDirsApi } from '../../src/wire/apis/35-describe-log-dirs.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { electLeadersApi } from '../../src/wire/apis/43-elect-leaders.ts';
import { alterPartitionReassignmentsApi } from '../../src/wire/apis/45-alter-partition-reassignments.ts';
import { listPartitionReassignmentsApi } from '../../src/wire/apis/46-list-partition-reassignments.ts';
import { describeQuorumApi } from '../../src/wire/apis/55-describe-quorum.ts';
import { updateFeaturesApi } from '../../src/wire/apis/57-update-features.ts';
import { listConfigResourcesApi } from '../../src/wire/apis/74-list-config-resources.ts';
import { describeTopicPartitionsApi } from '../../src/wire/apis/75-describe-topic-partitions.ts';
import { batch, produce, type RawClient, TestBroker } from './harness.ts';

const { UNKNOWN_TOPIC_OR_PARTITION, ELECTION_NOT_NEEDED, LOG_DIR_NOT_FOUND } = ErrorCode;

let directory: string;
let broker: TestBroker;
let client: RawClient;
let topic: { name: string; id: string };
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'milena-one-node-'));
  broker = await TestBroker.start({ directory });
  client = await broker.client();
  topic = await broker.topic(client, { name: 'here', partitions: 2 });
  for (let i = 0; i < 3; i++) await produce(client, topic, batch(['x'.repeat(1_000)]));
});
afterAll(async () => {
  await broker.close();
  await rm(directory, { recursive: true });
});

async function logDirs(topics: { topic: string; partitions: number[] }[] | null, version = 4) {
  const { results } = await client.send(describeLogDirsApi, version, { topics });
  const [found, ...others] = results;
  expect(others).toEqual([]);
  if (found === undefined) throw new Error('no directory');
  const sizes = found.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, partitionSize }): [string, number] => [
      `${name}-${partitionIndex}`,
      partitionSize,
    ]),
  );
  return { ...found, sizes: new Map(sizes) };
}

async function bytesOnDisk(log: string): Promise<number> {
  const names = (await readdir(join(directory, log))).filter((name) => name.endsWith('.log'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, log, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('log directories', () => {
  test('the one there is, with what each partition takes of it and what is left', async () => {
    const { logDir, sizes, totalBytes, usableBytes } = await logDirs(null);
    expect(logDir).toBe(directory);
    expect(sizes.get('here-0')).toBeGreaterThan(3_000);
    expect(sizes.get('here-0')).toBe(await bytesOnDisk('here-0'));
    expect(sizes.get('here-1')).toBe(0);
    expect(totalBytes).toBeGreaterThan(usableBytes);
    expect(usableBytes).toBeGreaterThan(0);
    expect((await logDirs(null, 1)).totalBytes).toBe(-1);
  });

  test('those that are asked for; what is not there is left out', async () => {
    const asked = [
      { topic: 'here', partitions: [0, 9] },
      { topic: 'none', partitions: [0] },
    ];
    expect([...(await logDirs(asked)).sizes.keys()]).toEqual(['here-0']);
    expect((await logDirs([])).sizes.size).toBe(0);
  });

  test('sizes of logs that nobody has opened since the start', async () => {
    const before = (await logDirs(null)).sizes;
    await broker.broker.close();
    broker = await TestBroker.start({ directory });
    client = await broker.client();
    expect((await logDirs(null)).sizes).toEqual(before);
    await produce(client, topic, batch(['y']));
    expect((await logDirs(null)).sizes.get('here-0')).toBe(await bytesOnDisk('here-0'));
  });

  test('replicas are where they are, and go nowhere else', async () => {
    const move = async (path: string, name: string, partition: number) => {
      const dirs = [{ path, topics: [{ name, partitions: [partition] }] }];
      const { results } = await client.send(alterReplicaLogDirsApi, 2, { dirs });
      return results[0]?.partitions[0]?.errorCode;
    };
    expect(await move(directory, 'here', 0)).toBe(0);
    expect(await move('/elsewhere', 'here', 0)).toBe(LOG_DIR_NOT_FOUND);
    expect(await move(directory, 'none', 0)).toBe(UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('in memory there is one too', async () => {
    const other = await TestBroker.start();
    const its = await other.client();
    const made = await other.topic(its);
    await produce(its, made, batch(['x']));
    const { results } = await its.send(describeLogDirsApi, 5, { topics: null });
    expect(results).toMatchObject([{ logDir: 'memory', totalBytes: -1, isCordoned: false }]);
    expect(results[0]?.topics[0]?.partitions[0]?.partitionSize).toBeGreaterThan(60);
    await other.close();
  });
});

test('the quorum is this node, which has all of the metadata', async () => {
  const ask = (topicName: string) =>
    client.send(describeQuorumApi, 2, { topics: [{ topicName, partitions: [{ partitionIndex: 0 }] }] });
  const { topics, nodes } = await ask('__cluster_metadata');
  const [partition] = topics[0]?.partitions ?? [];
  expect(partition).toMatchObject({ errorCode: 0, leaderId: 1, observers: [] });
  expect(partition?.leaderEpoch).toBeGreaterThan(0);
  expect(partition?.highWatermark).toBeGreaterThan(0);
  expect(partition?.currentVoters).toMatchObject([{ replicaId: 1, logEndOffset: partition?.highWatermark }]);
  expect(partition?.currentVoters[0]?.replicaDirectoryId).toMatch(/^[\w-]{22}$/);
  expect(nodes).toMatchObject([{ nodeId: 1, listeners: [{ port: broker.broker.kafka.port }] }]);
  expect((await ask('here')).topics[0]?.partitions[0]?.errorCode).toBe(UNKNOWN_TOPIC_OR_PARTITION);
});

test('features: what is off is not finalised, and older clients hear of none that can be off', async () => {
  const features = async (version: number) => {
    const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' };
    const answer = await client.send(apiVersionsApi, version, software);
    const finalised = answer.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]);
    return { supported: answer.supportedFeatures.map(({ name }) => name), finalised };
  };
  const move = async (maxVersionLevel: number, upgradeType: number) => {
    const featureUpdates = [{ feature: 'group.version', maxVersionLevel, upgradeType }];
    return (await client.send(updateFeaturesApi, 2, { featureUpdates })).errorCode;
  };
  expect((await features(4)).supported).toContain('group.version');
  expect((await features(3)).supported).not.toContain('group.version');
  expect((await features(4)).finalised).toContainEqual(['group.version', 1]);
  expect(await move(0, 1)).toBe(ErrorCode.INVALID_UPDATE_VERSION);
  expect(await move(0, 2)).toBe(0);
  expect((await features(4)).finalised.map(([name]) => name)).not.toContain('group.version');
  expect(await move(1, 1)).toBe(0);
  expect((await features(4)).finalised).toContainEqual(['group.version', 1]);
});

test('an election is not needed', async () => {
  const elect = async (
    topicPartitions: { topic: string; partitions: number[] }[] | null,
    electionType = 0,
  ) => {
    const answer = await client.send(electLeadersApi, 2, { electionType, topicPartitions });
    const results = answer.replicaElectionResults.flatMap(({ topic: name, partitionResult }) =>
      partitionResult.map(({ partitionId, errorCode }) => `${name}-${partitionId}:${errorCode}`),
    );
    return [answer.errorCode, ...results];
  };
  const named = [
    { topic: 'here', partitions: [1, 7] },
    { topic: 'none', partitions: [0] },
  ];
  const unknown = UNKNOWN_TOPIC_OR_PARTITION;
  const said = [0, `here-1:${ELECTION_NOT_NEEDED}`, `here-7:${unknown}`, `none-0:${unknown}`];
  expect(await elect(named)).toEqual(said);
  expect(await elect(named, 1)).toEqual(said);
  expect(await elect(null)).toEqual([0]);
  expect(await elect(named, 2)).toEqual([ErrorCode.INVALID_REQUEST]);
});

test('partitions move to where they are, and not to who is not there', async () => {
  const move = async (replicas: number[] | null, name = 'here', allowReplicationFactorChange = true) => {
    const topics = [{ name, partitions: [{ partitionIndex: 0, replicas }] }];
    const answer = await client.send(alterPartitionReassignmentsApi, 1, {
      topics,
      allowReplicationFactorChange,
    });
    return answer.responses[0]?.partitions[0];
  };
  expect(await move([1])).toMatchObject({ errorCode: 0, errorMessage: null });
  expect(await move([2])).toMatchObject({ errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT });
  expect(await move([])).toMatchObject({ errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT });
  expect(await move(null)).toMatchObject({ errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS });
  expect(await move([1], 'none')).toMatchObject({ errorCode: UNKNOWN_TOPIC_OR_PARTITION });
  const listed = await client.send(listPartitionReassignmentsApi, 0, { topics: null });
  expect(listed).toMatchObject({ errorCode: 0, topics: [] });
});

test('pages of partitions, and what can be configured', async () => {
  const first = await client.send(describeTopicPartitionsApi, 0, { topics: [], responsePartitionLimit: 1 });
  expect(first).toMatchObject({
    topics: [{ name: 'here', topicId: topic.id }],
    nextCursor: { partitionIndex: 1 },
  });
  const bad = { topics: [{ name: 'here' }], cursor: { topicName: 'here', partitionIndex: -1 } };
  expect((await client.send(describeTopicPartitionsApi, 0, bad)).topics).toMatchObject([
    { name: 'here', errorCode: ErrorCode.INVALID_REQUEST },
  ]);
  const resources = await client.send(listConfigResourcesApi, 1, { resourceTypes: [2, 4] });
  expect(resources.configResources).toEqual([
    { resourceName: 'here', resourceType: 2 },
    { resourceName: '1', resourceType: 4 },
  ]);
});
