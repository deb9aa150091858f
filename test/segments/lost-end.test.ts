import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { append, appends } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import {
  FIRST,
  LOG,
  RECOVERY_POINTS,
  asideOf,
  create,
  killedAfter,
  log,
  offsets,
  recovered,
} from './crashed.ts';
import { DIRECTORY, openStore } from './open.ts';

const VALUE_BYTES = 20;
const BATCH_BYTES = append({ log, baseOffset: 0, valueBytes: VALUE_BYTES }).bytes.length;
const roll: LogWrite = { type: 'roll', log };
const segment = (base: number) => `${LOG}/${String(base).padStart(20, '0')}`;

function pointsAt(files: MemoryFiles, content: string): void {
  files.replace(RECOVERY_POINTS, new TextEncoder().encode(content));
}

/** Killed with segments that start at 0, 3 and 6; the last one ends at 9. */
async function killed(): Promise<MemoryFiles> {
  const batches = (from: number) => appends(log, from, from + 3, VALUE_BYTES);
  const files = await killedAfter([create, ...batches(0), roll, ...batches(3), roll, ...batches(6)]);
  pointsAt(files, '0\n0\n');
  return files;
}

/** As a power cut may leave it: the file's last batches never came to the disk. */
function loseEnd(files: MemoryFiles, path: string, batches: number): void {
  const bytes = files.bytes(path);
  files.replace(path, bytes.slice(0, bytes.length - batches * BATCH_BYTES));
}

describe('a segment that lacks its last batches', () => {
  test.each([
    ['one', 1, offsets(0, 5)],
    ['all', 3, offsets(0, 3)],
  ])('%s of them: the log ends there, it is said, and what follows is kept', async (_, lost, left) => {
    const files = await killed();
    const rest = files.bytes(`${segment(6)}.log`).slice();
    loseEnd(files, `${segment(3)}.log`, lost);
    const { batches, warnings, extent, store } = await recovered(files);
    expect(batches).toEqual(left);
    expect(extent.logEndOffset).toBe(left.length);
    expect(warnings.join()).toContain(
      `topic1-0: ends at offset ${left.length}: offsets ${left.length} to 5 are missing in ${segment(3)}.log`,
    );
    expect(asideOf(files)).toEqual([`${segment(6)}.0.cut.damaged`]);
    expect(files.bytes(`${segment(6)}.0.cut.damaged`)).toEqual(rest);
    await store.commit(appends(log, left.length, 8));
    const next = await recovered(files.crash({ power: true }));
    expect(next.batches).toEqual(offsets(0, 8));
    expect(next.warnings).toEqual([]);
  });

  test('with a segment between two others whose name never came', async () => {
    const files = await killed();
    await files.remove(`${segment(3)}.log`);
    const { batches, warnings } = await recovered(files);
    expect(batches).toEqual(offsets(0, 3));
    expect(warnings.join()).toContain(`offsets 3 to 5 are missing in ${FIRST}.log`);
  });

  test('again, where an earlier recovery cut it: what that kept is not taken for a gap left on purpose', async () => {
    const files = await killed();
    loseEnd(files, `${segment(3)}.log`, 1);
    files.replace(`${segment(3)}.log`, files.bytes(`${segment(3)}.log`).slice(0, -1));
    const { store, batches } = await recovered(files);
    expect(batches).toEqual(offsets(0, 4));
    await store.commit([...appends(log, 4, 6, VALUE_BYTES), roll, ...appends(log, 6, 8, VALUE_BYTES)]);
    const again = files.crash({ power: true });
    pointsAt(again, '0\n1\ntopic1 0 4\n');
    loseEnd(again, `${segment(3)}.log`, 2);
    expect((await recovered(again)).batches).toEqual(offsets(0, 4));
  });

  test('with nothing behind it: nothing is kept', async () => {
    const files = await killed();
    loseEnd(files, `${segment(3)}.log`, 2);
    loseEnd(files, `${segment(6)}.log`, 3);
    const { batches } = await recovered(files);
    expect(batches).toEqual(offsets(0, 4));
    expect(asideOf(files)).toEqual([]);
    expect(files.paths()).not.toContain(`${segment(6)}.log`);
  });

  test('that were flushed once: they are damaged, not torn, and the log goes on', async () => {
    const files = await killed();
    pointsAt(files, '0\n1\ntopic1 0 5\n');
    loseEnd(files, `${segment(3)}.log`, 2);
    const { batches, warnings } = await recovered(files);
    expect(batches).toEqual([...offsets(0, 4), ...offsets(6, 9)]);
    expect(warnings.join()).toContain(
      `offsets 4 to 5 are missing in ${segment(3)}.log, what follows is served`,
    );
  });
});

