import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/hosts/node/connect.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { type Edge, startEdge } from '../support/edge.ts';
import { bundleEdge } from '../support/edge-bundle.ts';
import { fanOut } from './edge/fan-out.ts';
import { readerBehindWriter } from './edge/reader.ts';
import { median, percentile, report } from './harness.ts';
import { RawConnection } from './raw-driver.ts';

const TOPIC = 'bench';
const PARTITIONS = 16;
const ROUNDS = 9;
/** 64 in flight: so many connections, with so many unanswered requests each. */
const CONNECTIONS = 8;
const IN_FLIGHT = 8;
const SMALL = { bytes: 1_024, requests: 2_000 };
const LARGE = { bytes: 64 * 1_024, requests: 400 };

/** One workerd with a topic, its clients, and what a request is. */
class Bench {
  readonly edge: Edge;
  readonly topicId: string;
  readonly #connections: readonly RawConnection[];

  private constructor(edge: Edge, topicId: string, connections: readonly RawConnection[]) {
    this.edge = edge;
    this.topicId = topicId;
    this.#connections = connections;
  }

  static async start(bundle: string, directory: string, vars: Record<string, string>): Promise<Bench> {
    const edge = await startEdge(bundle, { directory, tcp: '127.0.0.1:0', vars });
    const client = await connect(`ws://${edge.host}/kafka`);
    const { id } = await client.admin.topics.create(TOPIC, { partitions: PARTITIONS });
    await client.close();
    const address = { host: '127.0.0.1', port: edge.tcpPort ?? 0 };
    const connections = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => RawConnection.open(address)),
    );
    return new Bench(edge, id, connections);
  }

  /** Rows that a partition's object has written since it woke, as they are billed. */
  async rowsWritten(partition: number): Promise<number> {
    const shard = `d/${this.topicId}/${partition}`;
    const text = await (
      await fetch(`http://${this.edge.host}/metrics?${new URLSearchParams({ shard }).toString()}`)
    ).text();
    return Number(/^milena_shard_rows_written_total\{.*\} (?<rows>\d+)$/m.exec(text)?.groups?.['rows']);
  }

  /** @returns seconds. @param requestOf the request to a partition. */
  async drive(
    requests: number,
    requestOf: (partition: number) => Uint8Array,
    partitions = 1,
  ): Promise<number> {
    const startedMs = performance.now();
    const each = requests / this.#connections.length;
    await Promise.all(
      this.#connections.map(async (connection, number) => {
        const before = connection.responses;
        for (let sent = 0; sent < each; sent++) {
          const first = sent;
          await connection.until(() => connection.responses - before > first - IN_FLIGHT);
          await connection.write(requestOf((number + sent) % partitions));
        }
        await connection.until(() => connection.responses - before >= each);
      }),
    );
    return (performance.now() - startedMs) / 1_000;
  }

  /** Milliseconds of requests one after the other. */
  async alone(requests: number, request: Uint8Array): Promise<number[]> {
    const [connection] = this.#connections;
    if (connection === undefined) return [];
    const times: number[] = [];
    for (let sent = 0; sent < requests; sent++) {
      const { responses } = connection;
      const startedMs = performance.now();
      await connection.write(request);
      await connection.until(() => connection.responses > responses);
      times.push(performance.now() - startedMs);
    }
    return times;
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await this.edge.kill();
  }
}

async function requests(valueBytes: number): Promise<(partition: number) => Uint8Array> {
  const value = new Uint8Array(valueBytes).map(() => Math.floor(Math.random() * 256));
  const records = buildBatch(await loadKernels(), { records: [{ value, timestamp: Date.now() }] });
  const made = Array.from({ length: PARTITIONS }, (_, index) =>
    encodeRequest(
      produceApi,
      7,
      { correlationId: index, clientId: 'bench' },
      {
        acks: -1,
        timeoutMs: 60_000,
        topicData: [{ name: TOPIC, partitionData: [{ index, records }] }],
      },
    ),
  );
  return (partition) => made[partition] ?? new Uint8Array(0);
}

/** On workerd of this machine: its disk, no replication. Rows are what the platform would bill. */
export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'milena-bench-edge-'));
  const bundle = await bundleEdge(join(folder, 'bundle'));
  const ours = await Bench.start(bundle, join(folder, 'ours'), {});
  const peer = await Bench.start(bundle, join(folder, 'peer'), { MILENA_LINGER_MS: '0' });
  try {
    await rowsAndRequests(ours, peer);
    await largeBatches(ours);
    await readerBehindWriter(ours.edge);
    await fanOut(ours.edge);
  } finally {
    await ours.stop();
    await peer.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function rowsAndRequests(ours: Bench, peer: Bench): Promise<void> {
  const small = await requests(SMALL.bytes);
  await ours.drive(SMALL.requests, small);
  await peer.drive(SMALL.requests, small);
  const [before, peerBefore] = [await ours.rowsWritten(0), await peer.rowsWritten(0)];
  const rates: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const rate = SMALL.requests / (await ours.drive(SMALL.requests, small));
    rates.push(rate);
    ratios.push(rate / (SMALL.requests / (await peer.drive(SMALL.requests, small))));
  }
  const thousands = (ROUNDS * SMALL.requests) / 1_000;
  const rows = ((await ours.rowsWritten(0)) - before) / thousands;
  const peerRows = ((await peer.rowsWritten(0)) - peerBefore) / thousands;
  const what = '1 KB a request, 64 in flight, one partition';
  report({
    bench: `edge: rows written, ${what}`,
    value: rows,
    unit: 'rows/1,000 requests',
    peer: 'a row and a commit a request',
    ratio: peerRows / rows,
    bar: { atMost: 40 },
  });
  report({
    bench: `edge: produce, ${what}`,
    value: median(rates),
    unit: 'requests/s',
    peer: 'a row and a commit a request',
    ratio: median(ratios),
    bar: { value: 1_500, ratio: 3 },
  });
  const times = await ours.alone(400, small(0));
  const alone = { bench: 'edge: produce, 1 KB, one at a time', unit: 'ms' };
  report({ ...alone, bench: `${alone.bench}, median`, value: median(times) });
  report({ ...alone, bench: `${alone.bench}, p99`, value: percentile(times, 0.99) });
}

async function largeBatches(ours: Bench): Promise<void> {
  const large = await requests(LARGE.bytes - 100);
  for (const [partitions, least] of [
    [1, 25],
    [PARTITIONS, 40],
  ] as const) {
    await ours.drive(LARGE.requests, large, partitions);
    const before = await ours.rowsWritten(0);
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const seconds = await ours.drive(LARGE.requests, large, partitions);
      rates.push((LARGE.requests * LARGE.bytes) / seconds / 1e6);
    }
    const rows = (await ours.rowsWritten(0)) - before;
    const what = `64 KB batches, ${partitions} partition${partitions === 1 ? '' : 's'}`;
    report({ bench: `edge: produce, ${what}`, value: median(rates), unit: 'MB/s', bar: { value: least } });
    if (partitions > 1) continue;
    // A batch of 64 KB holds 64 records of 1 KB.
    const thousands = (ROUNDS * LARGE.requests * 64) / 1_000;
    const bench = 'edge: rows written, in 64 KB batches of 1 KB records, one partition';
    report({ bench, value: rows / thousands, unit: 'rows/1,000 records', bar: { atMost: 20 } });
  }
}
