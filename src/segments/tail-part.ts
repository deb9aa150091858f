import type { Offset } from '../model/ids.ts';
import type { ReadRange } from '../ports/log-store.ts';
import { BatchHeader } from '../records/header.ts';
import type { LogSegment } from './log-segment.ts';

/**
 * Batches in memory, one behind the other in one piece: they are read from here, and nowhere else before they are
 * written.
 */
export interface TailPart {
  readonly baseOffset: Offset;
  /** Inclusive. */
  lastOffset: Offset;
  /** The batches, and behind them room for more. Empty once it is out of the tail. */
  bytes: Uint8Array;
  /** Of the batches. */
  sizeBytes: number;
  /** How many of its batches the store has not written yet. */
  unwritten: number;
}

/** A batch, and where it lies in a segment's file. */
export interface PlacedBatch {
  readonly baseOffset: Offset;
  /** Inclusive. */
  readonly lastOffset: Offset;
  readonly bytes: Uint8Array;
  readonly segment: LogSegment;
  readonly position: number;
}

/** A part of one segment: in its file, too, the batches follow each other. */
export interface SegmentPart extends TailPart {
  readonly segment: LogSegment;
  /** Of the first. */
  readonly position: number;
}

/** Where the batch begins that holds `offset`, or the next; where all end when there is none. */
export function batchReaching(part: TailPart, offset: Offset): number {
  return firstBatch(part, 0, ({ lastOffset }) => lastOffset >= offset);
}

/** Where the batches end that begin at `start` and are in the range: one at least, if it lies below the end offset. */
export function endWithin(
  part: TailPart,
  start: number,
  { endOffset, maxBytes }: Omit<ReadRange, 'fromOffset'>,
): number {
  if (part.lastOffset < endOffset && part.sizeBytes - start <= maxBytes) return part.sizeBytes;
  return firstBatch(part, start, ({ lastOffset, position, sizeBytes }) => {
    const isTooMuch = position > start && position + sizeBytes - start > maxBytes;
    return isTooMuch || lastOffset >= endOffset;
  });
}

/** What is in a part is whole: it was checked on its way in. */
function firstBatch(part: TailPart, start: number, is: (batch: BatchHeader) => boolean): number {
  const batch = new BatchHeader(part.bytes);
  let at = start;
  while (at < part.sizeBytes && !is(batch.seek(at))) at += batch.sizeBytes;
  return at;
}

/** Lets go of batches that reach `offset`. What is left takes no more: readers may still look at what followed it. */
export function cutPart(part: TailPart, offset: Offset): void {
  let { lastOffset } = part;
  part.sizeBytes = firstBatch(part, 0, (batch) => {
    if (batch.lastOffset >= offset) return true;
    ({ lastOffset } = batch);
    return false;
  });
  part.lastOffset = lastOffset;
  part.bytes = part.bytes.subarray(0, part.sizeBytes);
}
