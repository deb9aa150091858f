import { at, invariant } from '../../model/assert.ts';
import type { LogKey, Millis, Offset } from '../../model/ids.ts';
import { firstReaching } from '../../model/search.ts';
import type { LogExtent, LogName, ReadRange, Segment } from '../../ports/log-store.ts';
import type { LogTail } from '../../segments/tail.ts';
import { AbortedValues } from './aborted-values.ts';
import type { LogRecord } from './database.ts';
import { type Batch, extendRow, type Row } from './row.ts';

/** What a log that is open holds, the writes that wait included. Of bytes only the newest are here, in its tail. */
export class LogState {
  readonly name: LogName;
  readonly tail: LogTail;
  readonly aborted: AbortedValues;
  /** Ascending. */
  rows: Row[];
  /** Where its segments begin, ascending, never empty; no row reaches over one. */
  segmentBases: Offset[];
  logStartOffset: Offset;
  logEndOffset: Offset;
  /** Changes whenever what was there may be gone: a read that began before is made again. */
  generation = 0;
  /** How often batches went, but for those that were replaced. */
  cuts = 0;
  /** Dropped, or given up: who still reads finds nothing. */
  isGone = false;

  constructor(record: LogRecord, rows: Row[], tail: LogTail) {
    const { logStartOffset, segmentBases, ...name } = record;
    this.name = name;
    this.rows = rows;
    this.tail = tail;
    this.aborted = new AbortedValues(name.log);
    this.logStartOffset = logStartOffset;
    this.logEndOffset = Math.max((rows.at(-1)?.lastOffset ?? -1) + 1, logStartOffset);
    this.segmentBases = segmentBases.filter((base, number) => number === 0 || base <= this.logEndOffset);
  }

  get extent(): LogExtent {
    const { logStartOffset, logEndOffset } = this;
    return { logStartOffset, logEndOffset };
  }

  get record(): LogRecord {
    const { name, logStartOffset, segmentBases } = this;
    return { ...name, logStartOffset, segmentBases: segmentBases.slice() };
  }

  get key(): LogKey {
    return this.name.log;
  }

  /** Number of the row that holds `offset`, or of the next one. */
  floor(offset: Offset): number {
    return firstReaching(this.rows, offset);
  }

  /** The rows to fetch for `range`, none that begins in the tail. What of the first one counts is not known before. */
  rowsFor({ fromOffset, endOffset, maxBytes }: ReadRange): Row[] {
    const start = this.floor(fromOffset);
    const tailOffset = this.tail.first?.baseOffset ?? Infinity;
    let end = start;
    for (let sizeBytes = 0; end < this.rows.length; end++) {
      const row = at(this.rows, end);
      const isWanted = end === start || (sizeBytes < maxBytes && row.baseOffset < endOffset);
      if (!isWanted || row.baseOffset >= tailOffset) break;
      if (end > start) sizeBytes += row.sizeBytes;
    }
    return this.rows.slice(start, end);
  }

  segments(): Segment[] {
    let number = 0;
    return this.segmentBases.map((baseOffset, segment) => {
      const nextOffset = this.segmentBases[segment + 1] ?? this.logEndOffset;
      const sum = { baseOffset, nextOffset, sizeBytes: 0, maxTimestamp: -1, firstTimestamp: -1 };
      for (; number < this.rows.length && at(this.rows, number).baseOffset < nextOffset; number++) {
        const row = at(this.rows, number);
        if (sum.sizeBytes === 0) sum.firstTimestamp = row.firstTimestamp;
        sum.sizeBytes += row.sizeBytes;
        sum.maxTimestamp = Math.max(sum.maxTimestamp, row.maxTimestamp);
      }
      return sum;
    });
  }

  /** The first row at or after `fromOffset` with a record of that time or later. */
  rowReaching(timestamp: Millis, fromOffset: Offset): Row | undefined {
    for (let number = this.floor(fromOffset); number < this.rows.length; number++) {
      const row = at(this.rows, number);
      if (row.maxTimestamp >= timestamp) return row;
    }
    return undefined;
  }

  /** Takes one more batch into the last row. */
  extend(row: Row, batch: Batch): void {
    invariant(batch.baseOffset >= this.logEndOffset, 'appends go to the end of a log');
    extendRow(row, batch);
    this.logEndOffset = row.lastOffset + 1;
  }

  push(row: Row): void {
    invariant(row.baseOffset >= this.logEndOffset, 'appends go to the end of a log');
    this.rows.push(row);
    this.logEndOffset = row.lastOffset + 1;
  }

  /** @returns whether there is a new segment now: an empty one is not rolled. */
  roll(): boolean {
    if (this.segmentBases.at(-1) === this.logEndOffset) return false;
    this.segmentBases.push(this.logEndOffset);
    return true;
  }

  /** Moves the start; segments wholly below it go. @returns whether rows went with them. */
  trim(beforeOffset: Offset): boolean {
    this.logStartOffset = beforeOffset;
    this.logEndOffset = Math.max(this.logEndOffset, beforeOffset);
    const oldest = this.segmentBases.findLastIndex((base) => base <= beforeOffset);
    this.segmentBases.splice(0, Math.max(oldest, 0));
    const kept = this.rows.findIndex(({ baseOffset }) => baseOffset >= at(this.segmentBases, 0));
    const gone = this.rows.splice(0, kept < 0 ? this.rows.length : kept);
    this.tail.dropBelow(at(this.segmentBases, 0));
    if (gone.length > 0) this.generation++;
    if (oldest > 0) this.cuts++;
    return gone.length > 0;
  }

  /** Drops the rows from number `first` on and puts what is `kept` of that one in its place. */
  cut(first: number, kept: Row | undefined): void {
    const { baseOffset } = at(this.rows, first);
    this.rows.length = first;
    if (kept) this.rows.push(kept);
    const endOffset = (this.rows.at(-1)?.lastOffset ?? -1) + 1;
    this.logEndOffset = Math.max(endOffset, this.logStartOffset);
    this.tail.cutFrom(kept ? endOffset : baseOffset);
    this.segmentBases = this.segmentBases.filter((base, number) => number === 0 || base <= this.logEndOffset);
    this.generation++;
    this.cuts++;
  }

  /** Puts `kept` in the place of a row, or nothing. */
  replace(row: Row, kept: Row | undefined): void {
    this.rows.splice(this.rows.indexOf(row), 1, ...(kept ? [kept] : []));
    this.tail.dropBelow(row.lastOffset + 1);
    this.generation++;
  }
}
