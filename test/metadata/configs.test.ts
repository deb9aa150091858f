import { describe, expect, test } from 'vitest';
import { BROKER_CONFIGS } from '../../src/metadata/configs/broker-configs.ts';
import { topicConfig } from '../../src/metadata/configs/effective.ts';
import { CLIENT_METRICS_CONFIGS, GROUP_CONFIGS } from '../../src/metadata/configs/other-configs.ts';
import { TOPIC_CONFIGS } from '../../src/metadata/configs/topic-configs.ts';
import {
  checkBrokerConfigs,
  checkConfigValue,
  checkTopicConfigs,
} from '../../src/metadata/configs/validate.ts';
import { encodeMetadataRecord, type MetadataRecordInit } from '../../src/metadata/records.ts';
import { Cluster, topicOf } from './cluster.ts';

const TOPIC = 2;
const BROKER = 4;
const LOGGER = 8;
const CLIENT_METRICS = 16;
const GROUP = 32;

const set = (
  resourceType: number,
  resourceName: string,
  name: string,
  value: string,
): MetadataRecordInit => ({
  type: 'config',
  resourceType,
  resourceName,
  name,
  value,
});

function clusterWith(
  records: readonly MetadataRecordInit[],
  staticConfigs: Record<string, string> = {},
): Cluster {
  const cluster = new Cluster({ staticConfigs });
  cluster.create([topicOf('t', { configs: [{ name: 'segment.ms', value: '1000' }] })]);
  cluster.append(records.map((record) => ({ key: null, value: encodeMetadataRecord(record) })));
  return cluster;
}

describe('the tables', () => {
  const tables = { TOPIC_CONFIGS, BROKER_CONFIGS, GROUP_CONFIGS, CLIENT_METRICS_CONFIGS };

  test.each(Object.entries(tables))(
    '%s: in order, explained, and every default is allowed',
    (_name, table) => {
      const names = table.map(({ name }) => name);
      expect(names).toEqual([...new Set(names)].toSorted());
      for (const definition of table) {
        expect(definition.documentation).toMatch(/^[A-Z].*\.$/);
        if (definition.defaultValue !== null) checkConfigValue(definition, definition.defaultValue);
      }
    },
  );

  test('hold what Kafka 4.3 shows', () => {
    expect(TOPIC_CONFIGS.filter(({ name }) => !name.startsWith('milena.'))).toHaveLength(33);
    expect(BROKER_CONFIGS).toHaveLength(343);
  });

  test('a topic setting and the broker setting behind it agree on the default', () => {
    const { image } = new Cluster();
    const config = topicConfig({ image, nodeId: 1, staticConfigs: new Map() }, 't');
    for (const { name, defaultValue } of TOPIC_CONFIGS)
      expect([name, config.values[name]]).toEqual([name, defaultValue]);
  });
});

const NODE = { staticConfigs: new Map<string, string>() };

describe('values of topic settings', () => {
  const INVALID_CONFIG = 40;
  const check = (name: string, value: string) => checkTopicConfigs(new Map([[name, value]]), NODE);

  test.each([
    ['retention.ms', '-1'],
    ['retention.ms', ' 42 '],
    ['retention.ms', '9223372036854775807'],
    ['retention.bytes', '-9223372036854775808'],
    ['segment.bytes', '1048576'],
    ['compression.gzip.level', '-1'],
    ['compression.gzip.level', '9'],
    ['min.cleanable.dirty.ratio', '0.25'],
    ['min.cleanable.dirty.ratio', '1e-1'],
    ['cleanup.policy', 'compact'],
    ['cleanup.policy', 'compact, delete'],
    ['cleanup.policy', ''],
    ['preallocate', 'FALSE'],
    ['flush.messages', '1'],
    ['min.insync.replicas', '2'],
    ['message.timestamp.type', 'LogAppendTime'],
    ['leader.replication.throttled.replicas', '*'],
    ['leader.replication.throttled.replicas', '0:1,1:2'],
  ])('%s takes %j', (name, value) => {
    expect(() => check(name, value)).not.toThrow();
  });

  test.each([
    ['no.such', '1', 'Unknown topic config name: no.such'],
    ['retention.ms', '-2', 'Value must be at least -1'],
    ['retention.ms', 'soon', 'Not a number of type LONG'],
    ['retention.ms', '', 'Not a number of type LONG'],
    ['retention.ms', '1.5', 'Not a number of type LONG'],
    ['retention.ms', '9223372036854775808', 'Not a number of type LONG'],
    ['retention.ms', '1'.repeat(10_000), 'Not a number of type LONG'],
    ['segment.bytes', '2147483648', 'Not a number of type INT'],
    ['segment.bytes', '1048575', 'Value must be at least 1048576'],
    ['compression.gzip.level', '0', 'Value must be at least 1'],
    ['compression.gzip.level', '10', 'Value must be no more than 9'],
    ['min.cleanable.dirty.ratio', '1.5', 'Value must be no more than 1'],
    ['min.cleanable.dirty.ratio', 'half', 'Not a number of type DOUBLE'],
    ['cleanup.policy', 'compact,shred', 'String must be one of: compact, delete'],
    ['cleanup.policy', 'compact,compact', 'List must not contain duplicate values'],
    ['cleanup.policy', 'compact,,delete', 'List must not contain empty values'],
    ['compression.type', 'brotli', 'String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer'],
    ['preallocate', 'maybe', 'Expected value to be either true or false'],
    ['leader.replication.throttled.replicas', '1', 'Must be the literal * or a list'],
    ['remote.storage.enable', 'true', 'Tiered Storage functionality is disabled'],
    ['preallocate', 'TRUE', 'files are not reserved'],
    ['index.interval.bytes', '1', 'an entry every 4096 bytes'],
    ['compression.lz4.level', '12', 'one effort'],
    ['milena.jurisdiction', 'mars', 'String must be one of: eu, fedramp, us'],
    ['milena.jurisdiction', 'eu', 'only Cloudflare keeps objects in a jurisdiction'],
    ['milena.location.hint', 'weur', 'partitions are no objects here'],
    ['message.downconversion.enable', 'true', 'Unknown topic config name'],
  ])('%s refuses %.20j', (name, value, message) => {
    expect(() => check(name, value)).toThrow(
      expect.objectContaining({ code: INVALID_CONFIG, message: expect.stringContaining(message) }),
    );
  });

  test('the two compaction lags must not cross', () => {
    const lags = (min: string, max: string) =>
      new Map([
        ['min.compaction.lag.ms', min],
        ['max.compaction.lag.ms', max],
      ]);
    expect(() => checkTopicConfigs(lags('5', '5'), NODE)).not.toThrow();
    expect(() => checkTopicConfigs(lags('6', '5'), NODE)).toThrow(
      'min.compaction.lag.ms (6) > max.compaction.lag.ms (5)',
    );
  });

  test('a broker starts with names of plugins, not with bad values', () => {
    expect(() => checkBrokerConfigs(new Map([['my.plugin', 'x']]))).not.toThrow();
    expect(() => checkBrokerConfigs(new Map([['num.partitions', '0']]))).toThrow('Value must be at least 1');
  });
});

