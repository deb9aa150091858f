import { expect, test } from 'vitest';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { MemoryLogStore } from '../../src/log/memory-store.ts';
import { encodeSnapshot, loadNewestSnapshot, snapshotName } from '../../src/shard/snapshots.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAAAg';
const log = `${topicId}/0`;

test('a snapshot of what the log has lost goes, and is not believed once the log has grown past it', async () => {
  const store = new MemoryLogStore();
  const name = { log, topic: 'orders', topicId, partition: 0 };
  const parts = { store, kernels: new TwinKernels(), onWarning: () => {} };
  const value = encodeSnapshot(parts, [{ key: Uint8Array.of(1), value: null }], {
    nowMs: 1,
    frame: undefined,
  });
  await store.commit([
    { type: 'create', ...name },
    { type: 'put', log, name: snapshotName(7, 0), value },
    { type: 'put', log, name: snapshotName(9, 0), value },
  ]);
  expect((await loadNewestSnapshot(parts, name, 8))?.endOffset).toBe(7);
  expect((await loadNewestSnapshot(parts, name, 20))?.endOffset).toBe(7);
  expect(await store.names(log)).toEqual([snapshotName(7, 0)]);
});
