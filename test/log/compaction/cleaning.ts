import { type CleanLogParts, cleanLog, type Cleaned } from '../../../src/log/compaction/clean-log.ts';
import { cleanableOf } from '../../../src/log/compaction/cleanable.ts';
import { type NewRecord, buildBatch } from '../../../src/records/builder.ts';
import type { BatchSpec } from '../../../src/records/builder.ts';
import { type BatchRecords, records } from '../../../src/records/batch.ts';
import { BatchHeader } from '../../../src/records/header.ts';
import type { LogStore } from '../../../src/ports/log-store.ts';
import { append, codecs, kernels, NAME, NOW, type Rig as MemoryRig } from '../fixtures.ts';

/** On whatever store. */
type Rig = Omit<MemoryRig, 'store'> & { store: LogStore };

export const HOUR_MS = 60 * 60 * 1000;

/** A record with a key, and its value; null deletes. */
export function keyed(key: string | null, value: string | null, timestamp = NOW): NewRecord {
  return { key, value, timestamp };
}

/** Appends a batch as a client does, and takes it for committed. */
export async function write(
  rig: Rig,
  held: readonly NewRecord[],
  spec: Partial<BatchSpec> = {},
): Promise<number> {
  const result = await append(rig, buildBatch(kernels, { records: held, ...spec }));
  if (result.type !== 'appended') throw new Error(JSON.stringify(result));
  rig.log.highWatermark = rig.log.logEndOffset;
  return result.baseOffset;
}

export async function roll({ store, log }: Rig): Promise<void> {
  await store.commit([{ type: 'roll', log: log.name.log }]);
}

export interface PassOptions extends Partial<CleanLogParts> {
  cleanedOffset?: number | undefined;
}

/** One pass over all that can be cleaned. */
export async function pass(rig: Rig, options: PassOptions = {}): Promise<Cleaned | undefined> {
  const { store, log, config } = rig;
  const { nowMs = NOW, cleanedOffset } = options;
  const cleanable = cleanableOf(store.segments(NAME.log), {
    config,
    nowMs,
    logStartOffset: log.logStartOffset,
    stableEndOffset: log.lastStableOffset,
    cleanedOffset,
  });
  if (cleanable === undefined) return undefined;
  return cleanLog(log, cleanable, {
    store,
    kernels,
    codecs,
    config,
    nowMs,
    budgetBytes: 24 * 1000,
    loadFactor: 0.9,
    seed: [1, 2, 3, 4],
    chunkBytes: 300,
    commit: (writes) => store.commit(writes),
    pace: async () => true,
    ...options,
  });
}

/** Every batch of a log. */
export async function batchesOf({ store, log }: Pick<Rig, 'store' | 'log'>): Promise<BatchRecords[]> {
  const found: BatchRecords[] = [];
  for (let fromOffset = log.logStartOffset; ;) {
    const bytes = await store.read(NAME.log, { fromOffset, endOffset: Infinity, maxBytes: 1 });
    if (bytes.length === 0) return found;
    found.push(await records(bytes, kernels, codecs));
    fromOffset = new BatchHeader(bytes).lastOffset + 1;
  }
}

const utf8 = new TextDecoder();
const textOf = (bytes: Uint8Array | null) => bytes && utf8.decode(bytes);

/** Offset, key, value. */
export async function contentOf(
  rig: Pick<Rig, 'store' | 'log'>,
): Promise<[number, string | null, string | null][]> {
  return (await batchesOf(rig)).flatMap((batch) =>
    Array.from(batch, ({ offset, key, value }): [number, string | null, string | null] => [
      offset,
      textOf(key),
      textOf(value),
    ]),
  );
}
