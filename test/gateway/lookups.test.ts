import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { saslHandshakeApi } from '../../src/wire/apis/17-sasl-handshake.ts';
import { offsetForLeaderEpochApi } from '../../src/wire/apis/23-offset-for-leader-epoch.ts';
import { describeConfigsApi } from '../../src/wire/apis/32-describe-configs.ts';
import { saslAuthenticateApi } from '../../src/wire/apis/36-sasl-authenticate.ts';
import { describeClusterApi } from '../../src/wire/apis/60-describe-cluster.ts';
import { doorPort } from './doors.ts';
import { type RawClient, TestBroker, batch, produce } from './harness.ts';

let server: TestBroker;
let client: RawClient;
beforeAll(async () => {
  server = await TestBroker.start({ host: '0.0.0.0' });
  client = await server.client('127.0.0.1');
});
afterAll(() => server.close());

const NOBODY = { name: 'nobody', id: 'AAAAAAAAAAAAAAAAAAAAZw' };

describe('Metadata', () => {
  test.each(['127.0.0.1', '127.0.0.2', '127.1.2.3'])(
    'names the address the client came in on: %s',
    async (host) => {
      const port = doorPort(server.broker);
      const visitor = await server.client(host);
      const { brokers, controllerId, clusterId } = await visitor.send(metadataApi, 12, { topics: [] });
      expect(brokers).toEqual([{ nodeId: 1, host, port, rack: null }]);
      expect([controllerId, clusterId]).toEqual([1, server.broker.image.clusterId]);
      const found = await visitor.send(findCoordinatorApi, 3, { key: 'group' });
      expect([found.nodeId, found.host, found.port]).toEqual([1, host, port]);
      const cluster = await visitor.send(describeClusterApi, 1, {
        includeClusterAuthorizedOperations: false,
      });
      expect(cluster.brokers.map((broker) => [broker.host, broker.port])).toEqual([[host, port]]);
    },
  );

  test('null asks for all topics, an empty list for none; in v0 an empty list is all', async () => {
    const topic = await server.topic(client, { partitions: 3 });
    const names = async (version: number, topics: { name: string }[] | null) =>
      (await client.send(metadataApi, version, { topics })).topics.map(({ name }) => name);
    expect(await names(12, null)).toContain(topic.name);
    expect(await names(0, [])).toContain(topic.name);
    expect(await names(12, [])).toEqual([]);
  });

  test('by id', async () => {
    const topic = await server.topic(client, { partitions: 2 });
    const ids = [topic.id, NOBODY.id].map((topicId) => ({ topicId, name: null }));
    const { topics } = await client.send(metadataApi, 12, { topics: ids });
    expect(topics.map(({ name, errorCode, partitions }) => [name, errorCode, partitions.length])).toEqual([
      [topic.name, 0, 2],
      [null, ErrorCode.UNKNOWN_TOPIC_ID, 0],
    ]);
  });

  test('creates what is missing when client and settings allow it, once', async () => {
    const ask = (name: string, allowAutoTopicCreation: boolean) =>
      client.send(metadataApi, 12, { topics: [{ name }], allowAutoTopicCreation });
    const refused = await ask('made-on-demand', false);
    expect(refused.topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const made = await Promise.all([ask('made-on-demand', true), ask('made-on-demand', true)]);
    expect(made.map(({ topics }) => topics[0]?.errorCode)).toEqual([0, 0]);
    expect(new Set(made.map(({ topics }) => topics[0]?.topicId)).size).toBe(1);
    const bad = await ask('not/a/name', true);
    expect(bad.topics[0]?.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
  });

  test('creates nothing where settings forbid it', async () => {
    const strict = await TestBroker.start({ settings: new Map([['auto.create.topics.enable', 'false']]) });
    const { topics } = await (await strict.client()).send(metadataApi, 12, { topics: [{ name: 'wish' }] });
    await strict.close();
    expect(topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });
});

describe('ListOffsets', () => {
  const EARLIEST = -2;
  const LATEST = -1;
  const MAX_TIMESTAMP = -3;
  const EARLIEST_LOCAL = -4;
  const LAST_TIERED = -5;

  async function offsetOf(
    topic: { name: string },
    timestamp: number,
    { currentLeaderEpoch = -1, partition = 0 } = {},
  ) {
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch, timestamp }];
    const response = await client.send(listOffsetsApi, 9, {
      replicaId: -1,
      topics: [{ name: topic.name, partitions }],
    });
    const found = response.topics[0]?.partitions[0];
    return [found?.errorCode, found?.offset, found?.timestamp, found?.leaderEpoch];
  }

  test('an empty log', async () => {
    const topic = await server.topic(client);
    expect(await offsetOf(topic, EARLIEST)).toEqual([0, 0, -1, 0]);
    expect(await offsetOf(topic, LATEST)).toEqual([0, 0, -1, 0]);
    expect((await offsetOf(topic, MAX_TIMESTAMP)).slice(0, 2)).toEqual([0, -1]);
    expect((await offsetOf(topic, 5)).slice(0, 2)).toEqual([0, -1]);
  });

  test('by time and by sentinel, to the record', async () => {
    const topic = await server.topic(client);
    const at = (...timestamps: number[]) => batch(timestamps.map((timestamp) => ({ timestamp })));
    for (const records of [at(100, 200), at(400, 300), at(250)]) await produce(client, topic, records);
    expect(await offsetOf(topic, EARLIEST)).toEqual([0, 0, -1, 0]);
    expect(await offsetOf(topic, LATEST)).toEqual([0, 5, -1, 0]);
    expect(await offsetOf(topic, MAX_TIMESTAMP)).toEqual([0, 2, 400, 0]);
    expect(await offsetOf(topic, EARLIEST_LOCAL)).toEqual([0, 0, -1, 0]);
    expect((await offsetOf(topic, LAST_TIERED)).slice(0, 2)).toEqual([0, -1]);
    for (const [timestamp, offset, found] of [
      [0, 0, 100],
      [100, 0, 100],
      [101, 1, 200],
      [201, 2, 400],
      [400, 2, 400],
      [401, -1, -1],
    ] as const) {
      expect((await offsetOf(topic, timestamp)).slice(0, 3)).toEqual([0, offset, found]);
    }
  });

  test('unknown topics and wrong epochs', async () => {
    const topic = await server.topic(client);
    expect((await offsetOf(NOBODY, LATEST))[0]).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await offsetOf(topic, LATEST, { partition: 1 }))[0]).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await offsetOf(topic, LATEST, { currentLeaderEpoch: 1 }))[0]).toBe(
      ErrorCode.UNKNOWN_LEADER_EPOCH,
    );
    expect((await offsetOf(topic, LATEST, { currentLeaderEpoch: 0 }))[0]).toBe(0);
  });
});

