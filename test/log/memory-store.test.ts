import { describe, expect, test } from 'vitest';
import { MemoryLogStore } from '../../src/log/memory-store.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { batch, NAME } from './fixtures.ts';

const { log } = NAME;

async function store(...writes: LogWrite[]): Promise<MemoryLogStore> {
  const made = new MemoryLogStore();
  await made.commit([{ type: 'create', ...NAME }, ...writes]);
  return made;
}

/** Ten records from `baseOffset` on. */
function ten(baseOffset: number, maxTimestamp = 5): LogWrite {
  const bytes = batch({ count: 10, baseOffset, timestamp: maxTimestamp });
  return { type: 'append', log, baseOffset, lastOffset: baseOffset + 9, maxTimestamp, epoch: 0, bytes };
}

function bases(held: MemoryLogStore): number[] {
  return held.segments(log).map(({ baseOffset }) => baseOffset);
}

const roll: LogWrite = { type: 'roll', log };
const EVERYTHING = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };

describe('commit', () => {
  test('is seen as soon as it returns; one promise serves all of a round', async () => {
    const held = await store();
    const first = held.commit([ten(0)]);
    expect(held.read(log, EVERYTHING)).toHaveLength(batch({ count: 10 }).length);
    const second = held.commit([ten(10)]);
    expect(second).toBe(first);
    await first;
    const third = held.commit([]);
    expect(third).not.toBe(first);
    await held.close();
  });

  test('create again keeps what there is, drop forgets it', async () => {
    const held = await store(ten(0));
    await held.commit([{ type: 'create', ...NAME }]);
    expect(await held.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 10 });
    expect(held.logs()).toEqual([NAME]);
    await held.commit([{ type: 'drop', log }]);
    expect(held.logs()).toEqual([]);
    await expect(held.open(log)).rejects.toThrow('no such log');
  });

  test('values are put, replaced and deleted', async () => {
    const put = (byte: number): LogWrite => ({ type: 'put', log, name: 'a', value: Uint8Array.of(byte) });
    const held = await store(put(1), put(2));
    expect(await held.get(log, 'a')).toEqual(Uint8Array.of(2));
    expect(await held.names(log)).toEqual(['a']);
    await held.commit([{ type: 'delete', log, name: 'a' }]);
    expect(await held.get(log, 'a')).toBeUndefined();
  });
});

describe('segments', () => {
  test('start where they were rolled, and say what they hold', async () => {
    const held = await store(ten(0, 7), ten(10, 3), roll, roll, ten(20, 9));
    const sizeBytes = batch({ count: 10 }).length;
    expect(held.segments(log)).toEqual([
      { baseOffset: 0, nextOffset: 20, sizeBytes: 2 * sizeBytes, maxTimestamp: 7, firstTimestamp: 7 },
      { baseOffset: 20, nextOffset: 30, sizeBytes, maxTimestamp: 9, firstTimestamp: 9 },
    ]);
  });

  test('go when the log start has passed them', async () => {
    const held = await store(ten(0), roll, ten(10), roll, ten(20), { type: 'trim', log, beforeOffset: 15 });
    expect(bases(held)).toEqual([10, 20]);
    expect(await held.open(log)).toEqual({ logStartOffset: 15, logEndOffset: 30 });
  });

  test('go when the log is cut before them', async () => {
    const held = await store(ten(0), roll, ten(10), roll, ten(20), { type: 'truncate', log, toOffset: 14 });
    expect(bases(held)).toEqual([0, 10]);
    expect(await held.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 10 });
    await held.commit([ten(10), { type: 'truncate', log, toOffset: 0 }, ten(0)]);
    expect(await held.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 10 });
  });
});

test('batchAt finds the first batch that is late enough', async () => {
  const held = await store(ten(0, 7), ten(10, 3), ten(20, 9));
  expect(await held.batchAt(log, 7, 0)).toBe(0);
  expect(await held.batchAt(log, 7, 10)).toBe(20);
  expect(await held.batchAt(log, 3, 12)).toBe(10);
  expect(await held.batchAt(log, 10, 0)).toBeUndefined();
});
