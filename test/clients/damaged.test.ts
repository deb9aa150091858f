import { cp, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Broker } from '../../src/hosts/node/broker.ts';
import { type ClusterState, patiently, readState } from '../compat/kafka/cluster-state.ts';
import { useOwnCodecs } from '../compat/kafka/workload.ts';
import { isAboutSpeed } from './fixture.ts';

const FIXTURE = join(import.meta.dirname, '../fixtures/milena-format-1');
const SETTINGS = new Map([['group.initial.rebalance.delay.ms', '0']]);

useOwnCodecs();
let directory = '';
let expected: ClusterState;
const warnings: string[] = [];
beforeEach(async () => {
  warnings.length = 0;
  directory = await mkdtemp(join(tmpdir(), 'milena-damaged-'));
  await cp(join(FIXTURE, 'data'), directory, { recursive: true });
  expected = JSON.parse(await readFile(join(FIXTURE, 'expected.json'), 'utf8')) as ClusterState;
});
afterEach(() => rm(directory, { recursive: true }));

const said = (message: string) => void (isAboutSpeed(message) || warnings.push(message));
const start = () =>
  Broker.start({ directory, settings: SETTINGS, log: { info: () => {}, warn: said, error: said } });

/** What clients are told by a broker on the directory as it is now. */
async function served(): Promise<ClusterState> {
  const broker = await start();
  try {
    return await patiently(() => readState(`127.0.0.1:${broker.kafka.port}`));
  } finally {
    await broker.close();
  }
}

/** Changes a bit in the middle of a file, the first whose name fits. */
async function flip(log: string, name: RegExp, at = 0.5): Promise<string> {
  const found = (await readdir(join(directory, log))).toSorted().find((file) => name.test(file)) ?? '';
  const path = join(directory, log, found);
  const bytes = await readFile(path);
  const position = Math.floor(bytes.length * at);
  bytes[position] = (bytes[position] ?? 0) ^ 0x10;
  await writeFile(path, bytes);
  return path;
}

describe('made anew from the log, or not needed', () => {
  test.each([
    ['compat-none-0', /24\.snapshot$/, 'is damaged: what it says is made anew from the log'],
    ['compat-none-0', /^leader-epoch-checkpoint$/, 'leader-epoch-checkpoint is damaged'],
    ['', /^recovery-point-offset-checkpoint$/, undefined],
    ['', /^milena\.logs$/, undefined],
    ['__cluster_metadata-0', /^quorum-state$/, undefined],
    ['__cluster_metadata-0', /^partition\.metadata$/, 'partition.metadata is damaged: made anew'],
    ['compat-none-0', /\.index$/, undefined],
    ['compat-none-0', /\.timeindex$/, undefined],
  ])('%s %s', async (log, name, said) => {
    await flip(log, name, 0);
    expect(await served()).toEqual(expected);
    expect(warnings.join('\n')).toContain(said ?? '');
    warnings.length = 0;
    expect(await served()).toEqual(expected);
    expect(warnings).toEqual([]);
  });

  test('a checkpoint that is no checkpoint', async () => {
    await writeFile(join(directory, 'recovery-point-offset-checkpoint'), '0\n1\nnonsense\n');
    await writeFile(join(directory, 'log-start-offset-checkpoint'), '\0\0\0');
    expect(await served()).toEqual(expected);
    expect(warnings.join('\n')).toMatch(/recovery-point-offset-checkpoint is damaged: .*/);
    expect(warnings.join('\n')).toMatch(/log-start-offset-checkpoint is damaged: .*/);
  });

  test('a log start beyond the end', async () => {
    await writeFile(join(directory, 'log-start-offset-checkpoint'), '0\n1\ncompat-none 0 9999\n');
    expect(await served()).toEqual(expected);
    expect(warnings.join('\n')).toContain('compat-none-0: ends at offset 24, before its start');
  });
});

test('a log shorter than was flushed once is named', async () => {
  await writeFile(join(directory, 'recovery-point-offset-checkpoint'), '0\n1\ncompat-none 0 30\n');
  expect(await served()).toEqual(expected);
  expect(warnings.join('\n')).toContain(
    'compat-none-0: ends at offset 24, but all below 30 was flushed once',
  );
});

