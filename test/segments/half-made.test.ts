import { expect, test } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { appends, logName, offsetsOf } from '../storage/batches.ts';
import { DiskFault, MemoryFiles } from '../storage/memory-files.ts';
import { DIRECTORY, openStore } from './open.ts';

const name = logName(1);
const create: LogWrite = { type: 'create', ...name };

test.each(['partition.metadata.tmp', '00000000000000000000.log', '/data'])(
  'a log whose making failed at %s is made again, and what it then acknowledges stays',
  async (path) => {
    const files = new MemoryFiles();
    const store = await openStore(files);
    let failures = 1;
    files.fault = (_, changed) => {
      if (changed.endsWith(path) && failures-- > 0) throw new DiskFault('no space left');
    };
    await expect(store.commit([create])).rejects.toThrow('no space left');
    await store.commit([create]);
    await store.open(name.log);
    await store.commit(appends(name.log, 0, 3));

    const next = await openStore(files.crash({ power: true }));
    expect(next.logs()).toEqual([name]);
    expect(await next.open(name.log)).toEqual({ logStartOffset: 0, logEndOffset: 3 });
    const range = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };
    expect(offsetsOf(await next.read(name.log, range))).toHaveLength(3);
  },
);

test('a log whose making fails again and again is made at last; what stood in its place is kept', async () => {
  const before = new MemoryFiles();
  const stray = logName(2, name.topic);
  const old = await openStore(before);
  await old.commit([{ type: 'create', ...stray }, ...appends(stray.log, 0, 3)]);
  const files = before.crash({ power: false });
  const store = await openStore(files);
  let failures = 3;
  files.fault = (_, path) => {
    if (path.endsWith('partition.metadata.tmp') && failures-- > 0) throw new DiskFault('no space left');
  };
  for (let attempt = 0; attempt < 3; attempt++)
    await expect(store.commit([create])).rejects.toThrow('no space left');
  await store.commit([create]);
  expect(await store.open(name.log)).toEqual({ logStartOffset: 0, logEndOffset: 0 });
  expect(files.paths().filter((path) => path.includes('-stray') && path.endsWith('.log'))).toHaveLength(1);
});

test.each([true, false])(
  'a segment whose making failed is taken up, and what it then acknowledges stays: by the same process %s',
  async (isSame) => {
    // The process that had it is dead.
    const files = Object.assign(new MemoryFiles(), { lock: async () => ({ release: async () => {} }) });
    const store = await openStore(files);
    await store.commit([create, ...appends(name.log, 0, 3)]);
    files.fault = (call, path) => {
      if (call === 'write' && path.endsWith('03.log')) throw new DiskFault('no space left');
    };
    const rolled = store.commit([{ type: 'roll', log: name.log }, ...appends(name.log, 3, 4)]);
    await expect(rolled).rejects.toThrow('no space left');
    files.fault = () => {};
    const taking = isSame ? store : await openStore(files);
    await taking.open(name.log);
    await taking.commit(appends(name.log, 3, 6));

    const next = await openStore(files.crash({ power: true }));
    expect(await next.open(name.log)).toEqual({ logStartOffset: 0, logEndOffset: 6 });
  },
);

test('the first segment of a log that has none is there after a power cut', async () => {
  const files = new MemoryFiles();
  const store = await openStore(files);
  await store.commit([create]);
  await store.close();
  await files.remove(`${DIRECTORY}/topic1-0/00000000000000000000.log`);
  const second = await openStore(files);
  await second.open(name.log);
  await second.commit(appends(name.log, 0, 3));

  const next = await openStore(files.crash({ power: true }));
  expect(await next.open(name.log)).toEqual({ logStartOffset: 0, logEndOffset: 3 });
});
