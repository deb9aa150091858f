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

  test('features are listed, and a level that brokers do not have is refused', async () => {
    const { features } = client.admin;
    const metadata = (await features.list()).find(({ name }) => name === 'metadata.version');
    const { level = 0, max = 0 } = metadata ?? {};
    await features.update({ 'metadata.version': level }, { dryRun: true });
    const above = features.update({ 'metadata.version': max + 1 });
    await expect(above).rejects.toMatchObject({ code: 'INVALID_UPDATE_VERSION' });
    await expect(features.update({})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('who keeps the metadata', async () => {
    const { leaderId, leaderEpoch, highWatermark, voters } = await client.admin.cluster.quorum();
    expect(leaderId).toBe(1);
    expect(leaderEpoch).toBeGreaterThanOrEqual(0);
    expect(highWatermark).toBeGreaterThan(0);
    expect(voters).toMatchObject([{ id: 1, lag: 0 }]);
    expect(voters[0]?.caughtUpAt).toBeGreaterThan(1e12);
  });

  test('where logs are, and what each partition takes', async () => {
    const name = reach.place.name('topic');
    await client.admin.topics.ensure(name, { partitions: 2 });
    await client.send(name, { value: 'x'.repeat(500), partition: 1 });
    const [directory] = await client.admin.cluster.logDirs();
    expect(directory).toMatchObject({ brokerId: 1, error: null, path: expect.any(String) as string });
    const sizes = directory?.partitions.filter(({ topic }) => topic === name) ?? [];
    expect(sizes.map(({ partition, isFuture }) => [partition, isFuture])).toEqual([
      [0, false],
      [1, false],
    ]);
    expect(sizes[0]?.sizeBytes).toBe(0);
    expect(sizes[1]?.sizeBytes).toBeGreaterThan(500);
  });

  test('all is well', async () => {
    await client.admin.topics.ensure(reach.place.name('topic'), { partitions: 3 });
    const health = await client.admin.cluster.health();
    expect(health).toMatchObject({ isHealthy: true, problems: [], leaderless: [], underReplicated: [] });
    expect(health.brokers.map(({ isAnswering }) => isAnswering)).toEqual([true]);
    expect(health.partitionsCount).toBeGreaterThanOrEqual(3);
  });
});
