import { describe, expect, test } from 'vitest';
import { encodeMetadataRecord } from '../../src/metadata/records.ts';
import { InvariantError } from '../../src/model/assert.ts';
import { byId, byName, Cluster, topicOf, uuidOf } from './cluster.ts';

const NONE = 0;
const codesOf = (results: readonly { name: string | null; errorCode: number }[]) =>
  results.map(({ name, errorCode }) => [name, errorCode]);

describe('delete topics', () => {
  const withTopics = (staticConfigs = {}) => {
    const cluster = new Cluster({ staticConfigs });
    cluster.create([
      topicOf('a', { configs: [{ name: 'retention.ms', value: '5' }] }),
      topicOf('b'),
      topicOf('c'),
    ]);
    return cluster;
  };

  test('by name takes the topic and its settings away; its name may be used again, its id not', () => {
    const cluster = withTopics();
    const old = cluster.image.topic('a')?.id ?? '';
    expect(codesOf(cluster.delete({ topicNames: ['a', 'nope'] }))).toEqual([
      ['a', NONE],
      ['nope', 3],
    ]);
    expect(cluster.image.topic('a')).toBeUndefined();
    expect(cluster.image.topicById(old)).toBeUndefined();
    expect(cluster.image.configs(2, 'a').size).toBe(0);
    cluster.create([topicOf('a')]);
    expect(cluster.image.topic('a')?.id).not.toBe(old);
  });

  test('by id answers with the name', () => {
    const cluster = withTopics();
    const id = cluster.image.topic('b')?.id ?? '';
    const [gone, unknown] = cluster.delete({ topics: [byId(id), byId(uuidOf(77))] });
    expect(gone).toMatchObject({ name: 'b', topicId: id, errorCode: NONE, errorMessage: null });
    expect(unknown).toMatchObject({ name: null, topicId: uuidOf(77), errorCode: 100 });
  });

  test('what is not one topic is refused', () => {
    const cluster = withTopics();
    const id = cluster.image.topic('a')?.id ?? '';
    const topics = [
      byName(null),
      { name: 'a', topicId: id },
      byName('c'),
      byName('c'),
      byId(uuidOf(77)),
      byId(uuidOf(77)),
      byName('b'),
      byId(cluster.image.topic('b')?.id ?? ''),
    ];
    expect(codesOf(cluster.delete({ topics }))).toEqual([
      [null, 42],
      ['a', 42],
      ['c', 42],
      [null, 42],
      ['b', NONE],
      [null, 42],
    ]);
    expect(cluster.image.topicCount).toBe(2);
  });

  test('coordinators keep their logs', () => {
    const cluster = new Cluster();
    cluster.create([topicOf('__consumer_offsets', { numPartitions: -1, replicationFactor: -1 })]);
    expect(codesOf(cluster.delete({ topicNames: ['__consumer_offsets'] }))).toEqual([
      ['__consumer_offsets', 17],
    ]);
  });

  test('can be turned off', () => {
    const cluster = withTopics({ 'delete.topic.enable': 'false' });
    expect(codesOf(cluster.delete({ topicNames: ['a'] }))).toEqual([['a', 73]]);
  });
});

