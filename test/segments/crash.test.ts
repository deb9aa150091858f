import { describe, expect, test } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import type { SegmentStore } from '../../src/segments/store.ts';
import { append, appends, isTrue, logName, offsetsOf } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { openStore } from './open.ts';

const { log } = logName(1);
const other = logName(2);
const create: LogWrite = { type: 'create', ...logName(1) };
const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };

interface Acknowledged {
  /** The log holds exactly this below `end`. */
  end: number;
  start: number;
  value: number | undefined;
}

/** Commits one after the other, and says what the log is once each is acknowledged. */
const SCRIPTS: Record<string, [LogWrite[], Acknowledged][]> = {
  'appends and rolls': [
    [[create], { start: 0, end: 0, value: undefined }],
    [appends(log, 0, 6, 60), { start: 0, end: 6, value: undefined }],
    [[{ type: 'roll', log }, ...appends(log, 6, 9)], { start: 0, end: 9, value: undefined }],
    [[...appends(log, 9, 12), { type: 'roll', log }], { start: 0, end: 12, value: undefined }],
    [appends(log, 12, 13), { start: 0, end: 13, value: undefined }],
  ],
  'trims and values': [
    [[create, ...appends(log, 0, 5)], { start: 0, end: 5, value: undefined }],
    [[{ type: 'roll', log }, ...appends(log, 5, 10)], { start: 0, end: 10, value: undefined }],
    [[{ type: 'put', log, name: 'v', value: Uint8Array.of(1) }], { start: 0, end: 10, value: 1 }],
    [[{ type: 'trim', log, beforeOffset: 7 }], { start: 7, end: 10, value: 1 }],
    [[{ type: 'put', log, name: 'v', value: Uint8Array.of(2) }], { start: 7, end: 10, value: 2 }],
    [[{ type: 'trim', log, beforeOffset: 10 }, ...appends(log, 10, 12)], { start: 10, end: 12, value: 2 }],
  ],
};

async function run(store: SegmentStore, script: [LogWrite[], Acknowledged][]): Promise<number> {
  let acknowledged = 0;
  for (const [writes] of script) {
    try {
      await store.commit(writes);
    } catch {
      break;
    }
    acknowledged++;
  }
  return acknowledged;
}

async function expectAfterCrash(files: MemoryFiles, least: Acknowledged, most: Acknowledged): Promise<void> {
  const store = await openStore(files, { tailBytes: 0 });
  expect(store.logs().length).toBeGreaterThanOrEqual(Math.min(1, least.end));
  if (store.logs().length === 0) return;
  const { logStartOffset, logEndOffset } = await store.open(log);
  expect(logEndOffset).toBeGreaterThanOrEqual(least.end);
  expect(logEndOffset).toBeLessThanOrEqual(Math.max(most.end, least.end));
  expect(logStartOffset).toBeGreaterThanOrEqual(least.start);
  expect(logStartOffset).toBeLessThanOrEqual(Math.max(most.start, least.start));
  const value = await store.get(log, 'v');
  expect([least.value, most.value]).toContain(value?.[0]);
  let expected = logStartOffset;
  while (expected < logEndOffset) {
    const bytes = await store.read(log, { ...ALL, fromOffset: expected });
    expect(isTrue(bytes)).toBe(true);
    for (const [base, last] of offsetsOf(bytes)) {
      expect(base).toBe(expected);
      expected = last + 1;
    }
  }
  await store.commit([append({ log, baseOffset: logEndOffset, records: 2 })]);
  expect(offsetsOf(await store.read(log, { ...ALL, fromOffset: logEndOffset }))).toHaveLength(1);
  await store.close();
}

describe('killed at any call that changes the disk', () => {
  for (const [name, script] of Object.entries(SCRIPTS)) {
    test.each([true, false])(`${name}: what was acknowledged is there (power lost: %s)`, async (power) => {
      const whole = new MemoryFiles();
      await run(await openStore(whole), script);
      const total = whole.calls;
      expect(total).toBeGreaterThan(20);
      for (let call = 0; call <= total; call++) {
        const files = new MemoryFiles();
        files.diesAtCall = call;
        let acknowledged = 0;
        try {
          acknowledged = await run(await openStore(files), script);
        } catch {
          // Killed while it opened.
        }
        const nothing = { start: 0, end: 0, value: undefined };
        const least = script[acknowledged - 1]?.[1] ?? nothing;
        const most = script[acknowledged]?.[1] ?? least;
        await expectAfterCrash(files.crash({ power }), least, most);
      }
    });
  }

  test.each([true, false])(
    'a truncation leaves a prefix, and what follows it (power lost: %s)',
    async (power) => {
      expect.hasAssertions();
      const before = [
        create,
        ...appends(log, 0, 10, 60),
        { type: 'roll', log } as const,
        ...appends(log, 10, 20, 60),
      ];
      const divergence: LogWrite[] = [{ type: 'truncate', log, toOffset: 5 }, ...appends(log, 5, 7)];
      for (let call = 0, died = true; died; call++) {
        const files = new MemoryFiles();
        const store = await openStore(files);
        await store.commit(before);
        files.diesAtCall = files.calls + call;
        died = (await run(store, [[divergence, { start: 0, end: 7, value: undefined }]])) === 0;
        const least = { start: 0, end: died ? 5 : 7, value: undefined };
        await expectAfterCrash(files.crash({ power }), least, { ...least, end: died ? 20 : 7 });
      }
    },
  );

  test('a log that gives its name to another never shows in it', async () => {
    const again = { ...other, topic: logName(1).topic };
    const before = [create, ...appends(log, 0, 5), { type: 'trim', log, beforeOffset: 4 } as const];
    const swap: LogWrite[] = [
      { type: 'drop', log },
      { type: 'create', ...again },
      append({ log: again.log, baseOffset: 0 }),
    ];
    for (let call = 0, died = true; died; call++) {
      const files = new MemoryFiles();
      const first = await openStore(files);
      await first.commit(before);
      files.diesAtCall = files.calls + call;
      died = (await run(first, [[swap, { start: 0, end: 1, value: undefined }]])) === 0;
      const store = await openStore(files.crash({ power: true }));
      const [left, ...more] = store.logs();
      expect(more).toEqual([]);
      const extent = left && (await store.open(left.log));
      const old = { logStartOffset: 4, logEndOffset: 5 };
      const young = [0, 1].map((logEndOffset) => ({ logStartOffset: 0, logEndOffset }));
      const possible = left?.log === log ? [old] : left ? young : [undefined];
      expect(died ? possible : [young[1]]).toContainEqual(extent);
    }
  });
});

describe('a disk that fails', () => {
  test.each(['write', 'flush'] as const)(
    'a failed %s rejects the round; opening again shows what was acknowledged',
    async (call) => {
      const files = new MemoryFiles();
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
