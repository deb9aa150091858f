import { deepStrictEqual } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { promisify } from 'node:util';
import { Bridge } from '../../src/hosts/node/bridge.ts';
import { type Edge, startEdge } from '../support/edge.ts';
import { bundleEdge } from '../support/edge-bundle.ts';
import { noLog } from '../support/no-log.ts';
import { askChecks, missingPackage, SETTINGS } from './confluent-kafka.ts';
import { type Answer, asking } from './kafka/answers.ts';
import type { Check, Suite } from './suite.ts';

const QUICK = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
  'group.consumer.assignment.interval.ms': '0',
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '100',
  'log.retention.ms': '-1',
};
const RECORDS = 1_000;

const run = promisify(execFile);

/** Unmodified clients against the Worker and its objects in workerd: over its TCP listener, and through the bridge. */
export const suite: Suite = {
  name: 'edge',
  missing: missingPackage,
  async run(check) {
    const folder = await mkdtemp(join(tmpdir(), 'milena-compat-edge-'));
    try {
      const bundle = await bundleEdge(join(folder, 'bundle'));
      await overTcp(check, bundle, join(folder, 'tcp'));
      await throughBridge(check, bundle, join(folder, 'bridge'));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function start(bundle: string, directory: string): Promise<Edge> {
  const settings = Object.entries({ ...QUICK, ...SETTINGS }).map(([name, value]) => `${name}=${value}`);
  return startEdge(bundle, { directory, tcp: '127.0.0.1:0', vars: { MILENA_SETTINGS: settings.join('\n') } });
}

async function overTcp(check: Check, bundle: string, directory: string): Promise<void> {
  await using edge = await start(bundle, directory);
  await askAll(check, "over workerd's TCP", `127.0.0.1:${edge.tcpPort}`);
}

async function throughBridge(check: Check, bundle: string, directory: string): Promise<void> {
  await using edge = await start(bundle, directory);
  const listen = { host: '127.0.0.1', port: 0 };
  await using bridge = await Bridge.start({ url: `ws://${edge.host}/kafka`, listen, log: noLog });
  await askAll(check, 'through the bridge', `127.0.0.1:${bridge.address.port}`);
}

async function askAll(check: Check, how: string, address: string): Promise<void> {
  const answers: Answer[] = [];
  await askChecks(asking(check, `confluent-kafka ${how}`, answers), { address });
  if (await isThere('kcat')) await check(`kcat ${how} writes and reads`, () => kcat(address));
  else console.log(`SKIPPED edge: kcat ${how}: no kcat on the PATH`);
}

async function isThere(program: string): Promise<boolean> {
  return run(program, ['-V']).then(
    () => true,
    () => false,
  );
}

async function kcat(address: string): Promise<void> {
  const values = Array.from({ length: RECORDS }, (_, at) => `value ${at}`);
  await run('kcat', ['-b', address, '-L', '-J']);
  const topic = 'topic-1';
  const writing = run('kcat', ['-b', address, '-P', '-t', topic, '-p', '0', '-k', 'kcat']);
  writing.child.stdin?.end(`${values.join('\n')}\n`);
  await writing;
  const reading = [
    '-b',
    address,
    '-C',
    '-t',
    topic,
    '-p',
    '0',
    '-o',
    'beginning',
    '-e',
    '-q',
    '-f',
    '%k %s\n',
  ];
  const { stdout } = await run('kcat', reading);
  const ours = stdout.split('\n').filter((line) => line.startsWith('kcat '));
  deepStrictEqual(
    ours,
    values.map((value) => `kcat ${value}`),
  );
}
