import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { TestBroker } from '../../gateway/harness.ts';
import { WAYS } from '../ways.ts';

let server: TestBroker;
beforeAll(async () => {
  server = await TestBroker.start({ httpPort: 0 });
});
afterAll(() => server.close());

describe.each(Object.entries(WAYS))('over %s', (_, connect) => {
  let client: Client;
  beforeAll(async () => {
    client = await connect(server.broker);
  });
  afterAll(() => client.close());

  test('brokers, the controller and features', async () => {
    const { clusterId, controllerId, brokers, features } = await client.admin.cluster.describe();
    expect(clusterId).toMatch(/^[\w-]{22}$/);
    expect(controllerId).toBe(1);
    expect(brokers).toMatchObject([{ id: 1, rack: null }]);
    const metadata = features.find(({ name }) => name === 'metadata.version');
    expect(metadata?.level).toBeGreaterThan(0);
    expect(metadata?.max).toBeGreaterThanOrEqual(metadata?.level ?? Infinity);
  });

  test('all is well', async () => {
    await client.admin.topics.ensure('orders', { partitions: 3 });
    const health = await client.admin.cluster.health();
    expect(health).toMatchObject({ isHealthy: true, problems: [], leaderless: [], underReplicated: [] });
    expect(health.brokers.map(({ isAnswering }) => isAnswering)).toEqual([true]);
    expect(health.partitionsCount).toBeGreaterThanOrEqual(3);
  });
});
