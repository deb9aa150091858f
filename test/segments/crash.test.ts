import { describe, expect, test } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { append, appends, logName, offsetsOf } from '../storage/batches.ts';
import { crashContract } from '../storage/crash.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { segmentCrashHome } from './crash-home.ts';
import { openStore } from './open.ts';

const { log } = logName(1);
const other = logName(2);
const create: LogWrite = { type: 'create', ...logName(1) };
const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };

const FEW = { scripts: 3, long: false };

crashContract('segments, process killed', segmentCrashHome({ power: false, tailBytes: 0 }));
crashContract('segments, power lost', segmentCrashHome({ power: true }));
crashContract('segments, killed and then power lost', segmentCrashHome({ power: 'in turn' }), FEW);
crashContract('segments, never flushed', segmentCrashHome({ power: false, flush: 'never' }), FEW);
crashContract('segments, never flushed, power lost', segmentCrashHome({ power: true, flush: 'never' }), FEW);

const NOW = { writesNow: true } as const;
crashContract('segments, written on the spot, power lost', segmentCrashHome({ power: true, ...NOW }), FEW);
crashContract(
  'segments, written on the spot, never flushed',
  segmentCrashHome({ power: false, flush: 'never', ...NOW }),
  FEW,
);

describe('a disk that fails', () => {
  test.each([
    ['write', false],
    ['write', true],
    ['flush', false],
    ['flush', true],
  ] as const)(
    'a failed %s rejects the round; opening again shows what was acknowledged (on the spot: %s)',
    async (call, writesNow) => {
      const files = new MemoryFiles();
      files.writesNow = writesNow;
      const store = await openStore(files);
      await store.commit([create, { type: 'create', ...other }, ...appends(log, 0, 5)]);
      files.fault = (made, path) => {
        if (made === call && path.endsWith('.log')) throw new Error('EIO');
      };
      const failing = store.commit([...appends(log, 5, 8), append({ log: other.log, baseOffset: 0 })]);
      const waiting = store.commit(appends(log, 8, 9));
      await expect(failing).rejects.toThrow('EIO');
      await expect(waiting).rejects.toThrow('EIO');
      files.fault = () => {};
      await expect(store.commit(appends(log, 9, 10))).rejects.toThrow('EIO');
      expect(() => store.read(log, ALL)).toThrow('EIO');
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 5 });
      await store.commit(appends(log, 5, 7));
      expect(offsetsOf(await store.read(log, { ...ALL, fromOffset: 5 }))).toHaveLength(2);
      expect(await store.open(other.log)).toEqual({ logStartOffset: 0, logEndOffset: 0 });
      await store.close();
      expect((await (await openStore(files)).open(log)).logEndOffset).toBe(7);
    },
  );

  test('a log that is dropped and made again before it was there hears of the failure', async () => {
    const files = new MemoryFiles();
    const store = await openStore(files);
    files.fault = (call) => {
      if (call === 'makeDirectory') throw new Error('EIO');
    };
    await expect(store.commit([create, { type: 'drop', log }, create])).rejects.toThrow('EIO');
  });

  test('a reader that waits for a truncation hears of the failure', async () => {
    const files = new MemoryFiles();
    const store = await openStore(files);
    await store.commit([create, ...appends(log, 0, 5)]);
    files.fault = (call) => {
      if (call === 'truncate') throw new Error('EIO');
    };
    const failing = store.commit([{ type: 'truncate', log, toOffset: 2 }]);
    const reading = store.read(log, ALL);
    await expect(failing).rejects.toThrow('EIO');
    await expect(reading).rejects.toThrow('EIO');
  });
});

test('flush=never survives the process, not the power', async () => {
  const files = new MemoryFiles();
  const store = await openStore(files, { flush: 'never' });
  await store.commit([create, ...appends(log, 0, 5)]);
  const next = await openStore(files.crash({ power: false }));
  expect(await next.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 5 });
  await store.close();
  const afterClose = await openStore(files.crash({ power: true }));
  expect(await afterClose.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 5 });
});
