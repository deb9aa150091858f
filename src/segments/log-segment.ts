import { invariant } from '../model/assert.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type { Segment } from '../ports/log-store.ts';
import { IndexFile } from './index-file.ts';
import type { IndexParts } from './index-file.ts';
import { segmentFile } from './layout.ts';
import { Unchecked } from './unchecked.ts';

/** Offsets within a segment and positions in its file fit the entries of its indexes. */
export const INT32_MAX = 0x7fff_ffff;

/** Where a batch lies, and what an index wants to know of it. */
export interface BatchPlace {
  baseOffset: Offset;
  lastOffset: Offset;
  maxTimestamp: Millis;
  sizeBytes: number;
}

/** One segment: what its three files hold or will hold once what waits is written. */
export class LogSegment implements Segment {
  readonly baseOffset: Offset;
  readonly path: string;
  /** Last offset of a batch, relative, to the position where that batch starts. */
  readonly offsets: IndexFile;
  /** Largest timestamp so far to the last offset, relative, of the batch that has it. */
  readonly times: IndexFile;
  nextOffset: Offset;
  sizeBytes = 0;
  unchecked = Unchecked.nothing;
  maxTimestamp: Millis = -1;
  firstTimestamp: Millis = -1;
  #offsetOfMaxTimestamp: Offset;
  #bytesSinceEntry = 0;
  readonly #indexIntervalBytes: number;

  constructor(
    directory: string,
    baseOffset: Offset,
    { indexIntervalBytes, ...parts }: IndexParts & { indexIntervalBytes: number },
    suffix = '',
  ) {
    this.baseOffset = baseOffset;
    this.nextOffset = baseOffset;
    this.#offsetOfMaxTimestamp = baseOffset;
    this.path = `${directory}/${segmentFile(baseOffset, 'log')}${suffix}`;
    const index = `${directory}/${segmentFile(baseOffset, 'index')}${suffix}`;
    const timeIndex = `${directory}/${segmentFile(baseOffset, 'timeindex')}${suffix}`;
    this.offsets = new IndexFile(index, 8, parts);
    this.times = new IndexFile(timeIndex, 12, parts);
    this.#indexIntervalBytes = indexIntervalBytes;
  }

  get paths(): string[] {
    return [this.path, this.offsets.path, this.times.path];
  }

  /** Whether a batch still goes in: its offset and position must fit the index's int32. */
  takes({ lastOffset, sizeBytes }: BatchPlace): boolean {
    if (this.sizeBytes === 0) return true;
    return lastOffset - this.baseOffset <= INT32_MAX && this.sizeBytes + sizeBytes <= INT32_MAX;
  }

  /** Puts a batch at the end. @returns its position. */
  append(batch: BatchPlace): number {
    invariant(batch.baseOffset >= this.nextOffset, 'appends go to the end of a log');
    const position = this.sizeBytes;
    if (position === 0) this.firstTimestamp = batch.maxTimestamp;
    this.nextOffset = batch.lastOffset + 1;
    this.sizeBytes += batch.sizeBytes;
    if (batch.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = batch.maxTimestamp;
      this.#offsetOfMaxTimestamp = batch.lastOffset;
    }
    if (this.#bytesSinceEntry > this.#indexIntervalBytes) {
      this.offsets.append({ key: batch.lastOffset - this.baseOffset, value: position });
      this.#addTime();
      this.#bytesSinceEntry = 0;
    }
    this.#bytesSinceEntry += batch.sizeBytes;
    return position;
  }

  /** No more batches come: the last time entry now tells the segment's largest timestamp, which Kafka goes by. */
  close(nextOffset: Offset): void {
    this.nextOffset = nextOffset;
    this.#addTime();
  }

  /**
   * Goes back to the batch at `position`: the one its last offset entry is about, the start, or the end of a closed
   * segment. Batches from there on are to be appended anew; time entries after it are gone already.
   */
  rewind(to: { position: number; nextOffset: Offset; firstTimestamp: Millis }): void {
    const lastTime = this.times.last;
    this.sizeBytes = to.position;
    this.nextOffset = to.nextOffset;
    this.firstTimestamp = to.position === 0 ? -1 : to.firstTimestamp;
    this.maxTimestamp = lastTime?.key ?? -1;
    this.#offsetOfMaxTimestamp = this.baseOffset + (lastTime?.value ?? 0);
    this.#bytesSinceEntry = 0;
  }

  #addTime(): void {
    const last = this.times.last;
    const value = this.#offsetOfMaxTimestamp - this.baseOffset;
    if (this.maxTimestamp > (last?.key ?? -1) && value > (last?.value ?? -1))
      this.times.append({ key: this.maxTimestamp, value });
  }
}
