import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { TestBroker } from '../../gateway/harness.ts';
import { connect } from '../../../src/hosts/node/connect.ts';

let server: TestBroker;
let client: Client;
beforeAll(async () => {
  server = await TestBroker.start();
  const { host, port } = server.broker.kafka;
  client = await connect(`kafka://${host}:${port}`, { retryForMs: 2_000 });
  await client.admin.topics.create('orders', { configs: { 'retention.ms': 1000 } });
});
afterAll(async () => {
  await client.close();
  await server.close();
});

test('a setting says what it is, who set it, and what it would be', async () => {
  const entries = await client.admin.configs.describe({ topic: 'orders' }, { documentation: true });
  const named = new Map(entries.map((entry) => [entry.name, entry]));
  expect(entries.map(({ name }) => name)).toEqual([...named.keys()].sort());
  expect(named.get('retention.ms')).toMatchObject({
    value: '1000',
    source: 'DYNAMIC_TOPIC_CONFIG',
    byDefault: { name: 'log.retention.hours', value: '168' },
    isDefault: false,
    isReadOnly: false,
    isSensitive: false,
    type: 'LONG',
    documentation: expect.stringMatching(/\w/) as string,
  });
  expect(named.get('retention.ms')?.synonyms[0]).toEqual({
    name: 'retention.ms',
    value: '1000',
    source: 'DYNAMIC_TOPIC_CONFIG',
  });
  expect(named.get('cleanup.policy')).toMatchObject({
    value: 'delete',
    source: 'DEFAULT_CONFIG',
    byDefault: { name: 'log.cleanup.policy', value: 'delete' },
    isDefault: true,
    type: 'LIST',
  });
});

test('only those that are named', async () => {
  const entries = await client.admin.configs.describe({ topic: 'orders' }, { names: ['cleanup.policy'] });
  expect(entries.map(({ name, documentation }) => ({ name, documentation }))).toEqual([
    { name: 'cleanup.policy', documentation: null },
  ]);
});

test('of a broker, of all brokers, and of a group', async () => {
  const { configs } = client.admin;
  const broker = await configs.describe({ broker: 1 }, { names: ['offsets.topic.num.partitions'] });
  expect(broker).toMatchObject([
    {
      value: '2',
      source: 'STATIC_BROKER_CONFIG',
      byDefault: { name: 'offsets.topic.num.partitions', value: '50' },
    },
  ]);
  expect(await configs.describe({ broker: 'default' })).toEqual([]);
  expect((await configs.describe({ group: 'billing' })).length).toBeGreaterThan(0);
});

test('of a topic that is not there', async () => {
  const describing = client.admin.configs.describe({ topic: 'none' });
  await expect(describing).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
});

test('a broker that cannot change settings says so', async () => {
  const altering = client.admin.configs.alter({ topic: 'orders' }, { 'retention.ms': 5 });
  await expect(altering).rejects.toMatchObject({
    code: 'UNSUPPORTED_VERSION',
    retriable: false,
    message: expect.stringContaining('this broker does not serve IncrementalAlterConfigs') as string,
    hint: expect.stringContaining('Apache Kafka') as string,
  });
  const ensuring = client.admin.topics.ensure('orders', { retention: '5s' });
  await expect(ensuring).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
  await expect(client.admin.configs.alter({ topic: 'orders' }, {})).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});
