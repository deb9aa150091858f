import { expect, test } from 'vitest';
import { ManualClock } from '../gateway/fake-gateway.ts';
import { appends } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { FIRST, create, log, offsets, recovered } from './crashed.ts';
import { openStore } from './open.ts';

const trim = { type: 'trim', log, beforeOffset: 3, fileDeleteDelayMs: 60_000 } as const;
const of = (files: MemoryFiles) => files.paths().filter((path) => path.startsWith(FIRST));

async function trimmed() {
  const files = new MemoryFiles();
  const clock = new ManualClock();
  const store = await openStore(files, { clock });
  await store.commit([create, ...appends(log, 0, 3), { type: 'roll', log }, ...appends(log, 3, 5)]);
  await store.commit([trim]);
  return { files, clock, store };
}

test('files of a dropped segment have another name at once, and go file.delete.delay.ms later', async () => {
  const { files, clock } = await trimmed();
  expect(of(files)).toContain(`${FIRST}.log.deleted`);
  expect(of(files).filter((path) => !path.endsWith('.deleted'))).toEqual([]);
  clock.advance(59_999);
  expect(of(files)).not.toEqual([]);
  clock.advance(1);
  await expect.poll(() => of(files)).toEqual([]);
});

test('what still waits goes when the store is closed, or when the next one opens the log', async () => {
  const { files, store, clock } = await trimmed();
  const killed = files.crash({ power: true });
  expect(of(killed)).toContain(`${FIRST}.log.deleted`);
  const { extent, batches, warnings } = await recovered(killed);
  expect(extent).toEqual({ logStartOffset: 3, logEndOffset: 5 });
  expect([batches, warnings]).toEqual([offsets(3, 5), []]);
  expect(of(killed)).toEqual([]);
  await store.close();
  expect(of(files)).toEqual([]);
  expect(clock.waiting).toBe(0);
});
