import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listConfigResources } from '../../src/metadata/list-config-resources.ts';
import { encodeMetadataRecord } from '../../src/metadata/records.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { Cluster, topicOf } from './cluster.ts';

const TOPIC = 2;
const BROKER = 4;
const LOGGER = 8;
const CLIENT_METRICS = 16;
const GROUP = 32;
const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

interface Change {
  on?: [type: number, name: string];
  set?: Record<string, string | null>;
  remove?: readonly string[];
  append?: Record<string, string>;
  subtract?: Record<string, string>;
}

function resourceOf({ on = [TOPIC, 't'], set = {}, remove = [], append = {}, subtract = {} }: Change) {
  const [resourceType, resourceName] = on;
  const all = (configOperation: number, values: Record<string, string | null>) =>
    Object.entries(values).map(([name, value]) => ({ name, configOperation, value }));
  const gone = Object.fromEntries(remove.map((name) => [name, null]));
  const configs = [
    ...all(SET, set),
    ...all(DELETE, gone),
    ...all(APPEND, append),
    ...all(SUBTRACT, subtract),
  ];
  return { resourceType, resourceName, configs };
}

function clusterOf(staticConfigs: Record<string, string> = {}): Cluster {
  const cluster = new Cluster({ staticConfigs });
  cluster.create([topicOf('t'), topicOf('u')]);
  return cluster;
}

/** Changes, and what came of it: `0`, or the code and the words. */
function alter(cluster: Cluster, ...changes: Change[]): (string | number)[] {
  return cluster
    .alter(changes.map(resourceOf))
    .map(({ errorCode, errorMessage }) => (errorCode === 0 ? 0 : `${errorCode} ${errorMessage}`));
}

const configsOf = (cluster: Cluster, type = TOPIC, name = 't') =>
  Object.fromEntries(cluster.image.configs(type, name));

