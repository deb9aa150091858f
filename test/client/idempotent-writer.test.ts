import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Cluster } from '../../src/client/cluster.ts';
import { ConnectionLost } from '../../src/client/errors.ts';
import { IdempotentWriter, WriteFailed } from '../../src/client/idempotent-writer.ts';
import { TopicReader } from '../../src/client/topic-reader.ts';
import { nodeRandom } from '../../src/hosts/node/random.ts';
import { tcpTransport } from '../../src/hosts/node/tcp-transport.ts';
import { clientClock } from '../../src/hosts/node/clock.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import type { StreamEvents, Transport } from '../../src/ports/transport.ts';
import { type BatchRecords, records } from '../../src/records/batch.ts';
import { forEachBatch } from '../../src/records/header.ts';
import { TestBroker, batch } from '../gateway/harness.ts';

/** Exactly once, through connections that break whenever they like. */

const kernels = await loadKernels();

/** Of the chunks that brokers send, counted over all connections, those that `isLost` says come no more. */
function breaking(isLost: (chunk: number) => boolean): Transport {
  let chunks = 0;
  return {
    async open(address, events, signal) {
      const received = (chunk: Uint8Array) => {
        if (isLost(chunks++)) stream.close();
        else events.received(chunk);
      };
      const stream = await tcpTransport.open(address, { ...tell(events), received }, signal);
      return stream;
    },
  };
}

function tell(events: StreamEvents): StreamEvents {
  return {
    received: (chunk) => events.received(chunk),
    drained: () => events.drained(),
    closed: (why) => events.closed(why),
  };
}

let server: TestBroker;
let clusters: Cluster[];
beforeEach(async () => {
  server = await TestBroker.start();
  clusters = [];
});
afterEach(async () => {
  for (const cluster of clusters) cluster.close();
  await server.close();
});

async function connect(transport = tcpTransport): Promise<Cluster> {
  const bootstrap = [server.broker.kafka];
  const home = { clock: clientClock, random: nodeRandom };
  const cluster = await Cluster.connect({ transport, bootstrap, clientId: 'test', ...home });
  clusters.push(cluster);
  return cluster;
}

async function valuesIn(topic: string, partition: number): Promise<string[]> {
  const reader = new TopicReader(await connect(), topic);
  const { startOffset, endOffset } = await reader.bounds(partition);
  const values: string[] = [];
  for await (const bytes of reader.batches(partition, startOffset, endOffset))
    forEachBatch(bytes, (header) => {
      const found = records(header.bytes, kernels, new Map()) as BatchRecords;
      for (const { value } of found) values.push(String(Buffer.from(value ?? [])));
    });
  return values;
}

function writerTo(topic: string, cluster: Cluster, deliveryTimeoutMs?: number): IdempotentWriter {
  const home = { kernels, clock: clientClock, random: nodeRandom };
  return new IdempotentWriter({ cluster, topic, ...home, ...(deliveryTimeoutMs && { deliveryTimeoutMs }) });
}

const ROUNDS = 12;

async function writeRounds(cluster: Cluster, topic: string): Promise<number[]> {
  const writer = writerTo(topic, cluster);
  const acknowledged: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const batches = new Map([0, 1].map((partition) => [partition, batch([`${round}a`, `${round}b`])]));
    await writer.write(batches, (partition) => acknowledged.push(2 * round + partition));
  }
  await writer.drain();
  return acknowledged;
}

const EXPECTED = Array.from({ length: ROUNDS }, (_, round) => [`${round}a`, `${round}b`]).flat();

describe('every record once, in order', () => {
  test('whichever answer is lost with its connection', async () => {
    const topicClient = await server.client();
    for (let lost = 2; lost < 2 + ROUNDS + 2; lost++) {
      const { name } = await server.topic(topicClient, { name: `lost-${lost}`, partitions: 2 });
      const cluster = await connect(breaking((chunk) => chunk === lost)).catch(() => undefined);
      // The first answers are no produce's: whoever loses them may just fail.
      const acknowledged = await writeRounds(cluster ?? (await connect()), name).catch(
        (error: unknown) => error,
      );
      if (acknowledged instanceof ConnectionLost) continue;
      expect(acknowledged).toHaveLength(2 * ROUNDS);
      for (const partition of [0, 1]) expect(await valuesIn(name, partition)).toEqual(EXPECTED);
    }
  });

  test('when every fourth answer is lost', async () => {
    const { name } = await server.topic(await server.client(), { partitions: 2 });
    const cluster = await connect(breaking((chunk) => chunk > 4 && chunk % 4 === 0));
    const acknowledged = await writeRounds(cluster, name);
    expect(new Set(acknowledged).size).toBe(2 * ROUNDS);
    for (const partition of [0, 1]) expect(await valuesIn(name, partition)).toEqual(EXPECTED);
  });
});

describe('what cannot be', () => {
  test('a batch that is refused stops it, and names the partition and the record', async () => {
    const configs = { 'cleanup.policy': 'compact' };
    const { name } = await server.topic(await server.client(), { configs });
    const cluster = await connect();
    const writer = writerTo(name, cluster);
    const keyed = { key: Uint8Array.of(1), value: null };
    const batches = new Map([[0, batch([keyed, { key: null, value: null }])]]);
    await writer.write(batches, () => {});
    const failure = await writer.drain().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WriteFailed);
    expect(failure).toMatchObject({ partition: 0, why: { errorCode: 87, recordIndex: 1 } });
    await expect(writer.write(batches, () => {})).rejects.toBe(failure);
  });

  test('a broker that has gone: it is tried for a while, then that is the failure', async () => {
    const { name } = await server.topic(await server.client(), {});
    const cluster = await connect();
    const writer = writerTo(name, cluster, 300);
    await writer.write(new Map([[0, batch(['in'])]]), () => {});
    await writer.drain();
    await server.close();
    await writer.write(new Map([[0, batch(['out'])]]), () => {});
    const failure = await writer.drain().catch((error: unknown) => error);
    expect(failure).toMatchObject({ partition: 0, why: { code: 'DELIVERY_TIMEOUT' } });
    expect((failure as WriteFailed).why.cause).toBeInstanceOf(ConnectionLost);
  });
});
