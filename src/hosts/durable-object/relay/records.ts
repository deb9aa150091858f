import { type FetchedPartition, NO_RECORDS } from '../../../wire/fetched.ts';
import { concat } from '../../../model/bytes.ts';
import type { Offset } from '../../../model/ids.ts';
import { forEachBatch } from '../../../records/header.ts';
import type { RecordsFrame } from './frames.ts';

export function sizeOf({ partition }: RecordsFrame): number {
  return partition.records?.length ?? 0;
}

/** What was aborted is said of all of it: then it has no parts. */
function isWhole({ partition }: RecordsFrame): boolean {
  return (partition.abortedTransactions?.length ?? 0) > 0;
}

/** From the batch on that has that offset; undefined where it cannot be cut. */
export function startingAt(frame: RecordsFrame, from: Offset): RecordsFrame | undefined {
  if (frame.from === from) return frame;
  if (isWhole(frame)) return undefined;
  const bytes = frame.partition.records ?? NO_RECORDS;
  let at = bytes.length;
  forEachBatch(bytes, (batch) => {
    if (batch.lastOffset >= from) at = Math.min(at, batch.position);
  });
  return { ...frame, from, partition: { ...frame.partition, records: bytes.subarray(at) } };
}

/** Those that follow each other as one fetch would bring them: what fits, the first batch in any case. */
export function joined(frames: readonly RecordsFrame[], maxBytes = Infinity): FetchedPartition | undefined {
  const records: Uint8Array[] = [];
  const aborted: NonNullable<FetchedPartition['abortedTransactions']> = [];
  let leftBytes = maxBytes;
  for (const frame of frames) {
    const bytes = frame.partition.records ?? NO_RECORDS;
    const fits = bytes.length <= leftBytes;
    if (!fits && records.length > 0) break;
    records.push(fits || isWhole(frame) ? bytes : fitting(bytes, leftBytes));
    aborted.push(...(frame.partition.abortedTransactions ?? []));
    leftBytes -= bytes.length;
  }
  const latest = frames.at(-1)?.partition;
  const [only] = records;
  return (
    latest && {
      ...latest,
      records: records.length === 1 && only ? only : concat(records),
      abortedTransactions: latest.abortedTransactions && aborted,
    }
  );
}

/** Whole batches, one at least. */
function fitting(bytes: Uint8Array, maxBytes: number): Uint8Array {
  let end = 0;
  forEachBatch(bytes, ({ position, sizeBytes }) => {
    if (end === 0 || position + sizeBytes <= maxBytes) end = position + sizeBytes;
  });
  return bytes.subarray(0, end);
}
