import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadKernels } from '../../../src/kernels/load.ts';
import { coordinatorPartition } from '../../../src/model/ids.ts';
import { buildBatch } from '../../../src/records/builder.ts';
import { produceApi } from '../../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../../src/wire/apis/01-fetch.ts';
import { offsetCommitApi } from '../../../src/wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../../../src/wire/apis/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../../src/wire/apis/10-find-coordinator.ts';
import { createTopicsApi } from '../../../src/wire/apis/19-create-topics.ts';
import { Connection } from '../../crash/connection.ts';
import { type Edge, startEdge } from '../../support/edge.ts';
import { bundleEdge } from '../../support/edge-bundle.ts';
import { median, report } from '../harness.ts';

const LOG_BYTES = 2e9;
const BATCH_BYTES = 1_000_000;
const GROUPS = 1_000;
const PARTITIONS = 100;
const COORDINATOR_PARTITIONS = 50;
const TOPIC = 'starts';
const WAKES = 9;
const AT_ONCE = 8;
const EMPTY_WORKER = 'export class ShardObject {}\nexport default { fetch: () => new Response() };\n';

interface Running {
  edge: Edge;
  connection: Connection;
}

async function start(bundle: string, directory: string): Promise<Running> {
  const edge = await startEdge(bundle, { directory, tcp: '127.0.0.1:0' });
  return { edge, connection: await Connection.open(edge.tcpPort ?? 0) };
}

/** What the Worker weighs and what its start costs; then objects that have much, and their first answers. */
export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'milena-bench-starts-'));
  try {
    const bundle = await bundleEdge(join(folder, 'bundle'));
    weigh(bundle);
    await startUp(bundle, folder);
    await largeLog(bundle, join(folder, 'log'));
    await largeGroups(bundle, join(folder, 'groups'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function weigh(bundle: string): void {
  const parts = readdirSync(bundle).filter((name) => /\.(?:js|wasm)$/.test(name));
  const sizes = parts.map((name) => gzipSync(readFileSync(join(bundle, name)), { level: 9 }).length);
  const value = sizes.reduce((sum, size) => sum + size, 0) / 1_024;
  report({ bench: 'edge: the Worker, all its parts gzipped', value, unit: 'KB', bar: { atMost: 1_024 } });
}

/** CPU that workerd has used until it listens, beyond what it uses with a Worker that does nothing. */
async function startUp(bundle: string, folder: string): Promise<void> {
  const empty = mkdtempSync(join(folder, 'empty-'));
  writeFileSync(join(empty, 'index.js'), EMPTY_WORKER);
  const cpuOf = async (worker: string) => {
    const edge = await startEdge(worker, { directory: join(folder, 'none') });
    const [, fields = ''] = readFileSync(`/proc/${edge.pid}/stat`, 'utf8').split(') ');
    await edge.kill();
    const [user = 0, system = 0] = fields.split(' ').slice(11, 13).map(Number);
    return (user + system) * 10;
  };
  const differences: number[] = [];
  for (let round = 0; round < WAKES; round++) differences.push((await cpuOf(bundle)) - (await cpuOf(empty)));
  const bench = "edge: CPU of the Worker's start, beyond an empty one";
  report({ bench, value: median(differences), unit: 'ms', bar: { atMost: 100 } });
}

/** Memory of the process: Linux alone tells. */
function memoryOf({ pid }: Edge): number {
  const found = /^VmRSS:\s+(?<kb>\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.groups?.['kb'];
  return Number(found) / 1_024;
}

/** First the Worker and the metadata are awake; then the object that is asked first. */
async function firstAnswers(
  bundle: string,
  directory: string,
  { what, ask, bar }: { what: string; ask: (connection: Connection) => Promise<void>; bar: number },
): Promise<number> {
  const wakesMs: number[] = [];
  const memory: number[] = [];
  for (let wake = 0; wake < WAKES; wake++) {
    const { edge, connection } = await start(bundle, directory);
    await connection.request(findCoordinatorApi, 3, { key: 'x' });
    const before = memoryOf(edge);
    const startedMs = performance.now();
    await ask(connection);
    wakesMs.push(performance.now() - startedMs);
    memory.push(memoryOf(edge) - before);
    connection.close();
    await edge.kill();
  }
  report({ bench: `edge: ${what}, first answer`, value: median(wakesMs), unit: 'ms', bar: { atMost: bar } });
  return median(memory);
}

async function createTopic(connection: Connection, numPartitions: number): Promise<void> {
  const topics = [{ name: TOPIC, numPartitions, replicationFactor: -1, assignments: [], configs: [] }];
  await connection.request(createTopicsApi, 5, { topics });
}

async function largeLog(bundle: string, directory: string): Promise<void> {
  const { edge, connection } = await start(bundle, directory);
  await createTopic(connection, 1);
  const value = new Uint8Array(BATCH_BYTES).map((_, at) => (at * 31) & 255);
  const records = buildBatch(await loadKernels(), { records: [{ value, timestamp: Date.now() }] });
  const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records }] }];
  const produce = async () => {
    const { responses } = await connection.request(produceApi, 7, { acks: -1, timeoutMs: 60_000, topicData });
    const errorCode = responses[0]?.partitionResponses[0]?.errorCode;
    if (errorCode !== 0) throw new Error(`a produce was answered ${errorCode}`);
  };
  const count = LOG_BYTES / BATCH_BYTES;
  for (let sent = 0; sent < count; sent += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - sent) }, produce));
  connection.close();
  await edge.kill();
  const topics = [
    { topic: TOPIC, partitions: [{ partition: 0, fetchOffset: count, partitionMaxBytes: 1_000 }] },
  ];
  const ask = async (asking: Connection) => {
    const { responses } = await asking.request(fetchApi, 11, { maxWaitMs: 0, minBytes: 1, topics });
    const answer = responses[0]?.partitions[0];
    if (answer?.highWatermark !== count) throw new Error(`the log ends at ${answer?.highWatermark}`);
  };
  const what = 'object with a log of 2 GB';
  const memory = await firstAnswers(bundle, directory, { what, ask, bar: 50 });
  report({ bench: `edge: ${what}, memory of the process`, value: memory, unit: 'MB', bar: { atMost: 32 } });
}

