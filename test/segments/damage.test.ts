import { describe, expect, test } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { append, appends, offsetsOf } from '../storage/batches.ts';
import type { MemoryFiles } from '../storage/memory-files.ts';
import { ALL, FIRST, LOG, asideOf, create, killedAfter, log, recovered } from './crashed.ts';
import { DIRECTORY, openStore } from './open.ts';

const BATCHES = 9;
const VALUE_BYTES = 20;
const BATCH_BYTES = append({ log, baseOffset: 0, valueBytes: VALUE_BYTES }).bytes.length;
/** The leader epoch has no checksum, and nothing contradicts it. */
const EPOCH = { from: 12, to: 16 };

/** Killed with nine batches of one record each, in two segments, none of them below the recovery point. */
async function killed(): Promise<MemoryFiles> {
  const roll: LogWrite = { type: 'roll', log };
  const files = await killedAfter([
    create,
    ...appends(log, 0, 6, VALUE_BYTES),
    roll,
    ...appends(log, 6, BATCHES, VALUE_BYTES),
  ]);
  files.replace(`${DIRECTORY}/recovery-point-offset-checkpoint`, new TextEncoder().encode('0\n0\n'));
  return files;
}

function flip(files: MemoryFiles, path: string, at: number, mask = 0x41): void {
  const bytes = files.bytes(path).slice();
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  files.replace(path, bytes);
}

const offsets = (...numbers: number[]) => numbers.map((number) => [number, number]);

describe('a batch that changed on disk, with whole ones behind it', () => {
  const disk = killed();

  test.each([
    ['in the middle of a segment', 3, offsets(0, 1, 2, 4, 5, 6, 7, 8)],
    ['at the start of the log', 0, offsets(1, 2, 3, 4, 5, 6, 7, 8)],
  ])('%s, whatever byte it is: it is kept aside and named, all others are served', async (_, batch, rest) => {
    for (let at = 0; at < BATCH_BYTES; at++) {
      if (at >= EPOCH.from && at < EPOCH.to) continue;
      const damaged = (await disk).crash({ power: true });
      const original = damaged.bytes(`${FIRST}.log`).slice();
      flip(damaged, `${FIRST}.log`, batch * BATCH_BYTES + at);
      const { batches, warnings, extent, store } = await recovered(damaged);
      expect(batches, `byte ${at}`).toEqual(rest);
      expect(warnings.join()).toContain(`offsets ${batch} to ${batch} are damaged in ${FIRST}.log`);
      const [aside = ''] = asideOf(damaged);
      expect(aside).toBe(`${FIRST}.${batch * BATCH_BYTES}.damaged`);
      const kept = damaged.bytes(aside);
      expect(kept.filter((byte, number) => byte !== original[batch * BATCH_BYTES + number])).toHaveLength(1);
      expect(extent.logEndOffset).toBe(BATCHES);
      await store.commit([append({ log, baseOffset: BATCHES })]);
      const again = await recovered(damaged.crash({ power: true }));
      expect(again.batches).toEqual([...rest, [BATCHES, BATCHES]]);
      expect(again.warnings).toEqual([]);
    }
  });

  test('at the end of a segment', async () => {
    const damaged = (await disk).crash({ power: true });
    flip(damaged, `${FIRST}.log`, 6 * BATCH_BYTES - 1);
    const { batches, warnings } = await recovered(damaged);
    expect(batches).toEqual(offsets(0, 1, 2, 3, 4, 6, 7, 8));
    expect(warnings.join()).toContain('offsets 5 to 5 are damaged');
  });

  test('at the end of a segment that is too short: a torn write looks the same, so what follows waits', async () => {
    const damaged = (await disk).crash({ power: true });
    damaged.replace(`${FIRST}.log`, damaged.bytes(`${FIRST}.log`).slice(0, -1));
    const { batches, warnings } = await recovered(damaged);
    expect(batches).toEqual(offsets(0, 1, 2, 3, 4));
    expect(warnings.join()).toContain('some of it may have been acknowledged');
    expect(asideOf(damaged)).toHaveLength(2);
  });

  test('several of them', async () => {
    const damaged = (await disk).crash({ power: true });
    for (const batch of [1, 2, 4, 7]) flip(damaged, damagedPath(batch), damagedByte(batch));
    const { batches, warnings } = await recovered(damaged);
    expect(batches).toEqual(offsets(0, 3, 5, 6, 8));
    expect(warnings).toHaveLength(3);
  });

  test('a crash at any write while it is mended loses nothing', async () => {
    for (let diesAtCall = 1; ; diesAtCall++) {
      const damaged = (await disk).crash({ power: true });
      flip(damaged, `${FIRST}.log`, 3 * BATCH_BYTES + 30);
      damaged.diesAtCall = diesAtCall;
      const hasDied = await recovered(damaged).then(
        () => false,
        () => true,
      );
      for (const power of [true, false]) {
        const { batches } = await recovered(damaged.crash({ power }));
        expect(batches, `call ${diesAtCall}, power ${power}`).toEqual(offsets(0, 1, 2, 4, 5, 6, 7, 8));
      }
      if (!hasDied) break;
    }
  });
});