describe('create partitions', () => {
  const withTopic = (brokers = 2) => {
    const cluster = new Cluster({ brokers });
    cluster.create([topicOf('t', { numPartitions: 2, replicationFactor: brokers })]);
    return cluster;
  };

  test('adds behind the partitions that are there, which stay as they were', () => {
    const cluster = withTopic();
    const before = [...(cluster.image.topic('t')?.partitions ?? [])];
    expect(codesOf(cluster.grow([{ name: 't', count: 5, assignments: null }]))).toEqual([['t', NONE]]);
    const after = cluster.image.topic('t')?.partitions ?? [];
    expect(after.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(after.slice(0, 2)).toEqual(before);
    expect(after.every(({ replicas }) => replicas.length === 2)).toBe(true);
  });

  const chosen = (...replicas: number[][]) => replicas.map((brokerIds) => ({ brokerIds }));
  test.each([
    ['the same count', 2, null, 37],
    ['fewer', 1, null, 37],
    ['fewer than none', -1, null, 37],
    ['too many at once', 10_003, null, 44],
    ['absurdly many', 2 ** 31 - 1, null, 44],
    ['an assignment for each', 3, chosen([2, 1]), NONE],
    ['too few assignments', 4, chosen([2, 1]), 39],
    ['too many assignments', 3, chosen([2, 1], [1, 2]), 39],
    ['another factor', 3, chosen([2]), 39],
    ['a broker that is not there', 3, chosen([2, 9]), 39],
    ['no assignment at all', 3, [], 39],
  ])('%s', (_name, count, assignments, code) => {
    const cluster = withTopic();
    const before = cluster.log.length;
    expect(codesOf(cluster.grow([{ name: 't', count, assignments }], true))).toEqual([['t', code]]);
    expect(cluster.log).toHaveLength(before);
    expect(codesOf(cluster.grow([{ name: 't', count, assignments }]))).toEqual([['t', code]]);
    expect(cluster.image.topic('t')?.partitions).toHaveLength(code === NONE ? count : 2);
  });

  test('unknown, named twice, internal', () => {
    const cluster = withTopic();
    cluster.create([topicOf('__consumer_offsets', { numPartitions: -1, replicationFactor: -1 })]);
    const ask = (name: string, count: number) => ({ name, count, assignments: null });
    expect(
      codesOf(cluster.grow([ask('no', 2), ask('t', 3), ask('t', 4), ask('__consumer_offsets', 60)])),
    ).toEqual([
      ['no', 3],
      ['t', 42],
      ['__consumer_offsets', 17],
    ]);
  });

  test('the bound is for the whole request', () => {
    const cluster = withTopic();
    cluster.create([topicOf('u')]);
    const ask = (name: string) => ({ name, count: 6_000, assignments: null });
    expect(codesOf(cluster.grow([ask('t'), ask('u')]))).toEqual([
      ['t', NONE],
      ['u', 44],
    ]);
  });
});

describe('producer ids', () => {
  test('are handed out one by one, a thousand to a record', () => {
    const cluster = new Cluster();
    const before = cluster.log.length;
    const ids = Array.from({ length: 1_001 }, () => cluster.initProducerId().producerId);
    expect(ids).toEqual(Array.from({ length: 1_001 }, (_, id) => id));
    expect(cluster.log).toHaveLength(before + 2);
    expect(cluster.image.nextProducerId).toBe(2_000);
  });

  test('a coordinator of transactions gets a block of its own', () => {
    const cluster = new Cluster();
    expect(cluster.initProducerId().producerId).toBe(0);
    expect(cluster.allocateProducerIds()).toMatchObject({
      errorCode: NONE,
      producerIdStart: 1_000,
      producerIdLen: 1_000,
    });
    expect(cluster.initProducerId().producerId).toBe(1);
    expect(cluster.allocateProducerIds().producerIdStart).toBe(2_000);
  });

  test('after a restart the next block begins: no id twice', () => {
    const cluster = new Cluster();
    expect(cluster.initProducerId()).toEqual({
      throttleTimeMs: 0,
      errorCode: NONE,
      producerId: 0,
      producerEpoch: 0,
    });
    const restarted = new Cluster({ log: cluster.log });
    expect(restarted.initProducerId().producerId).toBe(1_000);
    const fromSnapshot = new Cluster({ log: [...restarted.machine.snapshot()] });
    expect(fromSnapshot.initProducerId().producerId).toBe(2_000);
  });

  test.each([
    ['an empty transactional id', { transactionalId: '' }, 42],
    ['a transactional id, whose coordinator is to be asked', { transactionalId: 'tx' }, 42],
    ['an id without an epoch', { producerId: 4 }, 42],
    ['an epoch without an id', { producerEpoch: 4 }, 42],
    ['a known id, which a plain producer gives up', { producerId: 4, producerEpoch: 0 }, NONE],
  ])('%s', (_name, request, errorCode) => {
    const answer = new Cluster().initProducerId(request);
    expect(answer.errorCode).toBe(errorCode);
    expect(answer.producerId).toBe(errorCode === NONE ? 0 : -1);
  });
});

describe('registration', () => {
  test('a new cluster gets the levels of all features, once', () => {
    const cluster = new Cluster();
    expect(Object.fromEntries(cluster.image.features)).toEqual({
      'metadata.version': 30,
      'group.version': 1,
      'share.version': 1,
      'transaction.version': 2,
    });
    expect(cluster.log).toHaveLength(5);
    cluster.register(2, uuidOf(5));
    expect(cluster.log).toHaveLength(6);
  });

  test('the broker is there, unfenced, with its endpoints', () => {
    const [broker] = new Cluster().image.brokers();
    expect(broker).toMatchObject({
      id: 1,
      epoch: 0,
      incarnationId: uuidOf(901),
      endpoints: [{ name: 'PLAINTEXT', host: 'host-1', port: 9092, securityProtocol: 0 }],
      rack: null,
      fenced: false,
      logDirs: [uuidOf(801)],
    });
  });

  test('a restart is a new broker epoch, and a new leader epoch for what it led', () => {
    const cluster = new Cluster({ brokers: 2 });
    cluster.create([topicOf('t', { numPartitions: 2 })]);
    const led = cluster.image.topic('t')?.partitions.find(({ leader }) => leader === 1)?.index ?? -1;
    cluster.register(1, uuidOf(950));
    expect(cluster.image.broker(1)?.epoch).toBe(1);
    const partitions = cluster.image.topic('t')?.partitions ?? [];
    for (const { index, leader, leaderEpoch, partitionEpoch, isr } of partitions) {
      expect(leader).toBe(index === led ? 1 : 2);
      expect([leaderEpoch, partitionEpoch]).toEqual(index === led ? [1, 1] : [0, 0]);
      expect(isr).toEqual([leader]);
    }
  });

  test('the same process registering again changes no leader', () => {
    const cluster = new Cluster();
    cluster.create([topicOf('t')]);
    expect(cluster.register(1, uuidOf(901)).records).toHaveLength(1);
  });
});

test('nothing waits here, and a request for another shard is our fault', () => {
  const { machine } = new Cluster();
  expect(machine.wakeAtMs).toBe(Infinity);
  expect(machine.tick()).toEqual({ records: [], replies: [] });
  const caller = { principal: 'User:ANONYMOUS', clientId: '', clientHost: '' };
  const from = { link: 1, correlationId: 1 };
  expect(() => machine.decide({ from, caller, apiKey: 0, apiVersion: 9, body: {} })).toThrow(InvariantError);
});

describe('what a log of Kafka may hold', () => {
  const record = (type: number, version = 0) => ({ key: null, value: new Uint8Array([1, type, version, 0]) });
  const feature = (name: string, featureLevel: number) => ({
    key: null,
    value: encodeMetadataRecord({ type: 'featureLevel', name, featureLevel }),
  });

  test.each([
    ['registrations of controllers', [record(27)]],
    ['a tombstone', [{ key: null, value: null }]],
    ['features of Kafka 4.3', [feature('transaction.version', 2), feature('group.version', 1)]],
  ])('%s: nothing that matters here', (_, records) => {
    const cluster = new Cluster();
    cluster.append(records);
    expect(cluster.machine.whyNotServable()).toBeUndefined();
  });

  test.each([
    ['tokens', [record(10)], 'delegation tokens, which this version would not keep to'],
    ['a record of a newer Kafka', [record(0x3f)], 'records of type 63'],
    ['a newer version of a record', [record(2, 9)], 'records of type 2'],
    ['a newer metadata version', [feature('metadata.version', 31)], 'metadata.version is at level 31'],
    ['a feature of a newer Kafka', [feature('new.version', 1)], 'new.version is at level 1'],
  ])('%s: refused, and named', (_, records, why) => {
    const cluster = new Cluster();
    cluster.append(records);
    expect(cluster.machine.whyNotServable()).toContain(why);
  });

  test('other brokers: refused', () => {
    expect(new Cluster({ brokers: 3 }).machine.whyNotServable()).toContain('brokers 2, 3 are registered too');
  });

  test('partitions that nobody leads are led again, and an older metadata version is raised', () => {
    const cluster = new Cluster();
    cluster.create([topicOf('t')]);
    const { id: topicId = '' } = cluster.image.topic('t') ?? {};
    const noLeader = { topicId, partitionId: 0, leader: -1, isr: [], eligibleLeaderReplicas: [1] };
    cluster.append([
      { key: null, value: encodeMetadataRecord({ type: 'partitionChange', ...noLeader }) },
      feature('metadata.version', 25),
    ]);
    cluster.register(1, uuidOf(950));
    const elected = { leader: 1, isr: [1], eligibleLeaderReplicas: [] };
    expect(cluster.image.partition(topicId, 0)).toMatchObject(elected);
    expect(cluster.image.features.get('metadata.version')).toBe(30);
  });
});
