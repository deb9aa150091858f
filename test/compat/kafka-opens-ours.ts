import { deepStrictEqual } from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../cli/milena.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { KafkaBroker } from './kafka/broker.ts';
import { type ClusterState, connectTo, readState } from './kafka/cluster-state.ts';
import { missingKafka } from './kafka/toolchain.ts';
import { extend, fill, useOwnCodecs } from './kafka/workload.ts';
import type { Check, Suite } from './suite.ts';

/** Who speaks of a directory: its logs, their loading, its metadata. The rest is timing, on a machine that is busy. */
const ABOUT_DIRECTORY =
  /kafka\.(?:storage|log|raft|image|metadata|snapshot)\b|LogManager|MetadataLoader|corrupt|FATAL/i;
const HARMLESS = [
  // A log too short for an index entry has no index file with us; Kafka makes one.
  /Could not find offset index file corresponding to log file/,
  // After a SIGKILL.
  /Skipping recovery of|unflushed log|recovering segment/i,
];

/** Our directory, opened by a Kafka broker, written to by it, and opened by us again. */
export const suite: Suite = {
  name: 'kafka-opens-ours',
  missing: missingKafka,
  async run(check) {
    useOwnCodecs();
    await check('one of our first format, once it is upgraded', openUpgraded);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const directory = await mkdtemp(join(tmpdir(), 'milena-opened-'));
      await thereAndBack((name, work) => check(`${name}, after ${signal}`, work), directory, signal);
      await rm(directory, { recursive: true });
    }
  },
};

const FIRST_FORMAT = join(ROOT, 'test', 'fixtures', 'milena-format-1');

/** Kafka cannot read its LeaderChange records: that is what the upgrade is for. */
async function openUpgraded(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'milena-opened-'));
  await cp(join(FIRST_FORMAT, 'data'), directory, { recursive: true });
  const expected = JSON.parse(await readFile(join(FIRST_FORMAT, 'expected.json'), 'utf8')) as ClusterState;
  await withMilena(directory, 'SIGTERM', async () => {});
  await withKafka(directory, 'SIGTERM', async (address) =>
    deepStrictEqual(await readState(address), expected),
  );
  await rm(directory, { recursive: true });
}

async function thereAndBack(check: Check, directory: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  let expected: ClusterState = { partitions: {}, groups: {} };
  await withMilena(directory, signal, async (address) => {
    await fill(connectTo(address));
    expected = await readState(address);
  });
  await check('Kafka serves every record, lookup and committed offset', () =>
    withKafka(directory, signal, async (address) => deepStrictEqual(await readState(address), expected)),
  );
  await check('Kafka writes to it, producers and groups go on', () =>
    withKafka(directory, signal, async (address) => {
      await extend(connectTo(address), 1);
      const more = await readState(address);
      deepStrictEqual(startOf(more, expected), expected.partitions);
      expected = more;
    }),
  );
  await check('we open it again, with all that Kafka wrote', () =>
    withMilena(directory, signal, async (address) => {
      deepStrictEqual(await readState(address), expected);
      await extend(connectTo(address), 2);
      const more = await readState(address);
      deepStrictEqual(startOf(more, expected), expected.partitions);
      expected = more;
    }),
  );
  await check('and Kafka once more', () =>
    withKafka(directory, signal, async (address) => deepStrictEqual(await readState(address), expected)),
  );
}

async function withMilena(
  directory: string,
  signal: 'SIGTERM' | 'SIGKILL',
  work: (address: string) => Promise<void>,
): Promise<void> {
  const warnings: string[] = [];
  const broker = await BrokerProcess.start(['--data', directory], (line) => warnings.push(line));
  try {
    await work(broker.address);
  } finally {
    await broker.stop(signal);
  }
  deepStrictEqual(warnings, []);
}

async function withKafka(
  directory: string,
  signal: 'SIGTERM' | 'SIGKILL',
  work: (address: string) => Promise<void>,
): Promise<void> {
  const broker = await KafkaBroker.start(directory);
  try {
    await work(broker.address);
  } finally {
    await broker.stop(signal);
  }
  const complaints = broker.complaints.filter(
    (line) => ABOUT_DIRECTORY.test(line) && !HARMLESS.some((harmless) => harmless.test(line)),
  );
  deepStrictEqual(complaints, []);
}

/** `state` as far as `before` knew it. */
function startOf({ partitions }: ClusterState, before: ClusterState): ClusterState['partitions'] {
  const entries = Object.entries(before.partitions).map(([name, { low, high, records, lookups }]) => {
    const now = partitions[name]?.records.slice(0, records.length) ?? [];
    return [name, { low, high, records: now, lookups }] as const;
  });
  return Object.fromEntries(entries);
}
