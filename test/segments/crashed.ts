import { expect } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { isTrue, logName, offsetsOf } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { DIRECTORY, openStore } from './open.ts';

export const { log } = logName(1);
export const LOG = `${DIRECTORY}/topic1-0`;
export const FIRST = `${LOG}/00000000000000000000`;
export const create: LogWrite = { type: 'create', ...logName(1) };
export const RECOVERY_POINTS = `${DIRECTORY}/recovery-point-offset-checkpoint`;
export const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };

/** The first and last offset of batches of one record each. */
export const offsets = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, number) => [from + number, from + number]);

/** What a recovery has put aside, damaged or cut off. */
export const asideOf = (files: MemoryFiles) => files.paths().filter((path) => path.endsWith('.damaged'));

/** What a process leaves that was killed once these writes were acknowledged. */
export async function killedAfter(...commits: LogWrite[][]): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const store = await openStore(files);
  for (const writes of commits) await store.commit(writes);
  return files.crash({ power: true });
}

export async function recovered(files: MemoryFiles) {
  const warnings: string[] = [];
  const store = await openStore(files, { tailBytes: 0, onWarning: (message) => warnings.push(message) });
  const extent = await store.open(log);
  const batches: [number, number][] = [];
  for (let fromOffset = extent.logStartOffset; ;) {
    const bytes = await store.read(log, { ...ALL, fromOffset });
    expect(isTrue(bytes)).toBe(true);
    const last = offsetsOf(bytes).at(-1);
    if (!last) break;
    batches.push(...offsetsOf(bytes));
    fromOffset = last[1] + 1;
  }
  return { store, extent, batches, warnings };
}
