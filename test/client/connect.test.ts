import { describe, expect, test } from 'vitest';
import { connectWith, parseUrl } from '../../src/client/connect.ts';
import { ConnectionLost, MilenaError } from '../../src/client/errors.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { nodeEngines } from '../../src/hosts/node/engines.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { TestBroker } from '../gateway/harness.ts';
import { clientOf, clusterOf, kernels } from './fake-client.ts';
import { FakeCluster, type Mishap, TOPIC } from './fake-cluster.ts';
import { connecting } from './suite/connecting.ts';
import { overEachWay } from './suite/reach.ts';
import { WAYS } from './ways.ts';

function surroundings(fake: FakeCluster) {
  const { scheduler: clock, random, transport } = fake;
  return {
    clock,
    random,
    kernels,
    codecs: new Map(),
    engines: nodeEngines,
    transports: { kafka: () => transport },
  };
}

describe('where to', () => {
  test.each([
    ['kafka://localhost', [{ host: 'localhost', port: 9092 }]],
    [
      'kafka://a:1,b:2',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
    ],
    ['wss://log.example.dev/kafka?x=1', [{ host: 'log.example.dev', port: 443 }]],
    ['ws://[::1]:9094/kafka', [{ host: '::1', port: 9094 }]],
  ])('%s', (url, bootstrap) => {
    expect(parseUrl(url).bootstrap).toEqual(bootstrap);
  });

  test.each(['localhost:9092', 'kafka://', 'kafka://a:b', 'kafka://a:0', 'kafka://a:70000', 'other://a'])(
    '%s is none',
    (url) => {
      expect(() => parseUrl(url)).toThrow(MilenaError);
    },
  );

  test('a scheme that is not served here says which are', async () => {
    await expect(connect('mqtt://a:1')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('kafka://, kafkas://, ws://, wss://') as string,
    });
  });
});

describe('the budget is bounded', () => {
  test('nobody there: it is tried for as long as told, then that is the error', async () => {
    const fake = new FakeCluster({ nodes: 2 });
    fake.down.add(1).add(2);
    const { nowMs } = fake.scheduler;
    const connecting = connectWith(surroundings(fake), 'kafka://fake:1,fake:2', { retryForMs: 20_000 });
    const error = await fake.run(connecting.catch((thrown: unknown) => thrown));
    expect(error).toBeInstanceOf(ConnectionLost);
    expect(error).toMatchObject({
      code: 'CONNECTION_LOST',
      retriable: true,
      hint: expect.any(String) as string,
    });
    expect(String(error)).toMatch(/fake:1.*fake:2|fake:2.*fake:1/);
    const triedForMs = fake.scheduler.nowMs - nowMs;
    expect(triedForMs).toBeGreaterThanOrEqual(20_000);
    expect(triedForMs).toBeLessThan(20_100);
  });

  test('a broker that comes later is found; the one of two that lives is found at once', async () => {
    const fake = new FakeCluster({ nodes: 2 });
    fake.down.add(1).add(2);
    fake.scheduler.after(5_000, 'start', () => fake.down.delete(2));
    const client = await fake.run(connectWith(surroundings(fake), 'kafka://fake:1,fake:2'));
    expect(client.status).toBe('connected');
    await fake.run(client.close());
    expect(client.status).toBe('closed');
  });

  test.each<Mishap>(['silence', 'garbage', 'cut-answer', 'request-lost'])(
    'one that answers with %s',
    async (mishap) => {
      let left = 3;
      const fake = new FakeCluster({
        mishap: (api) => (api === apiVersionsApi && left-- > 0 ? mishap : undefined),
      });
      const client = await fake.run(
        connectWith(surroundings(fake), 'kafka://fake:1', { retryForMs: 120_000 }),
      );
      expect(client.status).toBe('connected');
      expect(left).toBeLessThanOrEqual(0);
    },
  );

  test('aborted while it tries, it says why at once, and nothing goes on', async () => {
    const fake = new FakeCluster();
    fake.down.add(1);
    const controller = new AbortController();
    const reason = new Error('enough');
    fake.scheduler.after(1_000, 'abort', () => controller.abort(reason));
    const connecting = connectWith(surroundings(fake), 'kafka://fake:1', { signal: controller.signal });
    await expect(fake.run(connecting)).rejects.toBe(reason);
  });

  test('a topic that is not there: the error names it, says what to do, and comes in time', async () => {
    const fake = new FakeCluster();
    fake.topicErrorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    const client = await fake.run(connectWith(surroundings(fake), 'kafka://fake:1'));
    const sent = client.send(TOPIC, { value: 'v' });
    await expect(fake.run(sent)).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining(TOPIC) as string,
      hint: expect.stringContaining('create') as string,
    });
  });

  test('one that is forbidden is not tried again', async () => {
    const fake = new FakeCluster();
    fake.topicErrorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    const client = await fake.run(connectWith(surroundings(fake), 'kafka://fake:1'));
    const sent = client.send(TOPIC, { value: 'v' });
    await expect(fake.run(sent)).rejects.toMatchObject({
      code: 'TOPIC_AUTHORIZATION_FAILED',
      retriable: false,
    });
    expect(fake.asked.filter((name) => name === 'Metadata')).toHaveLength(1);
  });
});

