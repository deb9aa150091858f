import { expect, test } from 'vitest';
import { append, appends } from '../storage/batches.ts';
import { DiskFault, MemoryFiles } from '../storage/memory-files.ts';
import { FIRST, LOG, RECOVERY_POINTS, create, killedAfter, log, offsets, recovered } from './crashed.ts';
import { DIRECTORY, openStore } from './open.ts';

test('a log start beyond the end is given up for good: it hides nothing that is acknowledged later', async () => {
  const files = await killedAfter([create, ...appends(log, 0, 9), { type: 'trim', log, beforeOffset: 7 }]);
  const bytes = files.bytes(`${FIRST}.log`);
  files.replace(`${FIRST}.log`, bytes.subarray(0, bytes.length / 3));

  const { store, extent, warnings } = await recovered(files);
  expect(extent).toEqual({ logStartOffset: 0, logEndOffset: 3 });
  expect(warnings.join()).toContain('before its start in log-start-offset-checkpoint (7): not believed');
  await store.commit(appends(log, 3, 9));

  const next = await recovered(files.crash({ power: true }));
  expect(next.extent).toEqual({ logStartOffset: 0, logEndOffset: 9 });
  expect(next.batches).toEqual(offsets(0, 9));
});

test('flush=never: a log whose trimmed part alone was lost stays where it was trimmed to', async () => {
  const files = new MemoryFiles();
  const store = await openStore(files, { flush: 'never' });
  await store.commit([create]);
  // Names are flushed by nobody else; batches are not.
  for (const directory of [DIRECTORY, LOG]) await files.flushDirectory(directory);
  await store.commit([...appends(log, 0, 9), { type: 'trim', log, beforeOffset: 7 }]);

  const left = files.crash({ power: true });
  const extent = { logStartOffset: 7, logEndOffset: 7 };
  const second = await openStore(left, { flush: 'never' });
  expect(await second.open(log)).toEqual(extent);
  await second.close();
  const third = await openStore(left, { flush: 'never' });
  expect(await third.open(log)).toEqual(extent);
  await third.commit(appends(log, 7, 9));
  await third.close();
  const { batches, warnings } = await recovered(left);
  expect(batches).toEqual(offsets(7, 9));
  expect(warnings).toEqual([]);
});

test('the segment of a log that was killed before it had one is there when the power goes', async () => {
  const files = new MemoryFiles();
  const store = await openStore(files);
  files.fault = (call, path) => {
    if (call === 'create' && path === `${FIRST}.log`) throw new DiskFault('the process is dead');
  };
  await expect(store.commit([create])).rejects.toThrow('the process is dead');
  const killed = files.crash({ power: false });
  const next = await openStore(killed);
  await next.open(log);
  await next.commit([append({ log, baseOffset: 0, records: 3 })]);
  expect((await recovered(killed.crash({ power: true }))).batches).toEqual([[0, 2]]);
});

test('a recovery point above the end is brought down before the log takes more', async () => {
  const files = new MemoryFiles();
  const store = await openStore(files);
  await store.commit([create, ...appends(log, 0, 5)]);
  await store.close();
  files.replace(RECOVERY_POINTS, new TextEncoder().encode('0\n1\ntopic1 0 30\n'));
  await (await openStore(files)).open(log);
  const left = await files.crash({ power: true }).readFile(RECOVERY_POINTS);
  expect(new TextDecoder().decode(left)).toBe('0\n1\ntopic1 0 5\n');
});
