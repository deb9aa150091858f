import type { LeaderEpoch, Offset } from '../model/ids.ts';
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
 * A way from batch to batch. Base offset, length and leader epoch have no checksum: a batch is vouched for by the next
 * one or the one before, where no offset lies in between and the epoch is the same.
 */
export class Walk {
  #nextOffset: Offset | undefined;
  #epoch: LeaderEpoch | undefined;
  #steps = 0;
  #isDoubtful = false;

  /** @param nextOffset where the first batch should begin; undefined when nobody knows. */
  constructor(nextOffset?: Offset) {
    this.#nextOffset = nextOffset;
  }

  step({ baseOffset, lastOffset, partitionLeaderEpoch }: BatchHeader): void {
    const joins = baseOffset === (this.#nextOffset ?? baseOffset);
    if (!joins || partitionLeaderEpoch !== (this.#epoch ?? partitionLeaderEpoch)) this.doubt();
    this.#nextOffset = lastOffset + 1;
    this.#epoch = partitionLeaderEpoch;
    this.#steps++;
  }

  /** There are no more batches, and they should end there. */
  ends(nextOffset: Offset): void {
    if (this.#steps > 0 && this.#nextOffset !== nextOffset) this.doubt();
  }

  doubt(): void {
    this.#isDoubtful = true;
  }

  /** Whether all it has come by is vouched for. One batch alone has nobody. */
  get isSure(): boolean {
    return !this.#isDoubtful && this.#steps !== 1;
  }
}

/**
 * Cuts what a reader gets out of `bytes`, which start with a batch; `availableBytes` is how many there would be in
 * the file. @param walk has come to where they start. @returns undefined when the first that is wanted, or one before
 * it, is no batch.
 */
export function chooseBatches(
  bytes: Uint8Array,
  availableBytes: number,
  { fromOffset, endOffset, maxBytes }: ReadRange,
  walk = new Walk(),
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
      walk.doubt();
      const trusted = isDisputed ? position : end;
      if (start < 0 || trusted <= start) return undefined;
      return { type: 'batches', start, end: trusted, nextOffset: isDisputed ? before : nextOffset };
    }
    const isFirst = start < 0 && lastOffset >= fromOffset;
    if (isFirst && lastOffset < endOffset && end + sizeBytes > bytes.length)
      return { type: 'more', skippedBytes: end, neededBytes: sizeBytes };
    walk.step(header);
    if (isFirst) {
      if (lastOffset >= endOffset) return { type: 'end' };
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
  const left = availableBytes - end;
  const isShort = left > 0 && left < HEADER_SIZE;
  if (isShort) walk.doubt();
  if (start >= 0) return { type: 'batches', start, end, nextOffset };
  if (isShort) return undefined;
  return { type: 'more', skippedBytes: end, neededBytes: HEADER_SIZE };
}
