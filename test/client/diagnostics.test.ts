import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, test } from 'vitest';
import type { Channel, Diagnostics } from '../../src/ports/diagnostics.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { startBroker } from '../../src/hosts/node/testing.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { clientOf, clusterOf } from './fake-client.ts';
import { FakeCluster, TOPIC } from './fake-cluster.ts';

/** What is told to whoever watches, and that nothing is made for nobody. */

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function watch(name: string): Record<string, unknown>[] {
  const told: Record<string, unknown>[] = [];
  const listen = (message: unknown) => void told.push(message as Record<string, unknown>);
  subscribe(name, listen);
  stops.push(() => unsubscribe(name, listen));
  return told;
}

describe("Node's diagnostics_channel", () => {
  test('tells of connections, requests, batches and what was fetched', async () => {
    await using broker = await startBroker();
    const port = Number(new URL(broker.url).port);
    const [connections, requests, produced, fetched] = ['connection', 'request', 'produce', 'fetch'].map(
      (name) => watch(`milena:${name}`),
    );
    {
      await using client = await connect(broker.url, { clientId: 'watched' });
      await client.send('orders', [{ value: 'a' }, { value: 'bc' }]);
      let read = 0;
      for await (const { offset } of client.read('orders', { from: 'earliest', live: false })) read = offset;
      expect(read).toBe(1);
    }
    const place = { clientId: 'watched', host: '127.0.0.1', port };
    expect(connections?.[0]).toEqual({ what: 'opened', ...place, why: undefined });
    expect(connections?.at(-1)).toEqual({ what: 'closed', ...place, why: 'closed here' });
    const apis = requests?.map(({ api }) => api);
    expect(apis).toEqual(
      expect.arrayContaining(['ApiVersions', 'Metadata', 'InitProducerId', 'Produce', 'Fetch']),
    );
    const produce = requests?.find(({ api }) => api === 'Produce');
    expect(produce).toMatchObject({ ...place, version: expect.any(Number) as number });
    expect(produce?.['requestBytes']).toBeGreaterThan(80);
    expect(produce?.['responseBytes']).toBeGreaterThan(10);
    expect(produce?.['durationMs']).toBeGreaterThanOrEqual(0);
    expect(produced).toEqual([
      {
        topic: 'orders',
        partition: 0,
        recordsCount: 2,
        sizeBytes: expect.any(Number) as number,
        attempts: 1,
        durationMs: expect.any(Number) as number,
        baseOffset: 0,
        error: undefined,
      },
    ]);
    expect(fetched?.[0]).toMatchObject({ topic: 'orders', partition: 0, fetchOffset: 0, highWatermark: 2 });
    expect(fetched?.[0]?.['sizeBytes']).toBeGreaterThan(60);
  });

  test('a broker that is not there: why, for people', async () => {
    const connections = watch('milena:connection');
    const nobody = await startBroker();
    await nobody.close();
    await expect(connect(nobody.url, { retryForMs: 0 })).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(connections).toMatchObject([
      { what: 'failed', why: expect.stringContaining('ECONNREFUSED') as string },
    ]);
  });
});

describe('whoever watches', () => {
  /** Channels of a client, each heard or not. */
  function channels(hasSubscribers: boolean) {
    const told: { name: string; message: Record<string, unknown> }[] = [];
    const channel = (name: string): Channel<object> => ({
      hasSubscribers,
      publish: (message) => void told.push({ name, message: message as Record<string, unknown> }),
    });
    const diagnostics: Diagnostics = {
      connection: channel('connection'),
      request: channel('request'),
      produce: channel('produce'),
      fetch: channel('fetch'),
    };
    return { told, diagnostics };
  }

  test('a request that is lost has no answer; a batch that is given up has its error, once', async () => {
    const fake = new FakeCluster({ mishap: (api) => (api === produceApi ? 'request-lost' : undefined) });
    const { told, diagnostics } = channels(true);
    const client = clientOf(fake, 1_000, clusterOf(fake, { diagnostics }));
    const producer = client.producer({ deliveryTimeoutMs: 3_000 });
    await expect(fake.run(producer.send(TOPIC, { value: 'v' }))).rejects.toMatchObject({
      code: 'DELIVERY_TIMEOUT',
    });
    await fake.run(client.close());
    const of = (name: string) => told.filter((one) => one.name === name).map(({ message }) => message);
    expect(of('request').filter(({ api }) => api === 'Produce')[0]).toMatchObject({
      responseBytes: undefined,
    });
    expect(of('produce')).toMatchObject([
      { error: { code: 'DELIVERY_TIMEOUT' }, baseOffset: -1, recordsCount: 1 },
    ]);
    expect(of('produce')[0]?.['attempts']).toBeGreaterThan(1);
    expect(of('connection').map(({ what }) => what)).toContain('closed');
  });

  test('where nobody does, nothing is told', async () => {
    const fake = new FakeCluster();
    const { told, diagnostics } = channels(false);
    const client = clientOf(fake, 1_000, clusterOf(fake, { diagnostics }));
    await fake.run(client.send(TOPIC, { value: 'v' }));
    await fake.run(client.close());
    expect(told).toEqual([]);
  });
});
