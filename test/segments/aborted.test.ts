import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AbortedTransaction } from '../../src/model/aborted.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { decodeAborted, encodeAborted } from '../../src/records/aborted-entries.ts';
import { appends, logName } from '../storage/batches.ts';
import { killEverywhere } from '../storage/crash.ts';
import { Script } from '../storage/crash-script.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { segmentCrashHome } from './crash-home.ts';
import { DIRECTORY, openStore } from './open.ts';

const { log } = logName(1);
const ALL = { fromOffset: 0, endOffset: Infinity };
const FIRST = `${DIRECTORY}/topic1-0/00000000000000000000.txnindex`;
const SECOND = `${DIRECTORY}/topic1-0/00000000000000000004.txnindex`;

function transaction(firstOffset: number, lastOffset: number): AbortedTransaction {
  return { producerId: 7, firstOffset, lastOffset, lastStableOffset: lastOffset + 1 };
}

function aborted(firstOffset: number, lastOffset: number): LogWrite {
  return {
    type: 'aborted',
    log,
    fromOffset: lastOffset,
    transactions: [transaction(firstOffset, lastOffset)],
  };
}

/** Two segments; two markers in the first, one in the second. */
async function filled(): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const store = await openStore(files);
  await store.commit([{ type: 'create', ...logName(1) }, ...appends(log, 0, 2), aborted(0, 1)]);
  await store.commit([...appends(log, 2, 4), aborted(2, 3), { type: 'roll', log }]);
  await store.commit([...appends(log, 4, 6), aborted(4, 5)]);
  await store.close();
  return files;
}

test('entries are Kafka’s, byte for byte', async () => {
  const data = join(import.meta.dirname, '../fixtures/kafka-4.3.1/data/transactions-aborted-0');
  const bytes = new Uint8Array(await readFile(join(data, '00000000000000000000.txnindex')));
  const found = decodeAborted(bytes);
  expect(found).toEqual([{ producerId: 1, firstOffset: 2, lastOffset: 3, lastStableOffset: 4 }]);
  expect(encodeAborted(found)).toEqual(bytes);
});

test('each entry is in the file of the segment that has its marker', async () => {
  const files = await filled();
  expect(decodeAborted((await files.readFile(FIRST)) ?? new Uint8Array())).toEqual([
    transaction(0, 1),
    transaction(2, 3),
  ]);
  expect(await files.readFile(SECOND)).toEqual(encodeAborted([transaction(4, 5)]));
});

test.each([
  ['torn', (bytes: Uint8Array) => bytes.subarray(0, 40), 2],
  ['zeros', (bytes: Uint8Array) => new Uint8Array(bytes.length), 0],
  ['of another version', (bytes: Uint8Array) => bytes.with(1, 1), 0],
])(
  'of a file that is %s what makes sense is kept, and from where on it does not is told',
  async (_, damage, missingFrom) => {
    const files = await filled();
    const bytes = (await files.readFile(FIRST)) ?? new Uint8Array();
    const file = await files.open(FIRST);
    await file.truncate(0);
    await file.write(0, [new Uint8Array(damage(bytes))]);
    await file.close();
    const store = await openStore(files);
    expect(await store.open(log)).toEqual({
      logStartOffset: 0,
      logEndOffset: 6,
      abortedMissingFrom: missingFrom,
    });
    const kept = missingFrom === 2 ? [transaction(0, 1)] : [];
    expect(store.aborted(log, ALL)).toEqual([...kept, transaction(4, 5)]);
    await store.commit([
      { type: 'aborted', log, fromOffset: missingFrom, transactions: [transaction(2, 3), transaction(4, 5)] },
    ]);
    await store.close();
    expect(await files.readFile(FIRST)).toEqual(encodeAborted([...kept, transaction(2, 3)]));
  },
);

test('a log without any has no such file', async () => {
  const files = new MemoryFiles();
  const store = await openStore(files);
  await store.commit([{ type: 'create', ...logName(1) }, ...appends(log, 0, 2)]);
  await store.close();
  expect((await files.list(`${DIRECTORY}/topic1-0`)).filter((name) => name.endsWith('.txnindex'))).toEqual(
    [],
  );
});

test('segments that are written anew as one have their entries in one file', async () => {
  const files = await filled();
  const store = await openStore(files);
  await store.open(log);
  await store.commit([{ type: 'roll', log }, ...appends(log, 6, 7)]);
  const replacement = store.replace(log, { fromOffset: 0, toOffset: 6 });
  const all = await store.read(log, { fromOffset: 0, endOffset: 6, maxBytes: 1e6 });
  await replacement.write(all.slice(), 6);
  expect(await replacement.finish()).toBe(true);
  expect(store.aborted(log, ALL)).toHaveLength(3);
  await store.close();
  expect(await files.readFile(SECOND)).toBeUndefined();
  expect(await files.readFile(FIRST)).toEqual(
    encodeAborted([transaction(0, 1), transaction(2, 3), transaction(4, 5)]),
  );
});

test('what replaces others is written as it was then, not as it is by now: kills leave what commits left', async () => {
  const home = segmentCrashHome({ power: false });
  const as = (producerId: number, lastOffset: number) => ({ ...transaction(0, lastOffset), producerId });
  const change = (fromOffset: number, ...transactions: AbortedTransaction[]): LogWrite[] => [
    { type: 'aborted', log, fromOffset, transactions },
  ];
  const commits: LogWrite[][] = [
    [{ type: 'create', ...logName(1) }, ...appends(log, 0, 1), { type: 'truncate', log, toOffset: 0 }],
    [...appends(log, 0, 6), ...change(0)],
    change(2, as(7, 2)),
    change(4, as(7, 4)),
    change(0, as(8, 2), as(8, 4)),
  ];
  const script = new Script(
    new Map(),
    commits.map((writes) => ({ writes, waits: false })),
    home,
  );
  expect(await killEverywhere(home, script)).toBeGreaterThan(commits.length);
});