test('a segment that was closed well and has lost all its batches: it is said', async () => {
  const files = await killed();
  await (await recovered(files)).store.close();
  loseEnd(files, `${segment(3)}.log`, 3);
  const { batches, warnings } = await recovered(files);
  expect(batches).toEqual([...offsets(0, 3), ...offsets(6, 9)]);
  expect(warnings).toEqual([
    `${segment(3)}.log is empty: offsets 3 to 5 are missing, what follows is served`,
  ]);
});

describe('a segment that ends before the next one starts, rightly', () => {
  test('after damage that was left out, whatever start the recovery point survives', async () => {
    const files = await killed();
    const bytes = files.bytes(`${segment(3)}.log`).slice();
    bytes[3 * BATCH_BYTES - 1] = 0xff;
    files.replace(`${segment(3)}.log`, bytes);
    const whole = [...offsets(0, 5), ...offsets(6, 9)];
    expect((await recovered(files)).batches).toEqual(whole);
    const again = files.crash({ power: true });
    pointsAt(again, '0\n0\n');
    const { batches, warnings } = await recovered(again);
    expect(batches).toEqual(whole);
    expect(warnings).toEqual([]);
  });

  test('below the recovery point', async () => {
    const files = await killed();
    pointsAt(files, '0\n1\ntopic1 0 6\n');
    loseEnd(files, `${segment(3)}.log`, 1);
    expect((await recovered(files)).batches).toEqual([...offsets(0, 5), ...offsets(6, 9)]);
  });

  test('below the log start', async () => {
    const files = await killed();
    const starts = await files.open(`${DIRECTORY}/log-start-offset-checkpoint`, { create: true });
    await starts.write(0, [new TextEncoder().encode('0\n1\ntopic1 0 6\n')]);
    loseEnd(files, `${segment(3)}.log`, 1);
    expect((await recovered(files)).batches).toEqual(offsets(6, 9));
  });

  test.each([
    ['Kafka wrote, who compacts logs', (files: MemoryFiles) => files.remove(`${DIRECTORY}/milena.format`)],
    ['of which nobody knows what was flushed', async (files: MemoryFiles) => pointsAt(files, '0\nx\n')],
  ])('in a directory %s', async (_, change) => {
    const files = await killed();
    await change(files);
    loseEnd(files, `${segment(3)}.log`, 1);
    expect((await recovered(files)).batches).toEqual([...offsets(0, 5), ...offsets(6, 9)]);
  });
});

test('flush=never: a power cut that takes the end of any files leaves a prefix', async () => {
  expect.hasAssertions();
  const change = fc.oneof(
    { weight: 3, arbitrary: fc.record({ records: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.constant('roll' as const) },
  );
  /** How much of each file's end is lost, in batches of the smallest size; mostly nothing. */
  const losses = fc.array(fc.oneof(fc.constant(0), fc.constant(0), fc.nat(6)), {
    minLength: 12,
    maxLength: 12,
  });
  const changes = fc.array(change, { minLength: 1, maxLength: 24, size: 'max' });
  const property = fc.asyncProperty(changes, losses, fc.nat(2), async (asked, lost, tornBytes) => {
    const files = new MemoryFiles();
    const store = await openStore(files, { flush: 'never' });
    const written: [number, number][] = [];
    const writes = asked.map((one): LogWrite => {
      if (one === 'roll') return roll;
      const baseOffset = (written.at(-1)?.[1] ?? -1) + 1;
      written.push([baseOffset, baseOffset + one.records - 1]);
      return append({ log, baseOffset, records: one.records });
    });
    await store.commit([create, ...writes]);
    const left = files.crash({ power: false });
    // Nobody waits for a flush, so no recovery point has moved.
    await left.remove(RECOVERY_POINTS);
    const batchBytes = append({ log, baseOffset: 0 }).bytes.length;
    for (const [number, path] of left
      .paths()
      .filter((name) => name.endsWith('.log'))
      .entries()) {
      const whole = left.bytes(path);
      const lostBytes = (lost[number] ?? 0) * batchBytes + ((lost[number] ?? 0) > 3 ? tornBytes : 0);
      left.replace(path, whole.slice(0, Math.max(0, whole.length - lostBytes)));
    }
    const { batches } = await recovered(left);
    expect(batches).toEqual(written.slice(0, batches.length));
  });
  await fc.assert(property, { numRuns: 100 });
});