test('OffsetForLeaderEpoch: where an epoch ends', async () => {
  const topic = await server.topic(client);
  await produce(client, topic, batch(['a', 'b']));
  const ask = async (leaderEpoch: number, currentLeaderEpoch = -1) => {
    const partitions = [{ partition: 0, currentLeaderEpoch, leaderEpoch }];
    const response = await client.send(offsetForLeaderEpochApi, 4, {
      topics: [{ topic: topic.name, partitions }],
    });
    const found = response.topics[0]?.partitions[0];
    return [found?.errorCode, found?.leaderEpoch, found?.endOffset];
  };
  expect(await ask(0)).toEqual([0, 0, 2]);
  expect(await ask(7)).toEqual([0, -1, -1]);
  expect(await ask(0, 5)).toEqual([ErrorCode.UNKNOWN_LEADER_EPOCH, -1, -1]);
});

describe('FindCoordinator', () => {
  test('groups, one or many', async () => {
    const { coordinators } = await client.send(findCoordinatorApi, 4, { coordinatorKeys: ['one', 'two'] });
    expect(coordinators.map(({ key, errorCode, nodeId }) => [key, errorCode, nodeId])).toEqual([
      ['one', 0, 1],
      ['two', 0, 1],
    ]);
  });

  test.each([
    ['a share partition that is none', 2, 6],
    ['a share partition, to old clients', 2, 5],
    ['what nobody knows', 9, 6],
  ])('%s is refused in words', async (_, keyType, version) => {
    const keys = { keyType, coordinatorKeys: ['x'] };
    const { coordinators } = await client.send(findCoordinatorApi, version, keys);
    expect(coordinators[0]).toMatchObject({
      key: 'x',
      errorCode: ErrorCode.INVALID_REQUEST,
      nodeId: -1,
      host: '',
    });
    expect(coordinators[0]?.errorMessage).toMatch(/\w+ \w+/);
  });
});

test('SASL on a plaintext listener is refused and the connection goes on', async () => {
  const asking = await server.client('127.0.0.1');
  const handshake = await asking.send(saslHandshakeApi, 1, { mechanism: 'PLAIN' });
  const authenticated = await asking.send(saslAuthenticateApi, 2, {
    authBytes: new Uint8Array([0, 1, 0, 2]),
  });
  expect([handshake.errorCode, authenticated.errorCode]).toEqual([
    ErrorCode.ILLEGAL_SASL_STATE,
    ErrorCode.ILLEGAL_SASL_STATE,
  ]);
  expect((await asking.send(metadataApi, 12, { topics: [] })).brokers.length).toBe(1);
});

describe('DescribeConfigs', () => {
  const TOPIC = 2;
  const BROKER = 4;
  const describeOne = async (resourceType: number, resourceName: string) => {
    const resources = [{ resourceType, resourceName, configurationKeys: null }];
    const options = { includeSynonyms: true, includeDocumentation: true };
    const { results } = await client.send(describeConfigsApi, 4, { resources, ...options });
    return results[0];
  };

  test('a topic has every setting, each with value, type, source and words', async () => {
    const topic = await server.topic(client, { configs: { 'retention.ms': '1234' } });
    const described = await describeOne(TOPIC, topic.name);
    expect(described?.errorCode).toBe(0);
    const configs = described?.configs ?? [];
    expect(configs.length).toBeGreaterThan(30);
    for (const { name, configType, documentation } of configs) {
      expect([name, configType > 0, (documentation ?? '').length > 10]).toEqual([name, true, true]);
    }
    const retention = configs.find(({ name }) => name === 'retention.ms');
    expect([retention?.value, retention?.configSource, retention?.readOnly]).toEqual(['1234', 1, false]);
    expect(retention?.synonyms.map(({ name }) => name)).toContain('retention.ms');
  });

  test('a broker has all of its own, what was given at start among them', async () => {
    const described = await describeOne(BROKER, '1');
    const valueOf = (name: string) => described?.configs.find((config) => config.name === name)?.value;
    expect(described?.configs.length).toBeGreaterThan(200);
    expect(valueOf('node.id')).toBe('1');
    expect(valueOf('listeners')).toBe(`PLAINTEXT://0.0.0.0:${server.broker.kafka.port}`);
    expect(valueOf('group.initial.rebalance.delay.ms')).toBe('0');
  });

  test('what is not there', async () => {
    expect((await describeOne(TOPIC, 'nobody'))?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await describeOne(BROKER, '7'))?.errorCode).toBe(ErrorCode.INVALID_REQUEST);
    expect((await describeOne(99, 'x'))?.errorCode).toBe(ErrorCode.INVALID_REQUEST);
  });
});
