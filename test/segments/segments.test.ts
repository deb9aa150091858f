import { expect, test } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { append, appends, isTrue, logName, offsetsOf } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { openStore } from './open.ts';

const { log } = logName(1);
const create: LogWrite = { type: 'create', ...logName(1) };
const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };

test('a segment ends where its index could no longer tell an offset', async () => {
  const files = new MemoryFiles();
  const store = await openStore(files);
  const far = 2 ** 31;
  await store.commit([create, append({ log, baseOffset: 5 }), append({ log, baseOffset: far - 1 })]);
  await store.commit([append({ log, baseOffset: far, records: 2 }), append({ log, baseOffset: 3 * far })]);
  const bases = [0, far, far + 2];
  expect(store.segments(log).map(({ baseOffset }) => baseOffset)).toEqual(bases);
  await store.close();
  const next = await openStore(files);
  expect(await next.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 3 * far + 1 });
  expect(offsetsOf(await next.read(log, { ...ALL, fromOffset: far + 7 }))).toEqual([[3 * far, 3 * far]]);
});

test('reads from memory are synchronous, and so are those of what is not written yet', async () => {
  const store = await openStore(new MemoryFiles());
  const done = store.commit([create, ...appends(log, 0, 5)]);
  expect(store.read(log, ALL)).toBeInstanceOf(Uint8Array);
  await done;
  expect(store.read(log, { ...ALL, fromOffset: 3 })).toBeInstanceOf(Uint8Array);
});

test('commits that come during a round share the next one, and its flush', async () => {
  const files = new MemoryFiles();
  const store = await openStore(files);
  await store.commit([create]);
  let flushes = 0;
  files.fault = (call, path) => {
    if (call === 'flush' && path.endsWith('.log')) flushes++;
  };
  const commits = Array.from({ length: 20 }, (_, offset) =>
    store.commit([append({ log, baseOffset: offset })]),
  );
  expect(commits[1]).toBe(commits[19]);
  await Promise.all(commits);
  expect(flushes).toBeLessThanOrEqual(2);
});

test('a reader under way when its segment goes gets what is there after it, or nothing', async () => {
  const store = await openStore(new MemoryFiles(), { tailBytes: 0 });
  await store.commit([create, ...appends(log, 0, 5, 300), { type: 'roll', log }, ...appends(log, 5, 9, 300)]);
  const reading = store.read(log, { ...ALL, fromOffset: 2 });
  const trimmed = store.commit([{ type: 'trim', log, beforeOffset: 5 }]);
  expect(offsetsOf(await reading)[0]).toEqual([5, 5]);
  await trimmed;
  const last = store.read(log, { ...ALL, fromOffset: 6 });
  const dropped = store.commit([{ type: 'drop', log }]);
  expect(await last).toHaveLength(0);
  await dropped;
});

test('a reader under way when the log is cut never sees old and new mixed', async () => {
  for (let steps = 0; steps < 30; steps++) {
    const store = await openStore(new MemoryFiles(), { tailBytes: 0 });
    await store.commit([create, ...appends(log, 0, 20, 100)]);
    const reading = Promise.resolve(store.read(log, { ...ALL, fromOffset: 8 }));
    for (let step = 0; step < steps; step++) await Promise.resolve();
    const changed = append({ log, baseOffset: 10, records: 3, valueBytes: 70 });
    const cut = store.commit([{ type: 'truncate', log, toOffset: 10 }, changed]);
    const bytes = await reading;
    expect(isTrue(bytes)).toBe(true);
    expect([
      [19, 19],
      [12, 12],
      [10, 12],
      [9, 9],
    ]).toContainEqual(offsetsOf(bytes).at(-1));
    await cut;
  }
});

test('a write nobody can make rejects, and the store goes on with other logs', async () => {
  const store = await openStore(new MemoryFiles());
  const other = logName(2);
  await store.commit([create, { type: 'create', ...other }, ...appends(log, 0, 3)]);
  await expect(store.commit([append({ log, baseOffset: 1 })])).rejects.toThrow('appends go to the end');
  await expect(store.commit([append({ log: 'nowhere/0', baseOffset: 1 })])).rejects.toThrow('no such log');
  await expect(
    store.commit([{ type: 'put', log: other.log, name: '../x', value: new Uint8Array(1) }]),
  ).rejects.toThrow('cannot be named');
  await store.commit([append({ log: other.log, baseOffset: 0 })]);
  expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 3 });
});

test('where a reader went on before a truncation is not where one goes on after it', async () => {
  const store = await openStore(new MemoryFiles(), { tailBytes: 0 });
  await store.commit([create, append({ log, baseOffset: 0, records: 2 })]);
  expect(offsetsOf(await store.read(log, ALL))).toEqual([[0, 1]]);
  await store.commit([{ type: 'truncate', log, toOffset: 0 }]);
  await store.commit([
    append({ log, baseOffset: 0, records: 2, valueBytes: 900 }),
    append({ log, baseOffset: 2 }),
  ]);
  expect(offsetsOf(await store.read(log, { ...ALL, fromOffset: 2 }))).toEqual([[2, 2]]);
});