describe('what holds for a topic', () => {
  const configOf = (cluster: Cluster, staticConfigs: Record<string, string> = {}) =>
    topicConfig(
      { image: cluster.image, nodeId: 1, staticConfigs: new Map(Object.entries(staticConfigs)) },
      't',
    );

  test("its own setting, else the broker's, one broker's before all brokers', else the default", () => {
    const staticConfigs = { 'log.segment.bytes': '2000000', 'log.roll.ms': '7' };
    const cluster = clusterWith([
      set(BROKER, '', 'log.index.interval.bytes', '1'),
      set(BROKER, '1', 'log.index.interval.bytes', '2'),
      set(BROKER, '9', 'log.index.interval.bytes', '3'),
      set(BROKER, '', 'log.segment.bytes', '3000000'),
    ]);
    const config = configOf(cluster, staticConfigs);
    expect(config.number('segment.ms')).toBe(1_000);
    expect(config.number('index.interval.bytes')).toBe(2);
    expect(config.number('segment.bytes')).toBe(3_000_000);
    expect(config.number('max.message.bytes')).toBe(1_048_588);
  });

  test.each<[Record<string, string>, string]>([
    [{}, '604800000'],
    [{ 'log.retention.hours': '2' }, '7200000'],
    [{ 'log.retention.hours': '2', 'log.retention.minutes': '1' }, '60000'],
    [{ 'log.retention.hours': '2', 'log.retention.minutes': '1', 'log.retention.ms': '5' }, '5'],
    [{ 'log.retention.hours': '-1' }, '-1'],
  ])('hours and minutes stand in for milliseconds: %j', (staticConfigs, retentionMs) => {
    expect(configOf(clusterWith([]), staticConfigs).string('retention.ms')).toBe(retentionMs);
  });

  test('values have the types they are used as', () => {
    const config = configOf(clusterWith([set(TOPIC, 't', 'cleanup.policy', 'compact, delete')]));
    expect(config.list('cleanup.policy')).toEqual(['compact', 'delete']);
    expect(config.boolean('preallocate')).toBe(false);
    expect(config.number('flush.messages')).toBe(Infinity);
    expect(config.number('min.cleanable.dirty.ratio')).toBe(0.5);
    expect(config.number('retention.bytes')).toBe(-1);
  });
});