describe('single settings', () => {
  test('are set, deleted and survive a replay of the log', () => {
    const cluster = clusterOf();
    expect(alter(cluster, { set: { 'segment.ms': '1000', 'cleanup.policy': 'compact' } })).toEqual([0]);
    expect(alter(cluster, { remove: ['segment.ms', 'retention.ms'] })).toEqual([0]);
    expect(configsOf(cluster)).toEqual({ 'cleanup.policy': 'compact' });
    expect(configsOf(new Cluster({ log: cluster.log }))).toEqual({ 'cleanup.policy': 'compact' });
  });

  test('lists grow and shrink: from what is set, else from what the node started with, else the default', () => {
    const cluster = clusterOf();
    expect(alter(cluster, { append: { 'cleanup.policy': 'compact, delete' } })).toEqual([0]);
    expect(configsOf(cluster)).toEqual({ 'cleanup.policy': 'delete,compact' });
    expect(alter(cluster, { subtract: { 'cleanup.policy': 'delete' } })).toEqual([0]);
    expect(configsOf(cluster)).toEqual({ 'cleanup.policy': 'compact' });
    const started = clusterOf({ 'log.cleanup.policy': 'compact' });
    expect(alter(started, { append: { 'cleanup.policy': 'delete' } })).toEqual([0]);
    expect(configsOf(started)).toEqual({ 'cleanup.policy': 'compact,delete' });
  });

  test('what says nothing new is not written, unless it is of a broker', () => {
    const cluster = clusterOf();
    const broker = { on: [BROKER, '1'] as [number, string], set: { 'log.segment.bytes': '2000000' } };
    alter(cluster, { set: { 'segment.ms': '7' } }, broker);
    const before = cluster.log.length;
    expect(alter(cluster, { set: { 'segment.ms': '7' } }, broker)).toEqual([0, 0]);
    expect(cluster.log.length - before).toBe(1);
  });

  test('one that is refused takes all of its resource with it, and no other resource', () => {
    const cluster = clusterOf();
    const bad = { set: { 'segment.ms': '7', 'retention.ms': 'soon' } };
    expect(alter(cluster, bad, { on: [TOPIC, 'u'], set: { 'segment.ms': '8' } })).toEqual([
      '40 Invalid value soon for configuration retention.ms: Not a number of type LONG',
      0,
    ]);
    expect(configsOf(cluster)).toEqual({});
    expect(configsOf(cluster, TOPIC, 'u')).toEqual({ 'segment.ms': '8' });
  });

  test('validateOnly says the same, and writes nothing', () => {
    const cluster = clusterOf();
    const resources = [resourceOf({ set: { 'segment.ms': '7' } }), resourceOf({ on: [TOPIC, 'none'] })];
    const before = cluster.log.length;
    expect(cluster.alter(resources, true).map(({ errorCode }) => errorCode)).toEqual([0, 3]);
    expect(cluster.log.length).toBe(before);
  });

  test.each<[string, Change, string]>([
    [
      'no such topic',
      { on: [TOPIC, 'none'], set: { 'segment.ms': '1' } },
      "3 The topic 'none' does not exist.",
    ],
    ['no topic', { on: [TOPIC, ''] }, '42 Default topic resources are not allowed.'],
    ['no name of a topic', { on: [TOPIC, 'a b'] }, '17 Topic name is invalid'],
    ['unknown setting', { set: { 'no.such': '1' } }, '40 Unknown topic config name: no.such'],
    ['out of range', { set: { 'segment.bytes': '1' } }, '40 Invalid value 1 for configuration segment.bytes'],
    ['not kept to', { set: { preallocate: 'true' } }, '40 preallocate=true is not kept to here: files'],
    ['crossing lags', { set: { 'min.compaction.lag.ms': '9', 'max.compaction.lag.ms': '8' } }, '40 conflict'],
    ['no value', { set: { 'segment.ms': null } }, '42 Null value not supported for : segment.ms'],
    [
      'no list',
      { append: { 'segment.ms': '1' } },
      "40 Can't APPEND to key segment.ms because its type is not LIST.",
    ],
    [
      'a list without',
      { subtract: { 'cleanup.policy': 'x' }, append: { 'cleanup.policy': 'y' } },
      '42 Error due to duplicate',
    ],
    ['unknown type', { on: [64, 'x'], set: { a: 'b' } }, '42 Unknown resource type 64'],
    ['a logger', { on: [LOGGER, '1'], set: { root: 'DEBUG' } }, '40 Logger root does not exist!'],
    ['of another node', { on: [LOGGER, '7'] }, '42 Unexpected broker id, expected 1, but received 7'],
  ])('%s: Kafka’s own error, and nothing is written', (_, change, said) => {
    const cluster = clusterOf();
    const before = cluster.log.length;
    expect(alter(cluster, change)).toEqual([expect.stringContaining(said)]);
    expect(cluster.log.length).toBe(before);
  });

  test('an operation Kafka does not have', () => {
    const configs = [{ name: 'segment.ms', configOperation: 9, value: '1' }];
    const [answer] = clusterOf().alter([{ resourceType: TOPIC, resourceName: 't', configs }]);
    expect(answer).toMatchObject({ errorCode: 42, errorMessage: 'Unknown operations type 9' });
  });

  test('a resource that comes twice is refused twice', () => {
    const cluster = clusterOf();
    const twice = '42 Each resource must appear at most once.';
    expect(alter(cluster, { set: { 'segment.ms': '1' } }, { set: { 'segment.ms': '2' } })).toEqual([
      twice,
      twice,
    ]);
    expect(configsOf(cluster)).toEqual({});
  });

  test('a list never grows beyond what the log can hold', () => {
    const cluster = clusterOf();
    const name = 'leader.replication.throttled.replicas';
    const pairs = (from: number) => Array.from({ length: 4_000 }, (_, at) => `${from + at}:1`).join();
    expect(alter(cluster, { set: { [name]: pairs(10_000) } })).toEqual([0]);
    expect(alter(cluster, { append: { [name]: pairs(20_000) } })).toEqual([
      `40 The value of ${name} is longer than 32767 bytes`,
    ]);
    expect(configsOf(cluster)[name]).toBe(pairs(10_000));
  });

  test('too many changes at once', () => {
    const cluster = clusterOf();
    const set = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`plugin.${at}`, 'x']));
    const before = cluster.log.length;
    expect(alter(cluster, { on: [BROKER, '1'], set })).toEqual([
      '44 Unable to perform excessively large batch operation.',
    ]);
    expect(cluster.log.length).toBe(before);
  });

  test('a topic that brought a setting we do not keep to can be changed all the same', () => {
    const cluster = clusterOf();
    const kept = { resourceType: TOPIC, resourceName: 't', name: 'preallocate', value: 'true' };
    cluster.append([{ key: null, value: encodeMetadataRecord({ type: 'config', ...kept }) }]);
    expect(alter(cluster, { set: { 'segment.ms': '5' } })).toEqual([0]);
  });
});

