import { describe, expect, test } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { append, appends, offsetsOf } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { ALL, FIRST, LOG, create, killedAfter, log, recovered } from './crashed.ts';
import { DIRECTORY, openStore } from './open.ts';

describe('a torn tail', () => {
  test('at every byte of the last batch leaves what was before it', async () => {
    const files = await killedAfter([create, ...appends(log, 0, 5, 50)]);
    const whole = files.bytes(`${FIRST}.log`).slice();
    const batchBytes = whole.length / 5;
    for (let lost = 1; lost < batchBytes; lost++) {
      const torn = files.crash({ power: true });
      torn.replace(`${FIRST}.log`, whole.subarray(0, whole.length - lost));
      const { extent, batches, warnings, store } = await recovered(torn);
      expect(extent.logEndOffset).toBe(4);
      expect(batches).toHaveLength(4);
      expect(warnings.join()).toContain('the last batch is torn');
      await store.commit([append({ log, baseOffset: 4, records: 3 })]);
      await store.close();
      expect((await recovered(torn)).batches.at(-1)).toEqual([4, 6]);
    }
  });

  test('of zeros, as some file systems leave it, is cut', async () => {
    const files = await killedAfter([create, ...appends(log, 0, 5)]);
    const whole = files.bytes(`${FIRST}.log`).slice();
    const longer = new Uint8Array(whole.length + 500);
    longer.set(whole);
    files.replace(`${FIRST}.log`, longer);
    expect((await recovered(files)).extent.logEndOffset).toBe(5);
    expect(files.bytes(`${FIRST}.log`)).toEqual(whole);
  });
});

describe('damage in the middle', () => {
  test('below the recovery point is not looked for', async () => {
    const files = await killedAfter(
      [create, ...appends(log, 0, 4)],
      [{ type: 'roll', log }],
      appends(log, 4, 6),
    );
    const bytes = files.bytes(`${FIRST}.log`).slice();
    bytes[bytes.length - 1] = 0xff;
    files.replace(`${FIRST}.log`, bytes);
    const { store, extent } = {
      store: await openStore(files),
      extent: { logStartOffset: 0, logEndOffset: 6 },
    };
    expect(await store.open(log)).toEqual(extent);
  });

  test('after a clean shutdown checksums are not looked at', async () => {
    const files = new MemoryFiles();
    const store = await openStore(files);
    await store.commit([create, ...appends(log, 0, 4)]);
    await store.close();
    expect(files.paths()).toContain(`${DIRECTORY}/.kafka_cleanshutdown`);
    const bytes = files.bytes(`${FIRST}.log`).slice();
    bytes[bytes.length - 1] = 0xff;
    files.replace(`${FIRST}.log`, bytes);
    expect(await (await openStore(files)).open(log)).toEqual({ logStartOffset: 0, logEndOffset: 4 });
    expect(files.paths()).not.toContain(`${DIRECTORY}/.kafka_cleanshutdown`);
  });
});

test('a log nobody opened stays to be checked, through a shutdown that was clean for the others', async () => {
  const files = await killedAfter([create, ...appends(log, 0, 4)]);
  await (await openStore(files)).close();
  const bytes = files.bytes(`${FIRST}.log`).slice();
  bytes[bytes.length - 1] = 0xff;
  files.replace(`${FIRST}.log`, bytes);
  expect((await recovered(files)).extent.logEndOffset).toBe(3);
});