describe('a description', () => {
  const entryOf = (result: ReturnType<Cluster['describe']>, name: string) =>
    result.configs.find((config) => config.name === name);

  test('of a topic: every setting, where it comes from, its type', () => {
    const result = clusterWith([]).describe(TOPIC, 't');
    expect(result).toMatchObject({
      errorCode: 0,
      errorMessage: null,
      resourceType: TOPIC,
      resourceName: 't',
    });
    expect(result.configs.map(({ name }) => name)).toEqual(TOPIC_CONFIGS.map(({ name }) => name));
    expect(entryOf(result, 'segment.ms')).toEqual({
      name: 'segment.ms',
      value: '1000',
      readOnly: false,
      isDefault: false,
      configSource: 1,
      isSensitive: false,
      synonyms: [],
      configType: 5,
      documentation: null,
    });
    expect(entryOf(result, 'cleanup.policy')).toMatchObject({
      isDefault: true,
      configSource: 5,
      configType: 7,
    });
  });

  test('with synonyms and documentation when asked', () => {
    const cluster = clusterWith([set(BROKER, '', 'log.roll.ms', '9')], { 'log.roll.hours': '3' });
    const shown = { includeSynonyms: true, includeDocumentation: true };
    const entry = entryOf(cluster.describe(TOPIC, 't', shown), 'segment.ms');
    expect(entry?.documentation).toMatch(/segment is closed/);
    expect(entry?.synonyms).toEqual([
      { name: 'segment.ms', value: '1000', source: 1 },
      { name: 'log.roll.ms', value: '9', source: 3 },
      { name: 'log.roll.hours', value: '3', source: 4 },
      { name: 'log.roll.hours', value: '168', source: 5 },
    ]);
  });

  test('only the names that were asked for; no names is all', () => {
    const cluster = clusterWith([]);
    const { configs } = cluster.describe(TOPIC, 't', { keys: ['segment.ms', 'no.such'] });
    expect(configs.map(({ name }) => name)).toEqual(['segment.ms']);
    expect(cluster.describe(TOPIC, 't', { keys: [] }).configs).toHaveLength(TOPIC_CONFIGS.length);
  });

  test('of the broker: what it was started with, what cannot change, no secrets', () => {
    const staticConfigs = { 'num.partitions': '4', 'ssl.key.password': 'hush' };
    const result = clusterWith([], staticConfigs).describe(BROKER, '1', { includeSynonyms: true });
    expect(result.configs).toHaveLength(BROKER_CONFIGS.length);
    expect(entryOf(result, 'num.partitions')).toMatchObject({
      value: '4',
      readOnly: true,
      configSource: 4,
      configType: 3,
    });
    expect(entryOf(result, 'log.segment.bytes')).toMatchObject({ readOnly: false, configSource: 5 });
    expect(entryOf(result, 'log.retention.ms')).toMatchObject({
      value: null,
      configSource: 5,
      synonyms: [{ name: 'log.retention.hours', value: '168', source: 5 }],
    });
    expect(entryOf(result, 'ssl.key.password')).toMatchObject({
      value: null,
      isSensitive: true,
      configSource: 4,
      configType: 9,
      synonyms: [{ name: 'ssl.key.password', value: null, source: 4 }],
    });
    expect(JSON.stringify(result)).not.toContain('hush');
  });

  test('of no broker in particular: what was set for all', () => {
    const { errorCode, configs } = clusterWith([set(BROKER, '', 'log.segment.bytes', '5')]).describe(
      BROKER,
      '',
    );
    expect(errorCode).toBe(0);
    expect(configs).toMatchObject([{ name: 'log.segment.bytes', value: '5', configSource: 3 }]);
  });

  test("of a group: its own, else the broker's", () => {
    const cluster = clusterWith([set(GROUP, 'g', 'consumer.session.timeout.ms', '50000')], {
      'group.consumer.heartbeat.interval.ms': '6000',
    });
    const result = cluster.describe(GROUP, 'g', { includeSynonyms: true });
    expect(result.configs).toHaveLength(GROUP_CONFIGS.length);
    expect(entryOf(result, 'consumer.session.timeout.ms')).toMatchObject({
      value: '50000',
      configSource: 8,
      synonyms: [
        { name: 'consumer.session.timeout.ms', value: '50000', source: 8 },
        { name: 'group.consumer.session.timeout.ms', value: '45000', source: 5 },
      ],
    });
    expect(entryOf(result, 'consumer.heartbeat.interval.ms')).toMatchObject({
      value: '6000',
      configSource: 4,
    });
    expect(entryOf(result, 'share.isolation.level')).toMatchObject({
      value: 'read_uncommitted',
      configSource: 5,
    });
  });

  test('of a metrics subscription', () => {
    const result = clusterWith([set(CLIENT_METRICS, 's', 'interval.ms', '1000')]).describe(
      CLIENT_METRICS,
      's',
    );
    expect(result.configs).toMatchObject([
      { name: 'interval.ms', value: '1000', configSource: 7 },
      { name: 'match', value: '', configSource: 5 },
      { name: 'metrics', value: '', configSource: 5 },
    ]);
  });

  test.each([
    [TOPIC, 'nope', 3],
    [TOPIC, 'no/pe', 17],
    [BROKER, '2', 42],
    [BROKER, 'one', 42],
    [LOGGER, '', 42],
    [LOGGER, '2', 42],
    [LOGGER, '1', 0],
    [CLIENT_METRICS, '', 42],
    [GROUP, '', 42],
    [3, 'x', 42],
    [0, '', 42],
  ])('resource type %i named %j gives %i', (type, name, code) => {
    const { errorCode, configs } = clusterWith([]).describe(type, name);
    expect([errorCode, configs]).toEqual([code, []]);
  });
});
