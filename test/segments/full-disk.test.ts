import { expect, test } from 'vitest';
import type { SegmentStore } from '../../src/segments/store.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { appends } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { create, log, recovered } from './crashed.ts';
import { DIRECTORY, openStore } from './open.ts';

/** A disk that takes `calls` more changes and then is full. */
function fillAfter(files: MemoryFiles, calls: number): void {
  let left = calls;
  files.fault = (call, path) => {
    // What gives room, or needs none, still works.
    if (call === 'remove' || call === 'truncate' || call === 'flush' || left-- > 0) return;
    throw Object.assign(new Error(`ENOSPC: no space left on device, ${call} '${path}'`), { code: 'ENOSPC' });
  };
}

const COMMITS = 8;

/** One batch a commit, with a new segment now and then. @returns how many were acknowledged before a refusal. */
async function writeUntilRefused(store: SegmentStore): Promise<number> {
  for (let offset = 0; offset < COMMITS; offset++) {
    const roll: LogWrite[] = offset % 3 === 2 ? [{ type: 'roll', log }] : [];
    const value = new Uint8Array([offset]);
    const put: LogWrite = { type: 'put', log, name: 'leader-epoch-checkpoint', value };
    const writes = [...(offset === 0 ? [create] : roll), ...appends(log, offset, offset + 1, 100), put];
    if (await isFull(store.commit(writes))) return offset;
  }
  return COMMITS;
}

/** Whether it was refused for want of room. @throws what else went wrong. */
async function isFull(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOSPC') return true;
    throw error;
  }
}

test('a disk that is full at any write refuses, keeps what was acknowledged, and goes on with room', async () => {
  let acknowledged = 0;
  for (let calls = 0; acknowledged < COMMITS; calls++) {
    const files = new MemoryFiles();
    const store = await openStore(files);
    fillAfter(files, calls);
    acknowledged = await writeUntilRefused(store);
    const killed = files.crash({ power: true });
    files.fault = () => {};
    if (acknowledged === 0) await store.commit([create]);
    // What was refused may have been written before the disk was full.
    const written = [acknowledged, acknowledged + 1];
    const { logEndOffset } = await store.open(log);
    expect(written, `call ${calls}`).toContain(logEndOffset);
    await store.commit(appends(log, logEndOffset, logEndOffset + 1));
    await store.close();
    expect((await recovered(files)).batches).toHaveLength(logEndOffset + 1);
    const left = acknowledged > 0 ? (await recovered(killed)).batches.length : 0;
    expect(written).toContain(left);
  }
});

test('a start on a full disk says so, lets the directory go and leaves it as it was', async () => {
  const files = new MemoryFiles();
  const store = await openStore(files);
  await store.commit([create, ...appends(log, 0, 4, 100)]);
  const disk = files.crash({ power: true });
  const before = disk.paths();
  for (let calls = 0; ; calls++) {
    const full = disk.crash({ power: true });
    fillAfter(full, calls);
    const opening = openStore(full);
    const wasFull = await isFull(opening);
    full.fault = () => {};
    if (!wasFull) return (await opening).close();
    expect(full.paths().filter((path) => !path.endsWith('.tmp'))).toEqual(expect.arrayContaining(before));
    const { batches } = await recovered(full);
    expect(batches).toHaveLength(4);
  }
});

test('a directory that may not be written is refused by name', async () => {
  const files = new MemoryFiles();
  const store = await openStore(files);
  await store.commit([create, ...appends(log, 0, 4)]);
  await store.close();
  const readOnly = files.crash({ power: true });
  readOnly.fault = (call, path) => {
    throw Object.assign(new Error(`EROFS: read-only file system, ${call} '${path}'`), { code: 'EROFS' });
  };
  await expect(openStore(readOnly)).rejects.toThrow(`EROFS: read-only file system, `);
  await expect(openStore(readOnly)).rejects.toThrow(DIRECTORY);
});
