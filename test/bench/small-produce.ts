import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKernels } from '../../src/kernels/load.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { Connection } from '../crash/connection.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { BENCH_TOPIC } from './batches.ts';
import { report } from './harness.ts';
import { startPeer } from './peers.ts';
import { RawConnection } from './raw-driver.ts';
import { type Round, oneRound, perSecond, reportRounds, undisturbed } from './rounds.ts';

const CONNECTIONS = 8;
/** Unanswered requests of one connection. */
const IN_FLIGHT = 8;
const PARTITIONS = 100;
const RECORD_BYTES = 100;
/** So many count at least; `TURNS` times as many are measured. */
const ROUNDS = 12;
const TURNS = 4;
/** Of a connection in a round. */
const REQUESTS = 2_000;
const WARM_UP_ROUNDS = 2;

/** One record a request, partition after partition: sent again and again, so that the driver has little to do. */
export interface SmallRequests {
  /** Twice all of them, so that any that follow one another lie in one piece. */
  bytes: Uint8Array;
  sizeBytes: number;
}

export async function smallRequests(): Promise<SmallRequests> {
  const records = [{ value: new Uint8Array(RECORD_BYTES), timestamp: Date.now() }];
  const batch = buildBatch(await loadKernels(), { records });
  const requests = Array.from({ length: 2 * PARTITIONS }, (_, number) => {
    const topicData = [
      { name: BENCH_TOPIC, partitionData: [{ index: number % PARTITIONS, records: batch }] },
    ];
    const header = { correlationId: number, clientId: 'bench' };
    return encodeRequest(produceApi, 7, header, { acks: -1, timeoutMs: 60_000, topicData });
  });
  return { bytes: Buffer.concat(requests), sizeBytes: requests[0]!.length };
}

/** A topic of so many partitions, each with its log. */
export async function createPartitions(port: number): Promise<void> {
  const topic = { name: BENCH_TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 };
  const connection = await Connection.open(port);
  const made = await connection.request(createTopicsApi, 5, {
    topics: [{ ...topic, assignments: [], configs: [] }],
  });
  connection.close();
  if (made.topics[0]?.errorCode !== 0) throw new Error('the topic was not made');
}

export function openConnections(address: { host: string; port: number }): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: CONNECTIONS }, () => RawConnection.open(address)));
}

/** Sends `REQUESTS` over each connection; what a read of answers makes room for goes out in one write. */
export async function drive(connections: readonly RawConnection[], requests: SmallRequests): Promise<number> {
  await Promise.all(connections.map((connection, number) => send(connection, requests, number * 13)));
  return connections.length * REQUESTS;
}

async function send(connection: RawConnection, { bytes, sizeBytes }: SmallRequests, first: number) {
  const before = connection.responses;
  for (let sent = 0; sent < REQUESTS;) {
    const answered = connection.responses - before;
    const count = Math.min(answered + IN_FLIGHT, REQUESTS) - sent;
    const at = ((first + sent) % PARTITIONS) * sizeBytes;
    await connection.write(bytes.subarray(at, at + count * sizeBytes));
    sent += count;
    await connection.until(() => connection.responses > before + answered);
  }
  await connection.until(() => connection.responses === before + REQUESTS);
}

/** Many clients that send one record at a time, beside a bare TCP sink that answers each, in turns. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const broker = await BrokerProcess.start(['--data', directory, '--flush', 'never']);
  const peer = await startPeer('sink');
  try {
    await createPartitions(broker.ready.kafka.port);
    const requests = await smallRequests();
    const ours = await openConnections(broker.ready.kafka);
    const theirs = await openConnections(peer);
    const round = () =>
      oneRound(
        () => perSecond(() => drive(ours, requests)),
        () => perSecond(() => drive(theirs, requests)),
      );
    for (let warmUp = 0; warmUp < WARM_UP_ROUNDS; warmUp++) await round();
    const cpuBefore = broker.cpuSeconds();
    const rounds: Round[] = [];
    for (let turn = 0; turn < TURNS * ROUNDS; turn++) rounds.push(await round());
    const cpuSeconds = broker.cpuSeconds() - cpuBefore;
    for (const connection of [...ours, ...theirs]) connection.close();
    const roundRequests = CONNECTIONS * REQUESTS;
    await checkWritten(broker.ready.kafka.port, (WARM_UP_ROUNDS + rounds.length) * roundRequests);
    const bench =
      'small produces: 100 B a request, 64 in flight over 8 connections, 100 partitions, flush=never';
    const figure = { unit: 'requests/s', peer: 'bare TCP sink that answers' };
    reportRounds({ ...figure, bench, bar: { value: 40_000 } }, undisturbed(rounds, ROUNDS));
    reportRounds({ ...figure, bench: 'small produces: all rounds' }, rounds);
    const value = (cpuSeconds * 1e6) / (rounds.length * roundRequests);
    report({ bench: 'small produces: CPU time of the broker', value, unit: 'us a request' });
  } finally {
    peer.stop();
    await broker.stop();
    rmSync(directory, { recursive: true });
  }
}

/** Refusals are answers too: all that was sent must be in the logs. */
async function checkWritten(port: number, sent: number): Promise<void> {
  const connection = await Connection.open(port);
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
    partitionIndex,
    timestamp: -1,
  }));
  const topics = [{ name: BENCH_TOPIC, partitions }];
  const listed = await connection.request(listOffsetsApi, 1, { replicaId: -1, topics });
  connection.close();
  const written = listed.topics[0]?.partitions.reduce((sum, { offset }) => sum + offset, 0);
  if (written !== sent) throw new Error(`${written} of ${sent} records were written`);
}
