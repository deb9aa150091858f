import type { Millis, Offset } from '../model/ids.ts';
import type { Segment } from '../ports/log-store.ts';
import { HEADER_SIZE } from '../records/header.ts';
import type { BatchHeader } from '../records/header.ts';
import type { LogConfig } from './config.ts';

const INT32_MAX = 0x7fff_ffff;
const TIME_INDEX_ENTRY_BYTES = 12;

/** What decides when the next segment starts. Ahead of the store by the appends not committed yet. */
export class ActiveSegment {
  readonly baseOffset: Offset;
  #sizeBytes = 0;
  /** Largest timestamp of its first batch, -1 while it has none. */
  #firstTimestamp: Millis = -1;

  constructor(baseOffset: Offset) {
    this.baseOffset = baseOffset;
  }

  /** The segment that takes the append at `endOffset`. */
  static before(endOffset: Offset, segments: readonly Segment[]): ActiveSegment {
    const stored = segments.findLast(({ baseOffset }) => baseOffset <= endOffset);
    if (!stored || stored.baseOffset === endOffset) return new ActiveSegment(endOffset);
    const segment = new ActiveSegment(stored.baseOffset);
    segment.#sizeBytes = stored.sizeBytes;
    segment.#firstTimestamp = stored.firstTimestamp;
    return segment;
  }

  /** Kafka's rule; age is by record time, not by the clock, and segment.jitter.ms is not looked at. */
  mustRoll(batch: BatchHeader, config: LogConfig): boolean {
    if (this.#sizeBytes === 0) return false;
    return (
      this.#sizeBytes + batch.sizeBytes > config.segmentBytes ||
      (this.#firstTimestamp >= 0 && batch.maxTimestamp - this.#firstTimestamp > config.segmentMs) ||
      this.#mostIndexEntries(config) >= config.segmentIndexBytes / TIME_INDEX_ENTRY_BYTES - 1 ||
      batch.lastOffset - this.baseOffset > INT32_MAX
    );
  }

  add(batch: BatchHeader): void {
    if (this.#sizeBytes === 0) this.#firstTimestamp = batch.maxTimestamp;
    this.#sizeBytes += batch.sizeBytes;
  }

  /** An index entry comes at most every `index.interval.bytes`, and no batch has two. */
  #mostIndexEntries(config: LogConfig): number {
    return this.#sizeBytes / Math.max(config.indexIntervalBytes, HEADER_SIZE);
  }
}
