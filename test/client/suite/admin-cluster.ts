import { expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { suite, useClient } from './reach.ts';

/** What is said of a cluster of one broker. */
export const adminCluster = suite('admin: cluster', (reach) => {
  let client: Client;
  useClient(reach, (made) => (client = made), { retryForMs: 2_000 });

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
    await client.admin.topics.ensure(reach.place.name('topic'), { partitions: 3 });
    const health = await client.admin.cluster.health();
    expect(health).toMatchObject({ isHealthy: true, problems: [], leaderless: [], underReplicated: [] });
    expect(health.brokers.map(({ isAnswering }) => isAnswering)).toEqual([true]);
    expect(health.partitionsCount).toBeGreaterThanOrEqual(3);
  });
});
