import { describe, expect } from 'vitest';
import type { LogStore, LogWrite } from '../../src/ports/log-store.ts';
import { append, appends, logName } from './batches.ts';
import { ALL, type Bench } from './contract.ts';

/** First and last offsets of what a read of the log returns. */
type Offsets = (store: LogStore, range?: Partial<typeof ALL>) => Promise<[number, number][]>;

const NO_BYTES = new Uint8Array(0);
const { log } = logName(1);
const create: LogWrite = { type: 'create', ...logName(1) };
const roll: LogWrite = { type: 'roll', log };
const held = [
  create,
  ...appends(log, 0, 3, 500),
  roll,
  ...appends(log, 3, 6, 500),
  roll,
  ...appends(log, 6, 8, 500),
];
const kept = append({ log, baseOffset: 1, timestamp: 70 });
const range = { fromOffset: 0, toOffset: 6 };

/** Segments that are written anew. */
export function replacementCases(bench: Bench, offsets: Offsets): void {
  const { name, fresh, test } = bench;
  describe(`${name}: replacement`, () => {
    test('closed segments become one, with what is written; offsets stay', async () => {
      const store = await fresh(...held);
      const replacement = store.replace(log, range);
      await replacement.write(kept.bytes, 2);
      await replacement.write(NO_BYTES, 3);
      await replacement.write(append({ log, baseOffset: 5, timestamp: 60 }).bytes, 6);
      expect(await replacement.finish()).toBe(true);
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 8 });
      expect(await store.read(log, { ...ALL, endOffset: 5 })).toEqual(kept.bytes);
      expect(await offsets(store, { fromOffset: 2 })).toContainEqual([5, 5]);
      expect((await offsets(store, { fromOffset: 6 })).at(-1)).toEqual([7, 7]);
      const [first, active] = store.segments(log);
      expect(first).toMatchObject({ baseOffset: 0, nextOffset: 6, maxTimestamp: 70, firstTimestamp: 70 });
      expect(first?.sizeBytes).toBe(2 * kept.bytes.length);
      expect(active).toMatchObject({ baseOffset: 6, nextOffset: 8 });
      expect(await store.batchAt(log, 65, 0)).toBe(1);
      expect(await store.batchAt(log, 70, 2)).toBe(6);
    });

    test('of which nothing is left is a gap', async () => {
      const store = await fresh(...held);
      const replacement = store.replace(log, { fromOffset: 3, toOffset: 6 });
      await replacement.write(NO_BYTES, 6);
      expect(await replacement.finish()).toBe(true);
      expect((await offsets(store, { fromOffset: 3 }))[0]).toEqual([6, 6]);
      await store.commit(appends(log, 8, 10));
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 10 });
    });

    test('that is abandoned leaves what nobody has seen, and may begin again', async () => {
      const store = await fresh(...held);
      await store.replace(log, range).abandon();
      expect(await offsets(store, { endOffset: 3 })).toHaveLength(3);
      const replacement = store.replace(log, range);
      await replacement.write(kept.bytes, 6);
      expect(await replacement.finish()).toBe(true);
      expect(await offsets(store, { endOffset: 6 })).toEqual([[1, 1]]);
    });
  });
  meanwhileCases(bench, offsets);
}

/** What comes while a part of a log is written anew. */
function meanwhileCases({ name, fresh, test }: Bench, offsets: Offsets): void {
  describe(`${name}: replacement meanwhile`, () => {
    const changes: Record<string, LogWrite> = {
      'a trim': { type: 'trim', log, beforeOffset: 4 },
      'a truncation': { type: 'truncate', log, toOffset: 5 },
      'a drop': { type: 'drop', log },
    };
    for (const [what, change] of Object.entries(changes)) {
      test(`that ${what} overtakes is not made`, async () => {
        const store = await fresh(...held);
        const replacement = store.replace(log, range);
        await replacement.write(NO_BYTES, 3);
        await store.commit([change]);
        const isDone = replacement.write(kept.bytes, 6).then(() => replacement.finish());
        expect(await isDone.catch(() => false)).toBe(false);
        if (what === 'a drop') return;
        const { logEndOffset } = await store.open(log);
        await store.commit(appends(log, logEndOffset, logEndOffset + 2));
        const last = (await offsets(store, { fromOffset: logEndOffset })).at(-1);
        expect(last).toEqual([logEndOffset + 1, logEndOffset + 1]);
      });
    }

    test('reads and appends go on meanwhile', async () => {
      const store = await fresh(...held);
      const replacement = store.replace(log, range);
      await replacement.write(kept.bytes, 6);
      const finished = replacement.finish();
      const commits: Promise<void>[] = [];
      for (let offset = 8; offset < 20; offset++) {
        commits.push(store.commit(appends(log, offset, offset + 1)));
        const seen = await offsets(store, { fromOffset: 1 });
        expect(seen[0]).toEqual([1, 1]);
        expect(seen.at(-1)?.[1]).toBeLessThanOrEqual(offset);
        expect((await offsets(store, { fromOffset: offset })).at(-1)).toEqual([offset, offset]);
      }
      expect(await finished).toBe(true);
      await Promise.all(commits);
      expect(await offsets(store, { endOffset: 6 })).toEqual([[1, 1]]);
    });
  });
}
