import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKernels } from '../../src/kernels/load.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { Connection } from '../crash/connection.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { median, report } from './harness.ts';

const TOPICS = 10_000;
const PARTITIONS = 4;
const CREATE_AT_ONCE = 500;
const PRODUCE_AT_ONCE = 250;
const STARTS = 5;
const ASKS = 5;

/** A start with many topics, each partition with a log of its own, after a clean stop and after a kill. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const args = ['--data', directory, '--flush', 'never'];
  try {
    const broker = await BrokerProcess.start(args);
    await fill(broker);
    await broker.stop();
    await starts(args, 'SIGTERM');
    await starts(args, 'SIGKILL');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const nameOf = (number: number) => `topic-${String(number).padStart(5, '0')}`;

function range<T>(from: number, count: number, of: (number: number) => T): T[] {
  return Array.from({ length: Math.min(count, TOPICS - from) }, (_, index) => of(from + index));
}

/** Makes the topics and writes a record to each partition. */
async function fill(broker: BrokerProcess): Promise<void> {
  const connection = await Connection.open(broker.ready.kafka.port);
  for (let from = 0; from < TOPICS; from += CREATE_AT_ONCE) {
    const topics = range(from, CREATE_AT_ONCE, (number) => ({
      name: nameOf(number),
      numPartitions: PARTITIONS,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    }));
    const made = await connection.request(createTopicsApi, 5, { topics });
    failOn(made.topics.map(({ errorCode }) => errorCode));
  }
  const records = [{ value: new Uint8Array(100), timestamp: Date.now() }];
  const kernels = await loadKernels();
  for (let from = 0; from < TOPICS; from += PRODUCE_AT_ONCE) {
    const topicData = range(from, PRODUCE_AT_ONCE, (number) => ({
      name: nameOf(number),
      partitionData: Array.from({ length: PARTITIONS }, (_, index) => ({
        index,
        records: buildBatch(kernels, { records }),
      })),
    }));
    const { responses } = await connection.request(produceApi, 7, { acks: 1, timeoutMs: 60_000, topicData });
    failOn(responses.flatMap((topic) => topic.partitionResponses.map(({ errorCode }) => errorCode)));
  }
  connection.close();
}

function failOn(errorCodes: readonly number[]): void {
  const errorCode = errorCodes.find((code) => code !== 0);
  if (errorCode !== undefined) throw new Error(`the broker answered with error ${errorCode}`);
}

async function starts(args: readonly string[], after: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const readyMs: number[] = [];
  const residentMb: number[] = [];
  const metadataMs: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    if (after === 'SIGKILL') await (await BrokerProcess.start(args)).stop('SIGKILL');
    const broker = await BrokerProcess.start(args);
    readyMs.push(broker.ready.readyMs);
    metadataMs.push(...(await askForAll(broker)));
    residentMb.push(broker.residentBytes() / 1e6);
    await broker.stop();
  }
  const what = `${TOPICS} topics, ${TOPICS * PARTITIONS} logs, start after ${after}`;
  report({ bench: `${what}: ready`, value: median(readyMs), unit: 'ms', bar: { atMost: 2_000 } });
  report({ bench: `${what}: RSS`, value: median(residentMb), unit: 'MB', bar: { atMost: 300 } });
  report({
    bench: `${what}: all in one Metadata`,
    value: median(metadataMs),
    unit: 'ms',
    bar: { atMost: 200 },
  });
}

/** As a client sees it, decoding included. */
async function askForAll(broker: BrokerProcess): Promise<number[]> {
  const connection = await Connection.open(broker.ready.kafka.port);
  const tookMs: number[] = [];
  for (let ask = 0; ask < ASKS; ask++) {
    const startedAtMs = performance.now();
    const { topics } = await connection.request(metadataApi, 8, { topics: null });
    tookMs.push(performance.now() - startedAtMs);
    if (topics.length < TOPICS) throw new Error(`Metadata names ${topics.length} of ${TOPICS} topics`);
  }
  connection.close();
  return tookMs;
}
