import { at } from '../model/assert.ts';
import type { Offset } from '../model/ids.ts';
import type { AbortedIndex } from './aborted-index.ts';
import type { LogSegment } from './log-segment.ts';
import type { LogTail } from './tail.ts';
import type { PlacedBatch, SegmentPart } from './tail-part.ts';

/** What a log that is ready holds, the writes that wait included. Below `tail.first` all is written. */
export class LogState {
  /** Ascending, never empty; the last one is active. */
  segments: LogSegment[];
  readonly tail: LogTail<SegmentPart>;
  readonly aborted: AbortedIndex;
  logStartOffset: Offset;
  /** Changes whenever what was there may be gone: a read that began before is made again. */
  generation = 0;
  /** While files are put in the place of others; who reads files waits. */
  swapping: Promise<void> | undefined;
  /** Dropped, or given up: who still reads finds nothing. */
  isGone = false;

  constructor(
    segments: LogSegment[],
    { tail, aborted }: { tail: LogTail<SegmentPart>; aborted: AbortedIndex },
    logStartOffset: Offset,
  ) {
    this.segments = segments;
    this.tail = tail;
    this.aborted = aborted;
    this.logStartOffset = Math.max(logStartOffset, at(segments, 0).baseOffset);
  }

  get active(): LogSegment {
    return at(this.segments, this.segments.length - 1);
  }

  /** Never below the log start, which may have been moved beyond the last batch. */
  get logEndOffset(): Offset {
    return Math.max(this.active.nextOffset, this.logStartOffset);
  }

  /** Puts a batch of the active segment into the tail. @returns the part it is in. */
  keep(batch: PlacedBatch): SegmentPart {
    const { tail } = this;
    const joined = tail.last?.segment === batch.segment ? tail.join(batch) : undefined;
    if (joined !== undefined) return joined;
    const part = { ...batch, bytes: tail.keepable(batch.bytes), sizeBytes: batch.bytes.length, unwritten: 1 };
    tail.push(part);
    return part;
  }

  /** Number of the segment that holds `offset`, or of the first one. */
  segmentOf(offset: Offset): number {
    return Math.max(
      this.segments.findLastIndex(({ baseOffset }) => baseOffset <= offset),
      0,
    );
  }
}
