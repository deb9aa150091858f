import { expect, test } from 'vitest';
import { Cluster, topicOf, uuidOf, type Topic } from './cluster.ts';

const NONE = 0;

function codes(cluster: Cluster, topics: readonly Topic[], validateOnly = false): [string, number][] {
  return cluster.create(topics, validateOnly).map(({ name, errorCode }) => [name, errorCode]);
}

test('a topic is created with its id, its partitions and all its settings', () => {
  const cluster = new Cluster();
  const configs = [{ name: 'retention.ms', value: '1000' }];
  const [created] = cluster.create([topicOf('orders', { numPartitions: 3, configs })]);
  expect(created).toMatchObject({
    name: 'orders',
    topicId: uuidOf(1),
    errorCode: NONE,
    errorMessage: null,
    numPartitions: 3,
    replicationFactor: 1,
  });
  const settings = new Map(created?.configs?.map((config) => [config.name, config]));
  expect(settings.get('retention.ms')).toMatchObject({ value: '1000', configSource: 1 });
  expect(settings.get('segment.bytes')).toMatchObject({ value: '1073741824', configSource: 5 });
  expect(settings.size).toBe(35);

  const topic = cluster.image.topic('orders');
  expect(topic).toBe(cluster.image.topicById(uuidOf(1)));
  expect(topic?.partitions).toHaveLength(3);
  expect(topic?.partitions[2]).toEqual({
    index: 2,
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    leaderRecoveryState: 0,
    directories: [uuidOf(801)],
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  });
  expect(cluster.image.configs(2, 'orders')).toEqual(new Map([['retention.ms', '1000']]));
});

test("minus one asks for the broker's own numbers", () => {
  const cluster = new Cluster({
    brokers: 3,
    staticConfigs: { 'num.partitions': '4', 'default.replication.factor': '2' },
  });
  const [created] = cluster.create([topicOf('t', { numPartitions: -1, replicationFactor: -1 })]);
  expect(created).toMatchObject({ errorCode: NONE, numPartitions: 4, replicationFactor: 2 });
});

test('leaders go round the brokers, and replicas of a partition are on different ones', () => {
  const cluster = new Cluster({ brokers: 3 });
  cluster.create([topicOf('t', { numPartitions: 6, replicationFactor: 2 })]);
  const partitions = cluster.image.topic('t')?.partitions ?? [];
  const leaders = partitions.map((partition) => partition.leader);
  expect(leaders.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 3, 3]);
  for (const { replicas, isr, leader } of partitions) {
    expect(new Set(replicas).size).toBe(2);
    expect(isr).toEqual(replicas);
    expect(leader).toBe(replicas[0]);
  }
});

test.each([
  ['', 17],
  ['.', 17],
  ['..', 17],
  ['a/b', 17],
  ['ümlaut', 17],
  ['a b', 17],
  ['x'.repeat(250), 17],
  ['x'.repeat(249), NONE],
  ['A-z.0_9', NONE],
  ['__cluster_metadata', 17],
  ['__share_group_state', 17],
])('the name %j gives %i', (name, code) => {
  expect(codes(new Cluster(), [topicOf(name)])).toEqual([[name, code]]);
});

test('names that differ in dots and underscores collide, with topics that are there and in a request', () => {
  const cluster = new Cluster();
  cluster.create([topicOf('a.b')]);
  expect(codes(cluster, [topicOf('a_b'), topicOf('c_d'), topicOf('c.d'), topicOf('ab')])).toEqual([
    ['a_b', 17],
    ['c_d', NONE],
    ['c.d', 17],
    ['ab', NONE],
  ]);
});

test('a topic that exists is refused, one named twice is refused once, the rest is created', () => {
  const cluster = new Cluster();
  cluster.create([topicOf('old')]);
  expect(codes(cluster, [topicOf('old'), topicOf('two'), topicOf('two'), topicOf('new')])).toEqual([
    ['old', 36],
    ['two', 42],
    ['new', NONE],
  ]);
  expect(cluster.image.topic('two')).toBeUndefined();
});

const assignment = (partitionIndex: number, ...brokerIds: number[]) => ({ partitionIndex, brokerIds });
const manual = { numPartitions: -1, replicationFactor: -1 };