describe('all settings of a resource', () => {
  const replace = (cluster: Cluster, values: Record<string, string | null>, validateOnly = false) => {
    const configs = Object.entries(values).map(([name, value]) => ({ name, value }));
    const resources = [{ resourceType: TOPIC, resourceName: 't', configs }];
    return cluster.replace(resources, validateOnly).map(({ errorCode }) => errorCode);
  };

  test('what is not named goes', () => {
    const cluster = clusterOf();
    alter(cluster, { set: { 'segment.ms': '1', 'retention.ms': '2' } });
    expect(replace(cluster, { 'segment.ms': '3', 'max.message.bytes': '4' })).toEqual([0]);
    expect(configsOf(cluster)).toEqual({ 'segment.ms': '3', 'max.message.bytes': '4' });
    expect(replace(cluster, {}, true)).toEqual([0]);
    expect(configsOf(cluster)).not.toEqual({});
    expect(replace(cluster, {})).toEqual([0]);
    expect(configsOf(cluster)).toEqual({});
  });

  test('what is refused leaves all as it was', () => {
    const cluster = clusterOf();
    alter(cluster, { set: { 'segment.ms': '1' } });
    expect(replace(cluster, { 'segment.bytes': '2000000', 'no.such': '1' })).toEqual([
      ErrorCode.INVALID_CONFIG,
    ]);
    expect(replace(cluster, { 'segment.ms': null })).toEqual([ErrorCode.INVALID_REQUEST]);
    expect(configsOf(cluster)).toEqual({ 'segment.ms': '1' });
  });

  test('both ways come to the same', () => {
    const name = fc.constantFrom('segment.ms', 'retention.ms', 'max.message.bytes', 'file.delete.delay.ms');
    const values = fc.dictionary(name, fc.integer({ min: 1, max: 9 }).map(String));
    fc.assert(
      fc.property(values, values, (before, after) => {
        const [one, other] = [clusterOf(), clusterOf()];
        alter(one, { set: before });
        replace(other, before);
        const remove = Object.keys(before).filter((key) => !(key in after));
        alter(one, { set: after, remove });
        replace(other, after);
        expect(configsOf(one)).toEqual(configsOf(other));
        expect(configsOf(one)).toEqual({ ...after });
      }),
      { numRuns: 50 },
    );
  });
});

describe('settings of brokers', () => {
  const set = (values: Record<string, string>, name = '1', cluster = clusterOf()) =>
    alter(cluster, { on: [BROKER, name], set: values });

  test('of one, and of all: the stronger counts for topics, and goes again', () => {
    const cluster = clusterOf();
    const segmentBytes = () =>
      cluster
        .describe(TOPIC, 't', { keys: ['segment.bytes'] })
        .configs.map(({ value, configSource }) => [value, configSource]);
    set({ 'log.segment.bytes': '2000000' }, '', cluster);
    expect(segmentBytes()).toEqual([['2000000', 3]]);
    set({ 'log.segment.bytes': '3000000' }, '1', cluster);
    expect(segmentBytes()).toEqual([['3000000', 2]]);
    alter(cluster, { on: [BROKER, '1'], remove: ['log.segment.bytes'] });
    alter(cluster, { on: [BROKER, ''], remove: ['log.segment.bytes'] });
    expect(segmentBytes()).toEqual([['1073741824', 5]]);
  });

  test.each<[string, Record<string, string>, string]>([
    [
      'only read at the start',
      { 'num.partitions': '3' },
      '42 Cannot update these configs dynamically: num.partitions',
    ],
    [
      'out of range',
      { 'message.max.bytes': '-1' },
      '42 Invalid value -1 for configuration message.max.bytes',
    ],
    [
      'of listeners',
      { listeners: 'PLAINTEXT://:1' },
      '42 listeners cannot be set while the node runs: who comes in',
    ],
    ['more copies than nodes', { 'min.insync.replicas': '2' }, '42 min.insync.replicas cannot be set'],
  ])('%s', (_, values, said) => {
    expect(set(values)).toEqual([expect.stringContaining(said)]);
    expect(set(values, '')).toEqual([expect.stringContaining(said)]);
  });

  test('of another node, or of none', () => {
    expect(set({ 'log.segment.bytes': '2000000' }, '2')).toEqual([
      '42 Unexpected broker id, expected 1, but received 2',
    ]);
    expect(set({}, 'one')).toEqual(['42 Node id must be an integer, but it is: one']);
  });

  test('names of plugins are taken and shown as secrets, as by Kafka', () => {
    const cluster = clusterOf();
    expect(set({ 'my.plugin': 'hush' }, '', cluster)).toEqual([0]);
    for (const name of ['', '1']) {
      const { configs } = cluster.describe(BROKER, name, { keys: ['my.plugin'] });
      expect(configs).toMatchObject([{ name: 'my.plugin', value: null, isSensitive: true, configSource: 3 }]);
    }
  });
});

