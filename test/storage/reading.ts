import { expect } from 'vitest';
import type { LogKey } from '../../src/model/ids.ts';
import type { LogStore } from '../../src/ports/log-store.ts';
import { forEachBatch } from '../../src/records/header.ts';
import { isTrue } from './batches.ts';
import { imageOf } from './model-log.ts';
import type { ModelBatch, ModelLog } from './model-log.ts';

/** All batches from `fromOffset` on, read in steps of `maxBytes`, where a store can all into the same memory. */
async function batchesFrom(store: LogStore, log: LogKey, fromOffset: number, maxBytes: number) {
  const found: ModelBatch[] = [];
  const into = new Uint8Array(2 * maxBytes);
  for (let next = fromOffset; ;) {
    into.fill(0xff);
    const bytes = await store.read(log, { fromOffset: next, endOffset: Infinity, maxBytes, into });
    if (bytes.length === 0) return found;
    expect(isTrue(bytes), `batches of ${log} from ${next} on are true`).toBe(true);
    forEachBatch(bytes, ({ baseOffset, lastOffset, maxTimestamp: timestamp, crc }) => {
      found.push({ baseOffset, lastOffset, timestamp, crc });
      next = lastOffset + 1;
    });
  }
}

/** First and last offsets of all batches from `fromOffset` on, read in steps of `maxBytes`. */
export async function offsetsFrom(
  store: LogStore,
  log: LogKey,
  fromOffset: number,
  maxBytes: number,
): Promise<[number, number][]> {
  const batches = await batchesFrom(store, log, fromOffset, maxBytes);
  return batches.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset]);
}

/** Opens a log and reads all there is of it. `image` compares with a `ModelLog`'s. */
export async function readLog(store: LogStore, log: LogKey): Promise<{ image: string }> {
  const { logStartOffset: start, logEndOffset: end } = await store.open(log);
  const batches = await batchesFrom(store, log, start, 4000);
  const values = new Map<string, string>();
  for (const name of await store.names(log)) values.set(name, String(await store.get(log, name)));
  const aborted = store.aborted(log, { fromOffset: start, endOffset: Infinity });
  return { image: imageOf({ start, end, batches, values, aborted }) };
}

/**
 * Segments follow each other up to the end, and know their largest timestamps; batches below the log start may count or
 * not. The log is open.
 */
export function checkSegments(store: LogStore, { name: { log }, batches, visible, end }: ModelLog): void {
  const segments = store.segments(log);
  expect(segments.at(-1)?.nextOffset).toBe(end);
  for (const [number, { baseOffset, nextOffset, maxTimestamp }] of segments.entries()) {
    if (number > 0) expect(baseOffset).toBe(segments[number - 1]?.nextOffset);
    const largest = (held: readonly ModelBatch[]) =>
      held
        .filter((batch) => batch.baseOffset >= baseOffset && batch.lastOffset < nextOffset)
        .reduce((most, { timestamp }) => Math.max(most, timestamp), -1);
    expect(maxTimestamp).toBeGreaterThanOrEqual(largest(visible));
    expect(maxTimestamp).toBeLessThanOrEqual(largest(batches));
  }
}
