import { deepStrictEqual, doesNotMatch, match, ok } from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerProcess } from '../support/broker-process.ts';
import { type ClusterState, connectTo, readState } from './kafka/cluster-state.ts';
import { missingKafka, runTool } from './kafka/toolchain.ts';
import { fill, useOwnCodecs } from './kafka/workload.ts';
import type { Check, Suite } from './suite.ts';

const COMPLAINTS = /isvalid: false|mismatch|out of order|non-?consecutive|exception|error|corrupt|failed/i;

/** The tool takes -1 for the offset before any file: it says this of every segment but a log's first, Kafka's too. */
const FIRST_OF_FILE = /^Non-consecutive offsets in .*?\/0*(\d+)\.log\n  -1 is followed by \1$/gm;

/** Our directory, read by Kafka's own dump tool. */
export const suite: Suite = {
  name: 'kafka-dump',
  missing: missingKafka,
  async run(check) {
    useOwnCodecs();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const directory = await mkdtemp(join(tmpdir(), 'milena-dump-'));
      const broker = await BrokerProcess.start(['--data', directory]);
      await fill(connectTo(broker.address));
      const state = await readState(broker.address);
      await broker.stop(signal);
      await dumpAll((name, work) => check(`${name}, after ${signal}`, work), directory, state);
      await rm(directory, { recursive: true });
    }
  },
};

async function dumpAll(check: Check, directory: string, state: ClusterState): Promise<void> {
  const files = await listFiles(directory);
  const ending = (suffix: string, of = (_log: string) => true) =>
    files.filter(([log, name]) => of(log) && name.endsWith(suffix)).map((parts) => join(directory, ...parts));
  await check('every record of every log', async () => {
    const logs = ending('.log', (log) => !log.startsWith('__'));
    ok(logs.length > Object.keys(state.partitions).length, 'some log has several segments');
    const said = await dump(logs, ['--deep-iteration', '--print-data-log']);
    const records = Object.fromEntries(
      Object.keys(state.partitions).map((log) => [log, [] as DumpedRecord[]]),
    );
    for (const [log, found] of parseRecords(said)) records[log]?.push(...found);
    const expected = Object.entries(state.partitions).map(([log, partition]) => [
      log,
      partition.records.map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value })),
    ]);
    deepStrictEqual(records, Object.fromEntries(expected));
  });
  await check('indexes agree with their logs', async () => {
    const indexes = ending('.index');
    ok(indexes.length > 0);
    await dump(indexes, []);
    const sane = await dump(indexes, ['--index-sanity-check']);
    deepStrictEqual(sane.match(/passed sanity check/g)?.length, indexes.length);
    await dump(ending('.timeindex'), []);
  });
  await check('producer snapshots', async () => {
    const snapshots = ending('.snapshot');
    if (snapshots.length > 0) match(await dump(snapshots, []), /producerId: \d+ producerEpoch: 0/);
  });
  await check('the metadata log', async () => {
    const said = await dump(
      ending('.log', (log) => log.startsWith('__cluster_metadata')),
      ['--cluster-metadata-decoder'],
    );
    const topics = Array.from(said.matchAll(/"TOPIC_RECORD".*?"name":"([\w-]+)"/g), ([, name]) => name);
    const expected = new Set(Object.keys(state.partitions).map((log) => log.split('/')[0]));
    deepStrictEqual(new Set(topics), new Set([...expected, 'deleted', '__consumer_offsets']));
    match(said, /LeaderChange: {"version":0,"leaderId":1/);
  });
  await check('committed offsets', async () => {
    const said = await dump(
      ending('.log', (log) => log.startsWith('__consumer_offsets')),
      ['--offsets-decoder'],
    );
    const groups: ClusterState['groups'] = {};
    for (const [, group = '', topic = '', partition = '', offset = ''] of said.matchAll(COMMIT))
      (groups[group] ??= {})[`${topic}/${partition}`] = offset;
    deepStrictEqual(groups, state.groups);
  });
}

/** What the tool printed. @throws when it complained, or failed. */
async function dump(files: readonly string[], options: readonly string[]): Promise<string> {
  const { stdout, stderr } = await runTool('org.apache.kafka.tools.DumpLogSegments', [
    '--files',
    files.join(','),
    ...options,
  ]);
  doesNotMatch(stderr.replaceAll(FIRST_OF_FILE, ''), COMPLAINTS);
  doesNotMatch(stdout.replaceAll(/ payload: .*$/gm, ''), COMPLAINTS);
  return stdout;
}

/** Log directories and the files in them, in order. */
async function listFiles(directory: string): Promise<[log: string, name: string][]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const logs = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const lists = await Promise.all(
    logs.map(async (log) =>
      (await readdir(join(directory, log))).map((name): [string, string] => [log, name]),
    ),
  );
  return lists.flat().toSorted((a, b) => a.join('/').localeCompare(b.join('/')));
}

interface DumpedRecord {
  offset: string;
  timestamp: string;
  key: string | null;
  value: string | null;
}

/** Records by "topic/partition", file by file. */
function parseRecords(said: string): [log: string, records: DumpedRecord[]][] {
  return said
    .split(/^Dumping /m)
    .slice(1)
    .map((part) => {
      const [, topic = '', partition = ''] = /\/([\w-]+)-(\d+)\/\d{20}\.log$/m.exec(part) ?? [];
      return [`${topic}/${partition}`, parseLines(part)];
    });
}

const RECORD = new RegExp(
  /^\| offset: (\d+) CreateTime: (\d+) keySize: (-?\d+) valueSize: (-?\d+) .*?/.source +
    /headerKeys: \[.*?\](?: key: (\S*))?(?: payload: (.*))?$/.source,
  'gm',
);
const COMMIT = new RegExp(
  /"data":{"group":"([\w-]+)","topic":"([\w-]+)","partition":(\d+)}} /.source +
    /payload: {"version":"\d","data":{"offset":(\d+)/.source,
  'g',
);

function parseLines(part: string): DumpedRecord[] {
  return Array.from(
    part.matchAll(RECORD),
    ([, offset = '', timestamp = '', keySize, valueSize, key, value]) => ({
      offset,
      timestamp,
      key: keySize === '-1' ? null : (key ?? ''),
      value: valueSize === '-1' ? null : (value ?? ''),
    }),
  );
}
