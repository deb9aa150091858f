import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker } from '../../src/hosts/node/testing.ts';
import { ROOT } from '../cli/milena.ts';
import { median, report } from './harness.ts';

const STARTS = 101;
const FILES = 200;

/** A file of somebody's tests. Its times go into a file, since each has a worker of its own. */
const TEST = `
import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startBroker } from 'milena/testing';

const listeners = () => process.getActiveResourcesInfo().filter((name) => /^(?:TCP|Timeout|MessagePort)/.test(name));

test('what is written is read', async () => {
  const before = listeners().length;
  const startedAtMs = performance.now();
  const broker = await startBroker();
  const startMs = performance.now() - startedAtMs;
  const client = await broker.connect();
  await client.send('orders', { value: 'hello' });
  const values = [];
  for await (const { value } of client.read('orders', { from: 'earliest', live: false })) values.push(value);
  expect(values).toHaveLength(1);
  await broker.close();
  for (let turns = 0; turns < 100 && listeners().length > before; turns++)
    await new Promise((resolve) => setImmediate(resolve));
  const left = Math.max(0, listeners().length - before);
  appendFileSync(process.env.TIMES, JSON.stringify({ startMs, left }) + '\\n');
});
`;

/** Brokers for tests: how soon they are there, alone and for 200 test files that run side by side. */
export async function run(): Promise<void> {
  const alone: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const startedAtMs = performance.now();
    const broker = await startBroker();
    alone.push(performance.now() - startedAtMs);
    await broker.close();
  }
  report({ bench: 'startBroker, median', value: median(alone), unit: 'ms', bar: { atMost: 50 } });
  report({ bench: 'startBroker, the first of a process', value: alone[0] ?? NaN, unit: 'ms' });
  const folder = await mkdtemp(join(tmpdir(), 'milena-bench-'));
  try {
    await sideBySide(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function sideBySide(folder: string): Promise<void> {
  const times = join(folder, 'times.ndjson');
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(ROOT, 'dist'), join(folder, 'node_modules', 'milena'), 'junction');
  await symlink(join(ROOT, 'node_modules', 'vitest'), join(folder, 'node_modules', 'vitest'), 'junction');
  for (let file = 0; file < FILES; file++) await writeFile(join(folder, `${file}.test.mjs`), TEST);
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', '--root', folder, '--reporter', 'dot'], {
    cwd: folder,
    env: { ...process.env, TIMES: times },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`${FILES} test files: vitest ended with ${code}`);
  const lines = (await readFile(times, 'utf8')).trim().split('\n');
  const told = lines.map((line) => JSON.parse(line) as { startMs: number; left: number });
  if (told.length !== FILES) throw new Error(`${told.length} of ${FILES} test files have said something`);
  const bench = `startBroker in ${FILES} test files side by side`;
  report({ bench, value: median(told.map(({ startMs }) => startMs)), unit: 'ms', bar: { atMost: 50 } });
  const left = told.reduce((sum, one) => sum + one.left, 0);
  report({ bench: `${bench}: handles left`, value: left, unit: 'handles', bar: { atMost: 0 } });
}
