import { afterEach, expect, test, vi } from 'vitest';
import { commands } from 'vitest/browser';
import { IndexedDbLogStore } from '../../../src/hosts/browser/store.ts';
import type { LogWrite } from '../../../src/ports/log-store.ts';
import { append, appends, logName, offsetsOf } from '../../storage/batches.ts';
import { newName } from './home.ts';
import { refusal } from './refusal.ts';

/** What only Chromium lets a test bring about. */

afterEach(() => {
  vi.restoreAllMocks();
});

const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };
const { log } = logName(1);
const create: LogWrite = { type: 'create', ...logName(1) };

async function open() {
  return IndexedDbLogStore.open({ name: newName(), durability: 'strict', tailBytes: 0 });
}

/** Chromium's way to give part of an origin a quota of its own (Storage Buckets API). */
declare global {
  interface Navigator {
    storageBuckets: {
      open(name: string, options: { quota: number }): Promise<{ indexedDB: IDBFactory }>;
    };
  }
}

test('a full disk: a clear message, and the log goes on with what was acknowledged', async () => {
  const bucket = await navigator.storageBuckets.open(newName(), { quota: 2_000_000 });
  const opened = vi.spyOn(indexedDB, 'open').mockImplementation((...args) => bucket.indexedDB.open(...args));
  const store = await open();
  await store.commit([create, ...appends(log, 0, 5)]);
  let acknowledged = 5;
  const value = crypto.getRandomValues(new Uint8Array(60_000));
  const error = await refusal(
    (async () => {
      for (; acknowledged < 200; acknowledged++)
        await store.commit([
          append({ log, baseOffset: acknowledged }),
          { type: 'put', log, name: `v${acknowledged}`, value },
        ]);
    })(),
  );
  expect(error.reason).toBe('full');
  expect(error.message).toContain('is full: the quota of this origin is used up');
  expect((error.cause as DOMException).name).toBe('QuotaExceededError');
  expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: acknowledged });
  expect(offsetsOf(await store.read(log, ALL))).toHaveLength(acknowledged);
  expect(opened).toHaveBeenCalledTimes(2);
  await store.close();
});

test('site data that was cleared: no log goes on in the new, empty database', async () => {
  const store = await open();
  await store.commit([create, ...appends(log, 0, 2)]);
  await commands.clearIndexedDb();
  expect((await refusal(store.commit(appends(log, 2, 3)))).reason).toBe('cleared');
  expect(() => store.read(log, ALL)).toThrow('was emptied');
  await expect(store.open(log)).rejects.toThrow(`log ${log} is gone`);
  await store.commit([{ type: 'drop', log }, create, ...appends(log, 0, 1)]);
  expect(offsetsOf(await store.read(log, ALL))).toEqual([[0, 0]]);
  await store.close();
});