describe('settings of groups and of client metrics', () => {
  test('are kept, described and listed', () => {
    const cluster = clusterOf();
    const group = { on: [GROUP, 'g'] as [number, string], set: { 'consumer.session.timeout.ms': '50000' } };
    const metrics = { interval: '1000' };
    const subscription = {
      on: [CLIENT_METRICS, 's'] as [number, string],
      set: {
        'interval.ms': metrics.interval,
        match: 'client_id=app-.*,client_software_name=x',
        metrics: '*',
      },
    };
    expect(alter(cluster, group, subscription)).toEqual([0, 0]);
    expect(cluster.describe(GROUP, 'g', { keys: ['consumer.session.timeout.ms'] }).configs).toMatchObject([
      { value: '50000', configSource: 8 },
    ]);
    expect(cluster.describe(CLIENT_METRICS, 's', { keys: ['interval.ms'] }).configs).toMatchObject([
      { value: '1000', configSource: 7 },
    ]);
    const listed = (resourceTypes: number[], isOld = false) =>
      listConfigResources(cluster.image, { resourceTypes }, { isOld });
    expect(
      listed([]).configResources.map(({ resourceType, resourceName }) => `${resourceType}:${resourceName}`),
    ).toEqual(['2:t', '2:u', '4:1', '8:1', '16:s', '32:g']);
    expect(listed([GROUP, GROUP]).configResources).toEqual([{ resourceName: 'g', resourceType: GROUP }]);
    expect(listed([], true).configResources).toEqual([{ resourceName: 's', resourceType: CLIENT_METRICS }]);
    expect(listed([3])).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION, configResources: [] });
  });

  test.each<[string, Change, string]>([
    ['no group', { on: [GROUP, ''] }, '42 Default group resources are not allowed.'],
    ['unknown', { on: [GROUP, 'g'], set: { 'segment.ms': '1' } }, '40 Unknown group config name: segment.ms'],
    [
      'below what brokers allow',
      { on: [GROUP, 'g'], set: { 'consumer.session.timeout.ms': '1' } },
      '40 consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
    ],
    [
      'above it',
      { on: [GROUP, 'g'], set: { 'share.delivery.count.limit': '11' } },
      '40 share.delivery.count.limit must be less than or equal to group.share.max.delivery.count.limit',
    ],
    [
      'more standbys than allowed',
      { on: [GROUP, 'g'], set: { 'streams.num.standby.replicas': '3' } },
      '40 streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas',
    ],
    [
      'no offset to start at',
      { on: [GROUP, 'g'], set: { 'share.auto.offset.reset': 'soon' } },
      '40 Invalid value soon',
    ],
    ['no subscription', { on: [CLIENT_METRICS, ''] }, "42 Subscription name can't be empty"],
    [
      'unknown of it',
      { on: [CLIENT_METRICS, 's'], set: { a: 'b' } },
      '42 Unknown client metrics configuration: a',
    ],
    [
      'too often',
      { on: [CLIENT_METRICS, 's'], set: { 'interval.ms': '9' } },
      '42 Invalid value 9 for interval.ms',
    ],
    [
      'no selector',
      { on: [CLIENT_METRICS, 's'], set: { match: 'client_id' } },
      '40 Illegal client matching pattern: client_id',
    ],
    [
      'unknown selector',
      { on: [CLIENT_METRICS, 's'], set: { match: 'who=me' } },
      '40 Illegal client matching pattern: who=me',
    ],
    [
      'no expression',
      { on: [CLIENT_METRICS, 's'], set: { match: 'client_id=(' } },
      '40 Illegal client matching pattern',
    ],
  ])('%s', (_, change, said) => {
    const cluster = clusterOf();
    const before = cluster.log.length;
    expect(alter(cluster, change)).toEqual([expect.stringContaining(said)]);
    expect(cluster.log.length).toBe(before);
  });

  test('a session must outlast a heartbeat', () => {
    const cluster = new Cluster({ staticConfigs: { 'group.consumer.min.session.timeout.ms': '1' } });
    expect(alter(cluster, { on: [GROUP, 'g'], set: { 'consumer.session.timeout.ms': '5000' } })).toEqual([
      '40 consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms',
    ]);
  });

  test.each(['latest', 'earliest', 'by_duration:PT1H', 'by_duration:P1DT2H3M4.5S'])(
    'a share group starts at %s',
    (value) => {
      expect(alter(clusterOf(), { on: [GROUP, 'g'], set: { 'share.auto.offset.reset': value } })).toEqual([
        0,
      ]);
    },
  );
});