/** Of one coordinator. */
function groupNames(): string[] {
  const names: string[] = [];
  for (let number = 0; names.length < GROUPS; number++)
    if (coordinatorPartition(`group-${number}`, COORDINATOR_PARTITIONS) === 0) names.push(`group-${number}`);
  return names;
}

async function largeGroups(bundle: string, directory: string): Promise<void> {
  const { edge, connection } = await start(bundle, directory);
  await createTopic(connection, PARTITIONS);
  const names = groupNames();
  while ((await connection.request(findCoordinatorApi, 3, { key: names[0] ?? '' })).errorCode !== 0);
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: 1_000 + partitionIndex,
    committedMetadata: '',
  }));
  for (const groupId of names) {
    const { topics } = await connection.request(offsetCommitApi, 8, {
      groupId,
      topics: [{ name: TOPIC, partitions }],
    });
    const errorCode = topics[0]?.partitions.find((partition) => partition.errorCode !== 0)?.errorCode;
    if (errorCode !== undefined) throw new Error(`a commit was answered ${errorCode}`);
  }
  connection.close();
  await edge.kill();
  const ask = async (asking: Connection) => {
    const { topics } = await asking.request(offsetFetchApi, 5, { groupId: names[0] ?? '', topics: null });
    const known = topics[0]?.partitions.length;
    if (known !== PARTITIONS) throw new Error(`${known} positions are known`);
  };
  const what = 'coordinator with 100,000 offsets';
  const memory = await firstAnswers(bundle, directory, { what, ask, bar: 100 });
  report({ bench: `edge: ${what}, memory of the process`, value: memory, unit: 'MB' });
}
