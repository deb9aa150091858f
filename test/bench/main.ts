// `npm run bench [name ...]`: all benches, or those named. With `--check` it fails when a figure misses its bar; with
// `--readme` it writes the figures into the README's table that is made by just these.
import { readFileSync, writeFileSync } from 'node:fs';
import { belowBar, figures } from './harness.ts';
import { tableOf, withTable } from './table.ts';

/** A module of this folder exports `run`, which reports its figures. */
const benches: Record<string, () => Promise<{ run: () => Promise<void> }>> = {
  bundle: () => import('./bundle.ts'),
  kernels: () => import('./kernels.ts'),
  cli: () => import('./cli.ts'),
  'cli-memory': () => import('./cli-memory.ts'),
  'consume-memory': () => import('./consume-memory.ts'),
  codecs: () => import('./codecs.ts'),
  heartbeats: () => import('./heartbeats.ts'),
  hosts: () => import('./hosts.ts'),
  produce: () => import('./produce.ts'),
  'key-prefix': () => import('./key-prefix.ts'),
  'small-produce': () => import('./small-produce.ts'),
  'client-produce': () => import('./client-produce.ts'),
  'client-consume': () => import('./client-consume.ts'),
  e2e: () => import('./e2e.ts'),
  edge: () => import('./edge.ts'),
  'edge-idle': () => import('./edge/idle.ts'),
  'edge-starts': () => import('./edge/starts.ts'),
  fetch: () => import('./fetch.ts'),
  librdkafka: () => import('./librdkafka/build.ts'),
  commit: () => import('./commit.ts'),
  compaction: () => import('./compaction.ts'),
  indexeddb: () => import('./indexeddb.ts'),
  idle: () => import('./idle.ts'),
  scale: () => import('./scale.ts'),
  share: () => import('./share.ts'),
  testing: () => import('./testing.ts'),
  transactions: () => import('./transactions.ts'),
  wake: () => import('./wake.ts'),
  wire: () => import('./wire.ts'),
};

const args = process.argv.slice(2);
const named = args.filter((arg) => !arg.startsWith('--'));
const unknown = named.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`No bench called ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}.`);
  process.exit(2);
}
const README = new URL('../../README.md', import.meta.url);
function writeTable(table: string): void {
  writeFileSync(README, withTable(readFileSync(README, 'utf8'), table, named));
}

// A text without a place for the table is refused before the benches run, not after.
if (args.includes('--readme')) withTable(readFileSync(README, 'utf8'), '', named);
for (const name of named.length > 0 ? named : Object.keys(benches)) await (await benches[name]!()).run();

if (args.includes('--readme')) writeTable(tableOf(figures()));
if (args.includes('--check') && belowBar().length > 0) {
  console.error(
    `Below their bars:\n${belowBar()
      .map((figure) => JSON.stringify(figure))
      .join('\n')}`,
  );
  process.exitCode = 1;
}