function damagedPath(batch: number): string {
  return batch < 6 ? `${FIRST}.log` : `${LOG}/00000000000000000006.log`;
}

function damagedByte(batch: number): number {
  return (batch < 6 ? batch : batch - 6) * BATCH_BYTES + 40;
}

describe('a write that never came, with whole ones behind it', () => {
  test('ends the log: it stays a prefix of what was written, and what follows is kept', async () => {
    const files = await killedAfter([create, ...appends(log, 0, 4, 700), { type: 'roll', log }]);
    const store = await openStore(files);
    await store.open(log);
    await store.commit(appends(log, 4, 6, 700));
    const disk = files.crash({ power: true });
    disk.replace(`${DIRECTORY}/recovery-point-offset-checkpoint`, new TextEncoder().encode('0\n0\n'));
    const bytes = disk.bytes(`${FIRST}.log`).slice();
    const batchBytes = bytes.length / 4;
    bytes.fill(0, 1024, 1536);
    disk.replace(`${FIRST}.log`, bytes);
    const { batches, warnings, store: next } = await recovered(disk);
    expect(batches).toEqual(offsets(0));
    expect(warnings.join()).toContain(`cut ${3 * batchBytes} bytes at offset 1`);
    expect(asideOf(disk)).toEqual([
      `${FIRST}.${batchBytes}.cut.damaged`,
      `${LOG}/00000000000000000004.0.cut.damaged`,
    ]);
    expect(disk.bytes(`${FIRST}.${batchBytes}.cut.damaged`)).toEqual(bytes.slice(batchBytes));
    await next.commit(appends(log, 1, 3));
    expect((await recovered(disk.crash({ power: true }))).batches).toEqual(offsets(0, 1, 2));
  });

  test.each([
    ['', 200],
    [', in whose last bytes the next batch begins', 510 / 2 - BATCH_BYTES + VALUE_BYTES - 2],
  ])('ends the log where the rest of a sector is missing that an earlier write began%s', async (_, size) => {
    const disk = await killedAfter([create, ...appends(log, 0, 4, size)]);
    const bytes = disk.bytes(`${FIRST}.log`).slice();
    const batchBytes = bytes.length / 4;
    expect(batchBytes).toBeLessThan(512);
    expect(2 * batchBytes).toBeGreaterThan(504);
    bytes.fill(0, batchBytes, 512);
    disk.replace(`${FIRST}.log`, bytes);
    const { batches, warnings } = await recovered(disk);
    expect(batches).toEqual(offsets(0));
    expect(warnings.join()).toContain(`cut ${3 * batchBytes} bytes at offset 1`);
  });
});

test('what a failed round has written in two segments goes, and nothing of it is kept', async () => {
  const files = await killedAfter([create]);
  const warnings: string[] = [];
  const store = await openStore(files, { onWarning: (message) => warnings.push(message) });
  await store.open(log);
  await store.commit(appends(log, 0, 3));
  files.fault = (call) => {
    if (call === 'flush') throw new Error('the disk is gone');
  };
  const failing = store.commit([...appends(log, 3, 5), { type: 'roll', log }, ...appends(log, 5, 7)]);
  await expect(failing).rejects.toThrow('the disk is gone');
  files.fault = () => {};
  expect((await store.open(log)).logEndOffset).toBe(3);
  expect(asideOf(files)).toEqual([]);
  await store.commit(appends(log, 3, 4));
  await store.close();
  expect((await recovered(files)).batches).toEqual(offsets(0, 1, 2, 3));
});

