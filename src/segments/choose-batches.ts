import type { Offset } from '../model/ids.ts';
import type { ReadRange } from '../ports/log-store.ts';
import { BatchHeader, HEADER_SIZE } from '../records/header.ts';

/** Batches at `start` up to `end` are what was asked for. */
export interface Chosen {
  type: 'batches';
  start: number;
  end: number;
  /** Follows the last one. */
  nextOffset: Offset;
}

export type Choice =
  | Chosen
  /** The next batch is not to be returned. */
  | { type: 'end' }
  /** The batches up to `skippedBytes` are before the range, and the next needs so many bytes to be read. */
  | { type: 'more'; skippedBytes: number; neededBytes: number };

/**
 * Cuts what a reader gets out of `bytes`, which start with a batch; `availableBytes` is how many there would be in
 * the file. @returns undefined when the first that is wanted, or one before it, is no batch.
 */
export function chooseBatches(
  bytes: Uint8Array,
  availableBytes: number,
  { fromOffset, endOffset, maxBytes }: ReadRange,
): Choice | undefined {
  const header = new BatchHeader(bytes);
  let start = -1;
  let end = 0;
  let nextOffset = fromOffset;
  let position = 0;
  let before = fromOffset;
  let lastBefore = -1;
  while (bytes.length - end >= HEADER_SIZE) {
    const { sizeBytes, baseOffset, lastOffset } = header.seek(end);
    const isBatch =
      sizeBytes >= HEADER_SIZE &&
      sizeBytes <= availableBytes - end &&
      header.magic === 2 &&
      lastOffset >= baseOffset;
    // Of two batches that both claim an offset nobody knows yet which one lies.
    const isDisputed = baseOffset <= lastBefore;
    if (!isBatch || isDisputed) {
      const trusted = isDisputed ? position : end;
      if (start < 0 || trusted <= start) return undefined;
      return { type: 'batches', start, end: trusted, nextOffset: isDisputed ? before : nextOffset };
    }
    if (start < 0 && lastOffset >= fromOffset) {
      if (lastOffset >= endOffset) return { type: 'end' };
      if (end + sizeBytes > bytes.length) return { type: 'more', skippedBytes: end, neededBytes: sizeBytes };
      start = end;
    } else if (start >= 0) {
      const fits = end + sizeBytes <= bytes.length && end + sizeBytes - start <= maxBytes;
      if (!fits || lastOffset >= endOffset) break;
    }
    position = end;
    before = nextOffset;
    lastBefore = lastOffset;
    end += sizeBytes;
    nextOffset = lastOffset + 1;
    if (end > bytes.length) break;
  }
  if (start >= 0) return { type: 'batches', start, end, nextOffset };
  const left = availableBytes - end;
  if (left > 0 && left < HEADER_SIZE) return undefined;
  return { type: 'more', skippedBytes: end, neededBytes: HEADER_SIZE };
}
