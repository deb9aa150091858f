import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeFiles } from '../../src/hosts/node/files.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import type { LogKey } from '../../src/model/ids.ts';
import type { OpenFile } from '../../src/ports/files.ts';
import { SegmentStore } from '../../src/segments/store.ts';
import { append, logName } from '../storage/batches.ts';
import { median, report } from './harness.ts';

const DIRTY_LOGS = [1, 16, 256] as const;
const ROUNDS = 31;
const BATCH_BYTES = 1024;

/** One group commit that dirties so many logs, all flushed, beside as many files written and flushed at once. */
export async function run(): Promise<void> {
  for (const count of DIRTY_LOGS) {
    const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
    try {
      await commits(directory, count);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }
}

async function commits(directory: string, count: number): Promise<void> {
  const store = await openStore(`${directory}/data`);
  const logs = Array.from({ length: count }, (_, number) => logName(number));
  await store.commit(logs.map((name) => ({ type: 'create', ...name })));
  const files = await openFiles(`${directory}/files`, count);
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const batches = logs.map(({ log }) => batchAt(log, round));
    ours.push(await took(() => store.commit(batches)));
    bare.push(await took(() => Promise.all(files.map((file) => writeAndFlush(file, round)))));
  }
  await Promise.all(files.map((file) => file.close()));
  await store.close();
  const bench = `commit with ${count} dirty logs, flush=always`;
  const ratio = median(bare.map((ms, round) => ms / (ours[round] ?? Infinity)));
  report({ bench: `${bench}: latency`, value: median(ours), unit: 'ms', peer: 'bare files', ratio });
  report({ bench: `${bench}: one after the other`, value: 1000 / median(ours), unit: 'commits/s' });
}

async function openStore(directory: string): Promise<SegmentStore> {
  return SegmentStore.open({
    files: new NodeFiles(),
    directory,
    kernels: await loadKernels(),
    flush: 'always',
    identity: { clusterId: 'bench', nodeId: 1, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' },
  });
}

function openFiles(directory: string, count: number): Promise<OpenFile[]> {
  mkdirSync(directory);
  const files = new NodeFiles();
  return Promise.all(
    Array.from({ length: count }, (_, number) => files.open(`${directory}/${number}`, { create: true })),
  );
}

const batchAt = (log: LogKey, baseOffset: number) => append({ log, baseOffset, valueBytes: BATCH_BYTES });
const PLAIN = new Uint8Array(BATCH_BYTES);

async function writeAndFlush(file: OpenFile, round: number): Promise<void> {
  await file.write(round * BATCH_BYTES, [PLAIN]);
  await file.flush();
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}