describe('after a clean shutdown', () => {
  async function closed(): Promise<MemoryFiles> {
    const files = await killed();
    const store = await openStore(files);
    await store.open(log);
    await store.close();
    return files.crash({ power: true });
  }

  test('a length that changed in the newest segment costs that batch', async () => {
    const damaged = await closed();
    flip(damaged, `${LOG}/00000000000000000006.log`, BATCH_BYTES + 11, 0x04);
    const { batches, warnings } = await recovered(damaged);
    expect(batches).toEqual(offsets(0, 1, 2, 3, 4, 5, 6, 8));
    expect(warnings.join()).toContain('offsets 7 to 7 are damaged');
  });

  test.each([
    ['length', 8],
    ['last offset that no reader may reach', 25],
    ['value', BATCH_BYTES - 3],
  ])(
    'a %s in a closed segment is found by who reads it, named, and mended with the next open',
    async (_, at) => {
      const damaged = await closed();
      flip(damaged, `${FIRST}.log`, 2 * BATCH_BYTES + at);
      const warnings: string[] = [];
      const onWarning = (message: string) => warnings.push(message);
      const store = await openStore(damaged, { tailBytes: 0, onWarning });
      await store.open(log);
      const range = { ...ALL, endOffset: BATCHES };
      expect(offsetsOf(await store.read(log, { ...range, maxBytes: 2 * BATCH_BYTES }))).toEqual(
        offsets(0, 1),
      );
      await expect(store.read(log, { ...range, fromOffset: 2 })).rejects.toThrow(`${FIRST}.log is damaged`);
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: BATCHES });
      expect(offsetsOf(await store.read(log, { ...range, fromOffset: 2 }))).toEqual(offsets(3, 4, 5));
      expect(warnings.join()).toContain('offsets 2 to 2 are damaged');
      await store.commit([append({ log, baseOffset: BATCHES })]);
      await store.close();
      expect((await recovered(damaged)).batches).toEqual(offsets(0, 1, 3, 4, 5, 6, 7, 8, 9));
    },
  );
});

describe('an index that lies', () => {
  const COUNT = 40;

  async function indexed(): Promise<MemoryFiles> {
    const files = await killedAfter([create]);
    const store = await openStore(files);
    await store.open(log);
    const times = Array.from({ length: COUNT }, (_, at) =>
      append({ log, baseOffset: at, timestamp: 1000 + 10 * at, valueBytes: VALUE_BYTES }),
    );
    await store.commit([...times.slice(0, 20), { type: 'roll', log }, ...times.slice(20)]);
    await store.close();
    return files.crash({ power: true });
  }

  /** All that can be asked; a refusal is answered as a shard does, with another open. */
  async function answers(files: MemoryFiles): Promise<{ first: number[]; byTime: (number | undefined)[] }> {
    const store = await openStore(files, { tailBytes: 0 });
    await store.open(log);
    const asked = async <T>(ask: () => T | Promise<T>): Promise<T> => {
      try {
        return await ask();
      } catch (error) {
        if (!/(?:log|index) is damaged/.test(String(error))) throw error;
        await store.open(log);
        return ask();
      }
    };
    const first: number[] = [];
    const byTime: (number | undefined)[] = [];
    for (let offset = 0; offset < COUNT; offset++) {
      const bytes = await asked(() => store.read(log, { ...ALL, fromOffset: offset, maxBytes: 1 }));
      first.push(offsetsOf(bytes)[0]?.[0] ?? -1);
      byTime.push(await asked(() => store.batchAt(log, 995 + 10 * offset, 0)));
    }
    await store.close();
    return { first, byTime };
  }

  test.each(['00000000000000000000.index', '00000000000000000000.timeindex', '00000000000000000020.index'])(
    '%s: whatever bit it is, no answer is wrong',
    async (name) => {
      const disk = await indexed();
      const right = await answers(disk.crash({ power: true }));
      expect(right.first).toEqual(Array.from({ length: COUNT }, (_, offset) => offset));
      expect(right.byTime).toEqual(right.first);
      const { length } = disk.bytes(`${LOG}/${name}`);
      expect(length).toBeGreaterThan(16);
      for (let at = 0; at < length; at++) {
        for (const mask of [0x01, 0x10, 0x80]) {
          const damaged = disk.crash({ power: true });
          flip(damaged, `${LOG}/${name}`, at, mask);
          expect(await answers(damaged), `byte ${at}, mask ${mask}`).toEqual(right);
        }
      }
    },
  );
});
