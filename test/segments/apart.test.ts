import { beforeEach, describe, expect, test } from 'vitest';
import type { LogKey } from '../../src/model/ids.ts';
import type { Replacement } from '../../src/ports/log-store.ts';
import type { SegmentStore } from '../../src/segments/store.ts';
import { append, appends, logName, offsetsOf } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { ALL, create, log, offsets } from './crashed.ts';
import { openStore } from './open.ts';

/** A disk on which a segment takes its new name when it is told to. */
class SlowNames extends MemoryFiles {
  readonly reached = Promise.withResolvers<void>();
  readonly named = Promise.withResolvers<void>();

  override async rename(from: string, to: string): Promise<void> {
    if (from.endsWith('.log.cleaned')) {
      this.reached.resolve();
      await this.named.promise;
    }
    return super.rename(from, to);
  }
}

const other = logName(2);
let files: SlowNames;
let store: SegmentStore;

beforeEach(async () => {
  files = new SlowNames();
  store = await openStore(files);
  await store.commit([create, { type: 'create', ...other }]);
  await store.commit([...appends(log, 0, 4), { type: 'roll', log }, ...appends(log, 4, 5)]);
});

/** Of the first segment the second half is left. */
async function halved(): Promise<Replacement> {
  const replacement = store.replace(log, { fromOffset: 0, toOffset: 4 });
  for (const baseOffset of [2, 3]) await replacement.write(append({ log, baseOffset }).bytes, baseOffset + 1);
  return replacement;
}

async function batchesOf(from: SegmentStore, key: LogKey): Promise<[number, number][]> {
  const found: [number, number][] = [];
  for (let fromOffset = 0; ; fromOffset = (found.at(-1)?.[1] ?? 0) + 1) {
    const some = offsetsOf(await from.read(key, { ...ALL, fromOffset }));
    if (some.length === 0) return found;
    found.push(...some);
  }
}

describe('a segment that changes places', () => {
  test('holds up what comes behind it in its log, and no other log', async () => {
    const finished = (await halved()).finish();
    await files.reached.promise;
    const order: string[] = [];
    const own = store.commit(appends(log, 5, 6)).then(() => order.push('own'));
    const both = store
      .commit([...appends(other.log, 0, 1), ...appends(log, 6, 7)])
      .then(() => order.push('both'));
    await store.commit(appends(other.log, 1, 2));
    order.push('other');
    files.named.resolve();
    expect(await finished).toBe(true);
    await Promise.all([own, both]);
    expect(order).toEqual(['other', 'own', 'both']);
    expect(await batchesOf(store, log)).toEqual(offsets(2, 7));
    expect(await batchesOf(store, other.log)).toEqual(offsets(0, 2));
  });

  test('and cannot, gives its log up with what came behind it, and no other log', async () => {
    const finished = (await halved()).finish();
    await files.reached.promise;
    const own = store.commit(appends(log, 5, 6));
    files.named.reject(new Error('EIO'));
    await expect(finished).rejects.toThrow('EIO');
    await expect(own).rejects.toThrow('EIO');
    await store.commit(appends(other.log, 0, 1));
    await store.open(log);
    // It may be there, since nobody was told.
    expect((await batchesOf(store, log)).slice(0, 5)).toEqual(offsets(0, 5));
  });

  test('is waited for by who closes the store', async () => {
    const finished = (await halved()).finish();
    await files.reached.promise;
    let isClosed = false;
    const closed = store.close().then(() => (isClosed = true));
    await Promise.resolve();
    expect(isClosed).toBe(false);
    files.named.resolve();
    await Promise.all([finished, closed]);
    const again = await openStore(files);
    await again.open(log);
    expect(await batchesOf(again, log)).toEqual(offsets(2, 5));
  });
});
