import { deepEqual, equal } from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as client from '../../src/hosts/node/client.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { ROOT } from '../cli/milena.ts';
import { RawClient, batch, fetchOne, produce } from '../gateway/harness.ts';
import type { Ready } from '../support/broker-process.ts';
import type { InstalledPackage } from './install.ts';

/** What must hold of the installed package on any Node it says it runs on; `node` is the one to run. */
export const CHECKS: readonly [
  name: string,
  check: (installed: InstalledPackage, node: string) => Promise<void>,
][] = [
  [
    'every export is there; kafkajs writes and reads, our client writes, over TCP and WebSocket',
    importsAndServes,
  ],
  ['`milena --version` says its version', tellsVersion],
  ['`milena dev` serves, and stops when told to', runsBroker],
];

/** @throws also when anything was said on stderr, as by a Node that lacks something. */
async function importsAndServes(installed: InstalledPackage, node: string): Promise<void> {
  await copyFile(join(import.meta.dirname, 'visit.mjs'), join(installed.folder, 'visit.mjs'));
  // kafkajs computes timeouts that newer versions of Node complain about.
  const quiet = '--disable-warning=TimeoutNegativeWarning';
  const { stdout, stderr } = await installed.run(node, [quiet, 'visit.mjs']);
  equal(stderr, '');
  deepEqual(JSON.parse(stdout), {
    names: {
      '.': Object.keys(client).toSorted(),
      './node': ['startBroker'],
      './testing': ['startBroker', 'virtualClock'],
      './web': ['MilenaError', 'connect', 'publish', 'subscribe'],
      './react': ['useTopic'],
      './kafkajs': ['webSocketFactory'],
    },
    written: { 'kafka:': 0, 'ws:': 1, failed: true },
    read: {
      tcp: 'hello over tcp',
      webSocket: 'hello over webSocket',
      web: { hello: 'over milena/web' },
    },
    counted: '3',
  });
}

async function tellsVersion(installed: InstalledPackage, node: string): Promise<void> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const child = installed.milena(node, '--version');
  const said = texts(child);
  const [code] = (await once(child, 'close')) as [number];
  deepEqual([code, said()], [0, { stdout: `${version}\n`, stderr: '' }]);
}

async function runsBroker(installed: InstalledPackage, node: string): Promise<void> {
  const child = installed.milena(node, 'dev', '--json', '--port', '0', '--http-port', '0');
  const said = texts(child);
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), closed])) as [unknown];
  if (typeof line !== 'string') throw new Error(`it ended before it was ready: ${said().stderr}`);
  const client = await RawClient.connect((JSON.parse(line) as Ready).kafka);
  const topic = { name: 'greetings', id: '' };
  await client.send(metadataApi, 12, { topics: [{ name: topic.name }] });
  equal((await produce(client, topic, batch(['hello']))).errorCode, 0);
  const { records } = await fetchOne(client, { topic });
  equal(Buffer.from(records ?? []).includes('hello'), true);
  client.destroy();
  child.kill('SIGTERM');
  const [code] = (await closed) as [number];
  deepEqual([code, said().stderr], [0, '']);
}

function texts({ stdout, stderr }: ReturnType<InstalledPackage['milena']>) {
  const said = { stdout: '', stderr: '' };
  stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return () => said;
}
