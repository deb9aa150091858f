import { expect, test } from 'vitest';
import type { OpenFile } from '../../src/ports/files.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { appends, logName, offsetsOf } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { DIRECTORY, openStore } from './open.ts';

const name = logName(1);

/**
 * As Linux does it: a flush that fails leaves the pages that were not written as if they had been, and the next flush
 * has nothing to do until something is written.
 */
function makeForgetful(files: MemoryFiles, fails: (path: string) => boolean): void {
  const clean = new Set<string>();
  const open = files.open.bind(files);
  Object.assign(files, {
    // The process that had it is dead.
    lock: async () => ({ release: async () => {} }),
    open: async (path: string, options?: { create?: boolean }): Promise<OpenFile> => {
      const file = await open(path, options);
      return {
        ...file,
        write: (position, chunks) => {
          clean.delete(path);
          return file.write(position, chunks);
        },
        flush: () => {
          if (clean.has(path)) return Promise.resolve();
          if (!fails(path)) return file.flush();
          clean.add(path);
          return Promise.reject(new Error('EIO'));
        },
      };
    },
  });
}

test.each([
  ['what a recovery could not flush', 0],
  ['what a recovery could not flush when it cut a torn tail', 30],
])('%s is written again before it is believed to be durable', async (_, tornBytes) => {
  const files = new MemoryFiles();
  let failures = 0;
  makeForgetful(files, (path) => path.endsWith('.log') && failures-- > 0);
  await (await openStore(files)).commit([{ type: 'create', ...name }]);
  const store = await openStore(files, { flush: 'never' });
  await store.open(name.log);
  await store.commit(appends(name.log, 0, 9));

  // The process was killed; what it wrote is with the system, and not on the disk.
  const path = `${DIRECTORY}/topic1-0/00000000000000000000.log`;
  const log = await files.open(path);
  await log.write(await log.size(), [new Uint8Array(tornBytes)]);
  failures = 1;
  const again = await openStore(files);
  await expect(again.open(name.log)).rejects.toThrow('EIO');
  expect(await again.open(name.log)).toEqual({ logStartOffset: 0, logEndOffset: 9 });

  const third = await openStore(files.crash({ power: true }));
  expect(await third.open(name.log)).toEqual({ logStartOffset: 0, logEndOffset: 9 });
  const range = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };
  expect(offsetsOf(await third.read(name.log, range))).toHaveLength(9);
});

test('no recovery point passes a segment whose flush failed, nor is its log closed as clean', async () => {
  const files = new MemoryFiles();
  await (await openStore(files)).commit([{ type: 'create', ...name }]);
  let isFailing = false;
  makeForgetful(files, (path) => isFailing && path.endsWith('.log'));
  const warned = Promise.withResolvers<string>();
  const store = await openStore(files, { flush: 'never', onWarning: warned.resolve });
  const roll: LogWrite = { type: 'roll', log: name.log };
  await store.open(name.log);
  await store.commit(appends(name.log, 0, 9));
  isFailing = true;
  await store.commit([roll, ...appends(name.log, 9, 12)]);
  expect(await warned.promise).toContain('EIO');
  isFailing = false;
  await store.commit([roll, ...appends(name.log, 12, 20)]);
  await store.close();
  const points = new TextDecoder().decode(files.bytes(`${DIRECTORY}/recovery-point-offset-checkpoint`));
  expect(points).not.toMatch(/^topic1 0 [1-9]/m);

  const next = await openStore(files.crash({ power: false }));
  expect(next.wasClean).toBe(false);
  expect(await next.open(name.log)).toEqual({ logStartOffset: 0, logEndOffset: 20 });
});

test('an index made anew that could not be flushed is made once more', async () => {
  const files = new MemoryFiles();
  const first = await openStore(files);
  const roll: LogWrite = { type: 'roll', log: name.log };
  await first.commit([{ type: 'create', ...name }, ...appends(name.log, 0, 30), roll]);
  await first.commit(appends(name.log, 30, 31));
  await first.close();
  const path = `${DIRECTORY}/topic1-0/00000000000000000000.index`;
  const whole = files.bytes(path).slice();
  files.replace(path, whole.slice(0, -1));
  let failures = 1;
  makeForgetful(files, (flushed) => flushed === path && failures-- > 0);
  const store = await openStore(files);
  await expect(store.open(name.log)).rejects.toThrow('EIO');
  expect(await store.open(name.log)).toEqual({ logStartOffset: 0, logEndOffset: 31 });
  expect(files.crash({ power: true }).bytes(path)).toEqual(whole);
});
