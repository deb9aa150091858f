import { describe, expect, test } from 'vitest';
import { startBroker } from '../../src/hosts/node/index.ts';
import { Run } from './milena.ts';
import { freePort } from '../support/free-port.ts';
import { rowsOf, useNouns } from './nouns-home.ts';

/** Settings, features and the cluster, as processes against a broker. */
const home = useNouns();
const milena = (...args: string[]) => home.milena(...args);
const json = (...args: string[]) => home.json(...args);
const filled = () => home.filled();

describe('configs and the cluster', () => {
  test('settings that somebody set, or all, or some', async () => {
    const name = home.broker.name('topic');
    await home.client.admin.topics.create(name, { retention: '1h' });
    expect((await milena('configs', 'ls', '--topic', name)).stdout).toBe(
      'retention.ms\t3600000\tDYNAMIC_TOPIC_CONFIG\tlog.retention.hours=168\n',
    );
    const all = rowsOf((await milena('configs', 'ls', '--topic', name, '--all')).stdout);
    expect(all.length).toBeGreaterThan(10);
    const one = await milena('configs', 'ls', '--node', '1', 'offsets.topic.num.partitions');
    expect(one.stdout).toBe('offsets.topic.num.partitions\t4\tSTATIC_BROKER_CONFIG\t50\n');
    expect((await milena('configs', 'ls')).code).toBe(2);
    expect((await milena('configs', 'ls', '--topic', 'none')).code).toBe(3);
  });

  test('info and health', async () => {
    expect(await json('cluster', 'info')).toMatchObject({
      version: 1,
      cluster: { controllerId: 1, brokers: [{ id: 1 }] },
    });
    expect(await milena('cluster', 'health')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('health\twell\n') as string,
    });
  });

  test('features, the quorum, log directories and what has settings', async () => {
    const name = await filled();
    const features = rowsOf((await milena('features', 'ls')).stdout);
    const [feature, level, lowest] = features.find(([each]) => each === 'metadata.version') ?? [];
    expect(level).toBe(lowest);
    expect((await milena('features', 'set', `${feature}=${level}`, '--dry-run')).stdout).toBe(
      `${feature}\t${level}\twould be set\n`,
    );
    expect(await milena('features', 'set', `${feature}=${Number(level) + 1}`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('error[INVALID_UPDATE_VERSION]') as string,
    });
    expect((await milena('features', 'set', `${feature}=${level}`, '--downgrade', 'maybe')).code).toBe(2);
    expect(rowsOf((await milena('cluster', 'quorum')).stdout)[0]?.slice(0, 2)).toEqual(['1', 'leader']);
    const [directory] = rowsOf((await milena('cluster', 'log-dirs')).stdout);
    expect(directory?.slice(0, 2)).toEqual(['1', 'memory']);
    const partitions = rowsOf((await milena('cluster', 'log-dirs', '--partitions')).stdout);
    expect(partitions.map(([topic, partition]) => `${topic}-${partition}`)).toContain(`${name}-1`);
    await milena('configs', 'set', '--client-metrics', 'slow', 'interval.ms=60000');
    const { stdout } = await milena('configs', 'resources', '--kind', 'client-metrics', '--kind', 'topic');
    expect(rowsOf(stdout)).toEqual(
      expect.arrayContaining([
        ['clientMetrics', 'slow'],
        ['topic', name],
      ]),
    );
    expect((await milena('configs', 'resources', '--kind', 'x')).code).toBe(2);
  });

  test('partitions, of all topics or some, or those that are not well', async () => {
    const name = await filled();
    const { stdout } = await milena('partitions', 'ls', name);
    expect(stdout).toBe(`${name}\t0\t1\t1\t1\n${name}\t1\t1\t1\t1\n`);
    expect(rowsOf((await milena('partitions', 'ls')).stdout)).toContainEqual([name, '1', '1', '1', '1']);
    expect(await json('partitions', 'ls', '--unhealthy')).toEqual({ version: 1, partitions: [] });
    expect((await milena('partitions', 'ls', 'none')).code).toBe(3);
  });

  test('health of nobody is 5; --wait lasts until somebody comes', async () => {
    const port = await freePort();
    const health = (...more: string[]) =>
      Run.milenaWith({ environment: { MILENA_URL: `:${port}` }, input: '' }, 'cluster', 'health', ...more);
    expect(await health().ended()).toBe(5);
    const waiting = health('--wait', '60s', '-v');
    await waiting.logged(/broker: .*\n.*broker: /);
    await using broker = await startBroker({ port });
    expect(await waiting.ended()).toBe(0);
    expect(broker.kafka.port).toBe(port);
  });
});
