import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { connect } from '../../../src/hosts/node/connect.ts';
import { tcpTransport } from '../../../src/hosts/node/tcp-transport.ts';
import { SeededRandom } from '../../../src/hosts/sim/random.ts';
import { loadKernels } from '../../../src/kernels/load.ts';
import { type BatchRecords, records } from '../../../src/records/batch.ts';
import { forEachBatch } from '../../../src/records/header.ts';
import { fetchOne, type RawClient, TestBroker } from '../../gateway/harness.ts';
import { type Fate, FaultyProxy } from '../faulty-proxy.ts';

/** A real broker behind a network that fails: nothing is lost, nothing comes twice. */

const kernels = await loadKernels();
let server: TestBroker;
let raw: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  raw = await server.client();
});
afterAll(() => server.close());

async function valuesIn(topic: { name: string; id: string }, partition: number): Promise<string[]> {
  const values: string[] = [];
  for (;;) {
    const { records: bytes } = await fetchOne(raw, { topic, partition, fetchOffset: values.length });
    if (bytes === null || bytes.length === 0) return values;
    forEachBatch(bytes, (header) => {
      for (const { value } of records(header.bytes, kernels, new Map()) as BatchRecords)
        values.push(String(Buffer.from(value ?? [])));
    });
  }
}

/** Requests that get no answer are given up after so long: nothing but that tells of a half-open connection. */
const requestTimeoutMs = 150;

function connectOver(proxy: FaultyProxy): Promise<Client> {
  const { host, port } = proxy.address;
  const times = { connectTimeoutMs: requestTimeoutMs, requestTimeoutMs };
  return connect(`kafka://${host}:${port}`, { ...times, transport: proxy.over(tcpTransport) });
}

describe('a faulty proxy', () => {
  test.each(Array.from({ length: 6 }, (_, seed) => seed))(
    'each record once, in order (seed %i)',
    async (seed) => {
      const random = new SeededRandom(seed);
      let chunks = 0;
      const fate = (): Fate => {
        chunks++;
        if (chunks === 10) return 'cut';
        if (chunks === 30) return 'half-open';
        const chance = random.next();
        if (chance < 0.03) return 'cut';
        if (chance < 0.035) return 'half-open';
        return chance < 0.3 ? 'delayed' : 'passes';
      };
      const topic = await server.topic(raw, { partitions: 2 });
      await using proxy = await FaultyProxy.to(server.broker.kafka, fate);
      await using client = await connectOver(proxy);
      await using producer = client.producer({
        batchBytes: 2_000,
        requestTimeoutMs,
        maxBufferedBytes: 20_000,
      });
      const expected: string[][] = [[], []];
      for (let number = 0; number < 2_000; number++) {
        const partition = random.int(2);
        const value = `${number}`.padEnd(random.int(200), '.');
        expected[partition]?.push(value);
        await producer.write(topic.name, { value, partition });
      }
      await producer.flush();
      for (const partition of [0, 1]) expect(await valuesIn(topic, partition)).toEqual(expected[partition]);
      expect(proxy.counts.cut).toBeGreaterThan(0);
      expect(proxy.counts['half-open']).toBeGreaterThan(0);
      expect(proxy.counts.delayed).toBeGreaterThan(0);
    },
  );

  test('it goes silent for good: what was written fails, and closing settles in its time', async () => {
    let isSilent = false;
    const topic = await server.topic(raw);
    await using proxy = await FaultyProxy.to(server.broker.kafka, () => (isSilent ? 'half-open' : 'passes'));
    const client = await connectOver(proxy);
    const producer = client.producer({ requestTimeoutMs });
    await producer.send(topic.name, { value: 'in' });
    isSilent = true;
    const sent = producer.send(topic.name, { value: 'unknown' });
    await producer.write(topic.name, { value: 'unknown too' });
    const [told, closed] = await Promise.allSettled([sent, client.close({ timeoutMs: 50 })]);
    expect(told).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
    expect(closed).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
    expect(client.status).toBe('closed');
    await expect(client.send(topic.name, { value: 'late' })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
