import { expect, test } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import type { SegmentStore } from '../../src/segments/store.ts';
import { appends, logName } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { create, log } from './crashed.ts';
import { openStore } from './open.ts';

const other = logName(2);
const SNAPSHOT = '00000000000000000004.snapshot';

/** Where the log starts. What was written before the trim is there, if it was trimmed. */
async function startOf(store: SegmentStore): Promise<number> {
  const { logStartOffset } = await store.open(log);
  const snapshot = await store.get(log, SNAPSHOT);
  expect(logStartOffset === 0 || snapshot !== undefined).toBe(true);
  return logStartOffset;
}

test('a trim that fails at any call trims nothing before what was asked for before it is durable', async () => {
  const starts = new Set<number>();
  let wasRefused = true;
  for (let calls = 0; wasRefused; calls++) {
    const files = new MemoryFiles();
    const store = await openStore(files);
    await store.commit([create, { type: 'create', ...other }]);
    await store.commit([...appends(log, 0, 4), ...appends(other.log, 0, 4)]);
    let left = calls;
    files.fault = () => {
      if (left-- === 0) throw new Error('EIO');
    };
    const snapshot: LogWrite = { type: 'put', log, name: SNAPSHOT, value: Uint8Array.of(1) };
    const trimmed = store.commit([snapshot, { type: 'trim', log, beforeOffset: 2 }]);
    wasRefused = await trimmed.then(
      () => false,
      () => true,
    );
    files.fault = () => {};
    // It writes the start of every log.
    await store.open(other.log);
    await store.commit([{ type: 'trim', log: other.log, beforeOffset: 3 }]);
    starts.add(await startOf(await openStore(files.crash({ power: true }))));
    expect([0, 2]).toContain(await startOf(store));
  }
  expect(starts).toEqual(new Set([0, 2]));
});
