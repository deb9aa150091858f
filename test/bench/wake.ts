import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { coordinatorPartition } from '../../src/model/ids.ts';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { Connection } from '../crash/connection.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { median, report } from './harness.ts';

const GROUPS = 1_000;
const PARTITIONS = 100;
const COORDINATOR_PARTITIONS = 50;
const TOPIC = 'bench';
const WAKES = 15;

/** The first answer of a group coordinator that must read 100,000 committed offsets, after a clean stop and a kill. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const args = ['--data', directory, '--flush', 'never'];
  const groups = groupsOfOnePartition();
  try {
    const broker = await BrokerProcess.start(args);
    await commitAll(broker, groups);
    await broker.stop('SIGKILL');
    await wakes(args, groups, 'SIGKILL');
    await wakes(args, groups, 'SIGTERM');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Group names that one coordinator has to itself. */
function groupsOfOnePartition(): string[] {
  const groups: string[] = [];
  for (let number = 0; groups.length < GROUPS; number++) {
    const name = `group-${number}`;
    if (coordinatorPartition(name, COORDINATOR_PARTITIONS) === 0) groups.push(name);
  }
  return groups;
}

async function commitAll(broker: BrokerProcess, groups: readonly string[]): Promise<void> {
  const connection = await Connection.open(broker.ready.kafka.port);
  await connection.request(createTopicsApi, 5, {
    topics: [{ name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] }],
  });
  await coordinator(connection, groups[0] ?? '');
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: 1_000 + partitionIndex,
    committedMetadata: '',
  }));
  for (const groupId of groups) {
    const body = { groupId, topics: [{ name: TOPIC, partitions }] };
    const { topics } = await connection.request(offsetCommitApi, 8, body);
    const errorCode = topics[0]?.partitions.find((partition) => partition.errorCode !== 0)?.errorCode;
    if (errorCode !== undefined) throw new Error(`a commit was answered with error ${errorCode}`);
  }
  connection.close();
}

/** Asked once at least: the first one asked for makes the topic of the offsets. */
async function coordinator(connection: Connection, key: string): Promise<void> {
  while ((await connection.request(findCoordinatorApi, 3, { key })).errorCode !== 0);
}

async function wakes(
  args: readonly string[],
  groups: readonly string[],
  after: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  const wakeMs: number[] = [];
  const awakeMs: number[] = [];
  for (let wake = 0; wake < WAKES; wake++) {
    const broker = await BrokerProcess.start(args);
    const connection = await Connection.open(broker.ready.kafka.port);
    await coordinator(connection, groups[0] ?? '');
    wakeMs.push(await positionsOf(connection, groups[0] ?? ''));
    awakeMs.push(await positionsOf(connection, groups.at(-1) ?? ''));
    connection.close();
    await broker.stop(after);
  }
  const bench = `wake of a group shard with ${GROUPS * PARTITIONS} committed offsets, after ${after}`;
  report({ bench, value: median(wakeMs), unit: 'ms', bar: { atMost: 100 } });
  report({ bench: `${bench}: the next answer`, value: median(awakeMs), unit: 'ms' });
}

/** How long it takes to be told all positions of a group. */
async function positionsOf(connection: Connection, groupId: string): Promise<number> {
  const startedAtMs = performance.now();
  const { topics } = await connection.request(offsetFetchApi, 5, { groupId, topics: null });
  const tookMs = performance.now() - startedAtMs;
  const known = topics[0]?.partitions.filter(({ committedOffset }) => committedOffset >= 0).length ?? 0;
  if (known !== PARTITIONS) throw new Error(`${groupId} has ${known} positions of ${PARTITIONS}`);
  return tookMs;
}