test('a log that lost its end goes on at its start, and what it gets there is not taken for flushed', async () => {
  const flush = 'never';
  const files = new MemoryFiles();
  const store = await openStore(files, { flush });
  await store.commit([create, ...appends(log, 0, 5), { type: 'trim', log, beforeOffset: 5 }]);
  const lost = files.crash({ power: false });
  lost.replace(`${FIRST}.log`, new Uint8Array(0));
  const again = await openStore(lost, { flush });
  const empty = { logStartOffset: 5, logEndOffset: 5 };
  expect(await again.open(log)).toEqual(empty);
  await again.commit(appends(log, 5, 20, 100));
  const torn = lost.crash({ power: false });
  const path = torn.paths().findLast((one) => one.endsWith('.log')) ?? '';
  // The first sector never came: what follows cannot be served, a log is a prefix of what was written.
  torn.replace(path, torn.bytes(path).slice().fill(0, 0, 512));
  const last = await openStore(torn, { flush });
  expect(await last.open(log)).toEqual(empty);
  expect(offsetsOf(await last.read(log, ALL))).toEqual([]);
});

describe('indexes', () => {
  const commits: LogWrite[][] = [
    [create, ...appends(log, 0, 50, 50), { type: 'roll', log }, ...appends(log, 50, 100, 50)],
  ];
  const indexes = [
    '00000000000000000000.index',
    '00000000000000000000.timeindex',
    '00000000000000000050.index',
  ];

  async function expectAll(files: MemoryFiles) {
    const { batches, store } = await recovered(files);
    expect(batches).toEqual(Array.from({ length: 100 }, (_, offset) => [offset, offset]));
    for (const fromOffset of [0, 1, 17, 49, 50, 51, 99]) {
      expect(offsetsOf(await store.read(log, { ...ALL, fromOffset, maxBytes: 1 }))).toEqual([
        [fromOffset, fromOffset],
      ]);
    }
    expect(await store.batchAt(log, 1000, 60)).toBe(60);
  }

  async function closedCleanly(): Promise<MemoryFiles> {
    const files = new MemoryFiles();
    const store = await openStore(files);
    for (const writes of commits) await store.commit(writes);
    await store.close();
    return files;
  }

  for (const [how, start] of [
    ['after a crash', () => killedAfter(...commits)],
    ['after a clean shutdown', closedCleanly],
  ] as const) {
    test.each(indexes)(`${how}, %s missing, cut, noisy or empty changes nothing`, async (name) => {
      expect.hasAssertions();
      const files = await start();
      const path = `${LOG}/${name}`;
      const whole = files.paths().includes(path) ? files.bytes(path).slice() : new Uint8Array(0);
      const noise = whole.map((byte, at) => (at * 151 + byte) & 0xff);
      const damages = [whole.subarray(0, whole.length - 3), noise, new Uint8Array(whole.length), undefined];
      for (const damage of damages) {
        const damaged = files.crash({ power: true });
        if (damage && whole.length > 0) damaged.replace(path, damage);
        else await damaged.remove(path);
        await expectAll(damaged);
      }
    });
  }

  test('one whose last entry points into a batch is not believed', async () => {
    expect.hasAssertions();
    const files = await closedCleanly();
    const index = files.bytes(`${LOG}/00000000000000000050.index`).slice();
    const view = new DataView(index.buffer);
    view.setInt32(index.length - 4, view.getInt32(index.length - 4) - 7);
    files.replace(`${LOG}/00000000000000000050.index`, index);
    await expectAll(files);
  });

  test('that a truncation emptied are so after a clean shutdown and the loss of power', async () => {
    const files = new MemoryFiles();
    const first = await openStore(files);
    await first.commit([create, ...appends(log, 0, 20, 50)]);
    await first.close();
    const second = await openStore(files);
    await second.open(log);
    await second.commit([{ type: 'truncate', log, toOffset: 0 }]);
    // Less than would give an index its first entry.
    await second.commit([append({ log, baseOffset: 0, records: 30, valueBytes: 100 })]);
    await second.close();
    const { batches } = await recovered(files.crash({ power: true }));
    expect(batches).toEqual([[0, 29]]);
  });

  test.each([
    ['missing, made anew', 'missing', false],
    ['missing, made anew, power lost', 'missing', true],
    ['damaged, made anew', 'damaged', false],
    ['damaged, made anew, power lost', 'damaged', true],
  ] as const)('%s: times are right whenever that was interrupted', async (_, how, power) => {
    const closed = new MemoryFiles();
    const first = await openStore(closed);
    const batches = Array.from({ length: 20 }, (_, offset) =>
      append({ log, baseOffset: offset, timestamp: offset === 5 ? 2000 : 1000, valueBytes: 50 }),
    );
    await first.commit([create, ...batches]);
    await first.close();
    closed.replace(`${FIRST}.index`, new Uint8Array(3));
    closed.replace(`${FIRST}.timeindex`, new Uint8Array(0));
    if (how === 'missing')
      for (const suffix of ['index', 'timeindex']) await closed.remove(`${FIRST}.${suffix}`);
    await closed.flushDirectory(LOG);

    let changes = Infinity;
    for (let diesAt = 0; diesAt < changes; diesAt++) {
      const files = closed.crash({ power: true });
      files.diesAtCall = diesAt;
      const lived = async () => {
        const store = await openStore(files);
        await store.open(log);
        await store.commit([append({ log, baseOffset: 20, timestamp: 1000 }), { type: 'roll', log }]);
        await store.close();
      };
      await lived().catch((error: unknown) => {
        if (!files.isDead) throw error;
      });
      if (!files.isDead) changes = files.calls;
      const { store } = await recovered(files.crash({ power }));
      expect(store.segments(log)[0]?.maxTimestamp, `killed at ${diesAt}`).toBe(2000);
      expect(await store.batchAt(log, 2000, 0)).toBe(5);
    }
    expect(changes).toBeGreaterThan(20);
  });

  test('of a segment that ends where the log was closed are not believed before they are flushed anew', async () => {
    const files = new MemoryFiles();
    const first = await openStore(files);
    const rising = Array.from({ length: 20 }, (_, offset) =>
      append({ log, baseOffset: offset, timestamp: 1000 + offset }),
    );
    await first.commit([create, ...rising]);
    await first.close();
    const second = await openStore(files);
    await second.open(log);
    files.fault = (call, path) => {
      if (call === 'flush' && path.endsWith('.timeindex')) throw new Error('EIO');
    };
    await second.commit([{ type: 'roll', log }, append({ log, baseOffset: 20 })]);
    const cut = files.crash({ power: true });
    // It was truncated and written, and the device had the one and not the other.
    cut.replace(`${FIRST}.timeindex`, cut.bytes(`${FIRST}.timeindex`).slice(0, -12));
    const { store } = await recovered(cut);
    expect(await store.batchAt(log, 1019, 0)).toBe(19);
  });

  test('that are made anew last: nobody looks again at what is below the recovery point', async () => {
    const files = await closedCleanly();
    const path = `${FIRST}.timeindex`;
    const whole = files.bytes(path).slice();
    files.replace(path, whole.slice(0, -1));
    const store = await openStore(files);
    await store.open(log);
    expect(files.crash({ power: true }).bytes(path)).toEqual(whole);
  });

  test('are written as Kafka writes them', async () => {
    const files = await closedCleanly();
    const view = new DataView(files.bytes(`${FIRST}.index`).buffer);
    const batchBytes = append({ log, baseOffset: 0, valueBytes: 50 }).bytes.length;
    const every = Math.floor(200 / batchBytes) + 1;
    expect(view.byteLength % 8).toBe(0);
    for (let entry = 0; entry * 8 < view.byteLength; entry++) {
      expect(view.getInt32(entry * 8)).toBe((entry + 1) * every);
      expect(view.getInt32(entry * 8 + 4)).toBe((entry + 1) * every * batchBytes);
    }
    const times = new DataView(files.bytes(`${FIRST}.timeindex`).buffer);
    expect([times.byteLength, Number(times.getBigInt64(0)), times.getInt32(8)]).toEqual([12, 1000, 0]);
  });
});