test.each([
  ['closed cleanly', false],
  ['not closed', true],
])('a batch of records, %s: named and kept, all others are served', async (_, isKilled) => {
  if (isKilled) await rm(join(directory, '.kafka_cleanshutdown'));
  await writeFile(join(directory, 'recovery-point-offset-checkpoint'), '0\n0\n');
  const path = await flip('compat-none-0', /^0{20}\.log$/);
  // The first to read a log that was closed cleanly finds it, and is told to try again.
  const state = await served();
  const { records, high, low } = state.partitions['compat-none/0'] ?? { records: [] };
  const whole = expected.partitions['compat-none/0']?.records.filter(
    ({ offset }) => Number(offset) < 4 || Number(offset) >= 8,
  );
  expect(records).toEqual(whole);
  expect({ high, low }).toEqual({ high: '24', low: '0' });
  expect(warnings.join('\n')).toContain(`compat-none-0: offsets 4 to 7 are damaged in ${path}`);
  expect(await readdir(join(directory, 'compat-none-0'))).toContainEqual(expect.stringMatching(/\.damaged$/));
});

test('a batch of committed offsets: the group goes back to what is whole', async () => {
  const log = (await readdir(directory)).find((name) => name.startsWith('__consumer_offsets')) ?? '';
  await flip(log, /\.log$/, 0.99);
  const { partitions, groups } = await served();
  expect(partitions).toEqual(expected.partitions);
  expect(Object.keys(groups)).not.toContain('somebody else');
  expect(warnings.join('\n')).toMatch(new RegExp(`${log}: .*damaged`));
});

test('the metadata log: the broker does not start with half of it, and says which part is missing', async () => {
  const path = await flip('__cluster_metadata-0', /\.log$/, 0.1);
  await expect(start()).rejects.toThrow('the metadata log could not be opened');
  await expect(start()).rejects.toThrow('the metadata log could not be opened');
  const said = warnings.join('\n');
  expect(said).toContain(`are damaged in ${path}`);
  expect(said).toMatch(
    /__cluster_metadata-0: cannot be served \(its records from offset \d+ to \d+ are missing/,
  );
  expect((await readdir(directory)).filter((name) => name.startsWith('compat-'))).toHaveLength(5);
});

test.each([
  ['closed cleanly', false],
  ['not closed', true],
])(
  'a metadata log that ends before what was flushed, %s: no start without its topics',
  async (_, isKilled) => {
    if (isKilled) await rm(join(directory, '.kafka_cleanshutdown'));
    await truncate(join(directory, '__cluster_metadata-0/00000000000000000000.log'), 200);
    await expect(start()).rejects.toThrow('the metadata log could not be opened');
    await expect(start()).rejects.toThrow('the metadata log could not be opened');
    expect(warnings.join('\n')).toMatch(
      /__cluster_metadata-0: cannot be served \(it ends at offset 1, but all below 81 was flushed once/,
    );
    expect((await readdir(directory)).filter((name) => name.startsWith('compat-'))).toHaveLength(5);
  },
);

test('a topic id of the metadata log that is another one: it has but one', async () => {
  await rm(join(directory, 'milena.logs'));
  const other = 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAg\n';
  await writeFile(join(directory, '__cluster_metadata-0/partition.metadata'), other);
  expect(await served()).toEqual(expected);
});

test.each([
  ['damaged', (path: string) => writeFile(path, 'version: 0')],
  ['gone', (path: string) => rm(path)],
])('a partition.metadata that is %s: the log is taken up when its topic is read', async (_, hurt) => {
  await rm(join(directory, 'milena.logs'));
  await hurt(join(directory, 'compat-none-0/partition.metadata'));
  expect(await served()).toEqual(expected);
  expect(warnings.join('\n')).toContain('compat-none-0: taken for the log of topic id');
  warnings.length = 0;
  expect(await served()).toEqual(expected);
  expect(warnings).toEqual([]);
});
