import { expect, test } from 'vitest';
import { HEADER_SIZE, forEachBatch } from '../../src/records/header.ts';
import type { SegmentStore } from '../../src/segments/store.ts';
import { append, appends, kernels } from '../storage/batches.ts';
import type { MemoryFiles } from '../storage/memory-files.ts';
import { type Misread, misread } from '../storage/misread.ts';
import { create, killedAfter, log, recovered } from './crashed.ts';
import { openStore } from './open.ts';

const BATCHES = 14;
/** Batches of the first segment. */
const CLOSED = 4;
const VALUE_BYTES = 60;
const BATCH_BYTES = append({ log, baseOffset: 0, valueBytes: VALUE_BYTES }).bytes.length;
const SECTOR_BYTES = 512;
/** Of a batch: how many offsets it has. Before a gap nothing but its checksum tells, and who reads it looks at that. */
const COUNT = { from: 23, to: 27 };

/** Left by a process that was killed, by one that was stopped, and what may come of the first. */
async function disks() {
  const writes = appends(log, 0, BATCHES, VALUE_BYTES);
  writes.splice(CLOSED, 0, { type: 'roll', log });
  const killed = await killedAfter([create, ...writes]);
  const stopped = killed.crash({ power: false });
  const store = await openStore(stopped);
  await store.open(log);
  await store.close();
  const changed = killed.crash({ power: false });
  const active = changed.paths().findLast((path) => path.endsWith('.log')) ?? '';
  const bytes = changed.bytes(active).slice();
  bytes[2 * BATCH_BYTES + HEADER_SIZE] = 0xff;
  changed.replace(active, bytes);
  const torn = killed.crash({ power: false });
  torn.replace(active, torn.bytes(active).slice(0, 1.5 * BATCH_BYTES));
  const lacking = killed.crash({ power: false });
  const sectors = lacking.bytes(active).slice();
  lacking.replace(active, sectors.fill(0, SECTOR_BYTES, 2 * SECTOR_BYTES));
  return { killed, stopped, changed, torn, lacking };
}

/** All that can be read wrong of a log: of its batches the headers, and one byte more. */
function misreads(files: MemoryFiles): Misread[] {
  const found: Misread[] = [];
  for (const path of files.paths().filter((each) => /\.(log|index|timeindex)$/.test(each))) {
    for (let at = 0; at < files.bytes(path).length; at++) {
      if (path.endsWith('.log') && at % BATCH_BYTES > HEADER_SIZE) continue;
      found.push({ path, at });
    }
  }
  return found;
}

/** What a start finds, and what it leaves of the batches' files. */
async function started(files: MemoryFiles): Promise<string> {
  const found = await recovered(files).catch((error: unknown) => String(error));
  const paths = files.paths().filter((path) => /\.(log|damaged)$/.test(path));
  const left = paths.map((path) => `${path} ${kernels.crc32c(files.bytes(path))}`);
  if (typeof found === 'string') return found;
  const { batches, warnings, extent } = found;
  return JSON.stringify({ batches, warnings, extent, left });
}

test(
  'a bit that is wrong once on its way costs nothing: no batch, no file, no warning',
  { timeout: 60_000 },
  async () => {
    for (const [how, disk] of Object.entries(await disks())) {
      const expected = await started(disk.crash({ power: false }));
      const others: string[] = [];
      for (const wrong of misreads(disk)) {
        const inBatch = wrong.at % BATCH_BYTES;
        if (how === 'changed' && inBatch >= COUNT.from && inBatch < COUNT.to) continue;
        for (let number = 0; ; number++) {
          const files = disk.crash({ power: false });
          const wasRead = misread(files, number, wrong);
          const found = await started(files);
          if (!wasRead()) break;
          if (found !== expected) others.push(`${how}: read ${number} of ${JSON.stringify(wrong)}: ${found}`);
        }
      }
      expect(others).toEqual([]);
    }
  },
);

/** Batches as a store gives them one by one from `fromOffset` on, headers included. @throws as it does. */
async function readFrom(store: SegmentStore, fromOffset: number, maxBytes: number): Promise<string[]> {
  const found: string[] = [];
  for (let offset = fromOffset; offset < BATCHES;) {
    const bytes = await store.read(log, { fromOffset: offset, endOffset: Infinity, maxBytes });
    forEachBatch(bytes, (batch) => {
      offset = batch.lastOffset + 1;
      found.push(`${batch.baseOffset} ${batch.partitionLeaderEpoch} ${batch.crc}`);
    });
    if (bytes.length === 0) break;
  }
  return found;
}

test(
  'no read of a log that is open gives a header that was wrong on its way',
  { timeout: 60_000 },
  async () => {
    const { stopped } = await disks();
    const whole = await readFrom(await opened(stopped.crash({ power: false })), 0, 1);
    expect(whole).toHaveLength(BATCHES);
    const others: string[] = [];
    for (const fromOffset of [0, 3, CLOSED - 1, CLOSED, BATCHES - 1]) {
      for (const wrong of misreads(stopped)) {
        for (let number = 0; ; number++) {
          const files = stopped.crash({ power: false });
          const store = await opened(files);
          const wasRead = misread(files, number, wrong);
          const found = await readFrom(store, fromOffset, number % 2 === 0 ? 1 : 3 * BATCH_BYTES).catch(
            String,
          );
          if (!wasRead()) break;
          if (String(found) !== String(whole.slice(fromOffset)))
            others.push(`from ${fromOffset}: read ${number} of ${JSON.stringify(wrong)}: ${String(found)}`);
        }
      }
    }
    expect(others).toEqual([]);
  },
);

async function opened(files: MemoryFiles): Promise<SegmentStore> {
  const store = await openStore(files, { tailBytes: 0 });
  await store.open(log);
  return store;
}

test('batches that vouch for each other are read once', async () => {
  const { stopped } = await disks();
  const store = await opened(stopped);
  let reads = 0;
  stopped.onRead = (path) => {
    if (path.endsWith('.log')) reads++;
  };
  expect(await store.read(log, { fromOffset: CLOSED, endOffset: Infinity, maxBytes: 1 })).toHaveLength(
    BATCH_BYTES,
  );
  expect(reads).toBe(1);
  const next = { fromOffset: CLOSED + 1, endOffset: Infinity, maxBytes: 3 * BATCH_BYTES };
  expect(await store.read(log, next)).toHaveLength(3 * BATCH_BYTES);
  expect(reads).toBe(2);
});