describe('what is known of a cluster', () => {
  test('who asks at once asks once, over one connection a broker', async () => {
    const fake = new FakeCluster({ nodes: 3, partitions: 6 });
    const cluster = clusterOf(fake);
    const leaders = Array.from({ length: 6 }, (_, partition) => cluster.leaderOf(TOPIC, partition));
    const exchanges = new Set(await fake.run(Promise.all(leaders)));
    expect(exchanges.size).toBe(3);
    expect(fake.asked.filter((name) => name === 'Metadata')).toHaveLength(1);
    expect(fake.asked.filter((name) => name === 'ApiVersions')).toHaveLength(3);
    cluster.close();
  });

  test('after a leader has moved, what a lagging broker says is not believed', async () => {
    const fake = new FakeCluster({ nodes: 2, partitions: 1 });
    const cluster = clusterOf(fake);
    await fake.run(cluster.topic(TOPIC));
    const news = { topic: TOPIC, partition: 0, leaderId: 2, leaderEpoch: 7 };
    expect(cluster.learn(news, [])).toBe(true);
    expect(cluster.learn({ ...news, leaderId: 1, leaderEpoch: 6 }, [])).toBe(false);
    cluster.forget(TOPIC);
    expect(cluster.leaderIdOf(TOPIC, 0)).toBeUndefined();
    await fake.run(cluster.topic(TOPIC));
    expect(cluster.leaderIdOf(TOPIC, 0)).toBe(2);
  });

  test('a broker over quota is left alone for a while', async () => {
    const fake = new FakeCluster({ mishap: (api) => (api === metadataApi ? 'throttled' : undefined) });
    const cluster = clusterOf(fake);
    await fake.run(cluster.metadata([TOPIC]));
    const { nowMs } = fake.scheduler;
    await fake.run(cluster.metadata([TOPIC]));
    expect(fake.scheduler.nowMs - nowMs).toBeGreaterThan(490);
  });

  test('a request that is aborted settles at once; the connection goes on', async () => {
    const fake = new FakeCluster();
    const cluster = clusterOf(fake);
    const exchange = await fake.run(cluster.anyBroker());
    const controller = new AbortController();
    const versions = { min: 1, max: 12 };
    const { signal } = controller;
    const asked = Array.from({ length: 8 }, () =>
      exchange.request(metadataApi, versions, { topics: [] }, { signal }),
    );
    controller.abort(new Error('no more'));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    await fake.run(exchange.request(metadataApi, versions, { topics: [] }));
    // Five had been sent; the others never were.
    expect(fake.asked.filter((name) => name === 'Metadata')).toHaveLength(6);
  });

  test('closed, whatever waits fails, and so does what comes later', async () => {
    const fake = new FakeCluster();
    const cluster = clusterOf(fake);
    const client = clientOf(fake, 1_000, cluster);
    const sent = client.send(TOPIC, { value: 'v' });
    fake.down.add(1);
    await fake.run(Promise.allSettled([sent, client.close({ timeoutMs: 10 })]));
    await expect(sent).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(client.send(TOPIC, { value: 'v' })).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(cluster.anyBroker()).rejects.toMatchObject({ code: 'CLOSED' });
    await client.close();
  });
});

describe('a real broker', () => {
  test.each(Object.entries(WAYS))('over %s: connected, and gone when it has gone', async (_, way) => {
    const server = await TestBroker.start({ httpPort: 0 });
    const client = await way(server.broker, { retryForMs: 100 });
    const { name } = await server.topic(await server.client());
    await client.send(name, { value: 'v' });
    expect(client.status).toBe('connected');
    await server.close();
    await expect.poll(() => client.status).toBe('disconnected');
    await client.close();
    expect(client.status).toBe('closed');
  });
});

overEachWay(connecting);