test.each<[string, Partial<Topic>, number]>([
  ['no partitions', { numPartitions: 0 }, 37],
  ['fewer than no partitions', { numPartitions: -2 }, 37],
  ['no replicas', { replicationFactor: 0 }, 38],
  ['fewer than no replicas', { replicationFactor: -2 }, 38],
  ['more replicas than brokers', { replicationFactor: 4 }, 38],
  ['as many replicas as brokers', { replicationFactor: 3 }, NONE],
  ['too many partitions at once', { numPartitions: 10_001 }, 44],
  ['absurdly many partitions', { numPartitions: 2 ** 31 - 1 }, 44],
  ['chosen replicas', { ...manual, assignments: [assignment(1, 2, 3), assignment(0, 1, 2)] }, NONE],
  [
    'chosen replicas and a count',
    { numPartitions: 1, replicationFactor: -1, assignments: [assignment(0, 1)] },
    42,
  ],
  [
    'chosen replicas and a factor',
    { numPartitions: -1, replicationFactor: 1, assignments: [assignment(0, 1)] },
    42,
  ],
  ['a partition chosen twice', { ...manual, assignments: [assignment(0, 1), assignment(0, 2)] }, 39],
  ['a gap in the partitions', { ...manual, assignments: [assignment(0, 1), assignment(2, 2)] }, 39],
  ['a partition without replicas', { ...manual, assignments: [assignment(0)] }, 39],
  ['a broker that is not there', { ...manual, assignments: [assignment(0, 9)] }, 39],
  ['a broker twice', { ...manual, assignments: [assignment(0, 1, 1)] }, 39],
  ['uneven factors', { ...manual, assignments: [assignment(0, 1), assignment(1, 1, 2)] }, 39],
  ['an unknown setting', { configs: [{ name: 'no.such', value: '1' }] }, 40],
  ['a setting without value', { configs: [{ name: 'retention.ms', value: null }] }, 40],
  ['a bad value', { configs: [{ name: 'retention.ms', value: 'soon' }] }, 40],
])('%s', (_name, changes, code) => {
  const cluster = new Cluster({ brokers: 3 });
  const before = cluster.log.length;
  const [onlyValidated] = cluster.create([topicOf('t', changes)], true);
  expect(onlyValidated?.errorCode).toBe(code);
  expect(cluster.log).toHaveLength(before);
  const [created] = cluster.create([topicOf('t', changes)]);
  expect(created?.errorCode).toBe(code);
  expect(created?.errorMessage === null).toBe(code === NONE);
  expect(cluster.image.topic('t') !== undefined).toBe(code === NONE);
});

test('chosen replicas are taken as they are, by partition', () => {
  const cluster = new Cluster({ brokers: 3 });
  const [created] = cluster.create([
    topicOf('t', { ...manual, assignments: [assignment(1, 2, 3), assignment(0, 3, 1)] }),
  ]);
  expect(created).toMatchObject({ numPartitions: 2, replicationFactor: 2 });
  expect(cluster.image.topic('t')?.partitions.map(({ replicas }) => replicas)).toEqual([
    [3, 1],
    [2, 3],
  ]);
});

test('validating gives no id, for there is none', () => {
  const [validated] = new Cluster().create([topicOf('t', { numPartitions: 2 })], true);
  expect(validated).toMatchObject({ errorCode: NONE, numPartitions: 2, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' });
});

test('without a broker nothing can be created', () => {
  expect(codes(new Cluster({ brokers: 0 }), [topicOf('t')])).toEqual([['t', 38]]);
});

test('the offsets topic takes the shape that coordinators need, from anyone who leaves it to us', () => {
  const cluster = new Cluster();
  const [created] = cluster.create([topicOf('__consumer_offsets', manual)]);
  expect(created).toMatchObject({ errorCode: NONE, numPartitions: 50, replicationFactor: 1 });
  expect(cluster.image.configs(2, '__consumer_offsets')).toEqual(
    new Map([
      ['cleanup.policy', 'compact'],
      ['compression.type', 'producer'],
      ['segment.bytes', '104857600'],
    ]),
  );
});

test('the transaction topic asks for no more in-sync replicas than there can be', () => {
  const name = '__transaction_state';
  const alone = new Cluster();
  alone.create([topicOf(name, manual)]);
  expect(alone.image.configs(2, name).get('min.insync.replicas')).toBe('1');
  const three = new Cluster({ brokers: 3 });
  three.create([topicOf(name, manual)]);
  expect(three.image.topic(name)?.partitions[0]?.replicas).toHaveLength(3);
  expect(three.image.configs(2, name).get('min.insync.replicas')).toBe('2');
});

test.each<Partial<Topic>>([
  { numPartitions: 1 },
  { ...manual, replicationFactor: 1 },
  { ...manual, configs: [{ name: 'cleanup.policy', value: 'delete' }] },
  { ...manual, assignments: [assignment(0, 1)] },
])('nobody else shapes an internal topic: %j', (changes) => {
  expect(codes(new Cluster(), [topicOf('__consumer_offsets', changes)])).toEqual([
    ['__consumer_offsets', 17],
  ]);
});

test('a request that names too many topics is refused as a whole', () => {
  const cluster = new Cluster();
  const names = Array.from({ length: 10_001 }, (_, i) => `t-${i}`);
  const refused = (results: readonly { errorCode: number }[]) =>
    results.length === names.length && results.every(({ errorCode }) => errorCode === 44);
  expect(refused(cluster.create(names.map((name) => topicOf(name, { numPartitions: 0 }))))).toBe(true);
  expect(refused(cluster.delete({ topicNames: names }))).toBe(true);
  expect(refused(cluster.grow(names.map((name) => ({ name, count: 2, assignments: null }))))).toBe(true);
});
