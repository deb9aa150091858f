import { invariant } from '../../model/assert.ts';
import type { Millis, Offset } from '../../model/ids.ts';
import { BatchHeader, HEADER_SIZE } from '../../records/header.ts';

/**
 * What is known of a row without its bytes. A row is batches of one log and one segment, one behind the other, at the
 * key `[log, baseOffset]`.
 */
export interface Row {
  readonly baseOffset: Offset;
  /** Inclusive. */
  lastOffset: Offset;
  sizeBytes: number;
  maxTimestamp: Millis;
  /** Max timestamp of the first batch. */
  readonly firstTimestamp: Millis;
  /** Its transaction is complete. */
  isWritten: boolean;
}

/** One batch as the caller of a commit describes it. */
export interface Batch {
  baseOffset: Offset;
  lastOffset: Offset;
  maxTimestamp: Millis;
  bytes: Uint8Array;
}

/** A row that begins with `batch`. */
export function startRow({ baseOffset, lastOffset, maxTimestamp, bytes }: Batch): Row {
  return {
    baseOffset,
    lastOffset,
    sizeBytes: bytes.length,
    maxTimestamp,
    firstTimestamp: maxTimestamp,
    isWritten: false,
  };
}

/** Takes one more batch into `row`. */
export function extendRow(row: Row, { lastOffset, maxTimestamp, bytes }: Batch): void {
  row.lastOffset = lastOffset;
  row.sizeBytes += bytes.length;
  row.maxTimestamp = Math.max(row.maxTimestamp, maxTimestamp);
}

/**
 * What `bytes`, a row's content, say of it: the batches with a last offset below `endOffset` count.
 * @returns undefined when these are no batches, or none of them counts.
 */
export function describeRow(bytes: Uint8Array, endOffset: Offset = Infinity): Row | undefined {
  let row: Row | undefined;
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < HEADER_SIZE) return undefined;
    const header = new BatchHeader(bytes, at);
    const { sizeBytes, baseOffset, lastOffset, maxTimestamp, magic } = header;
    const follows = baseOffset > (row?.lastOffset ?? -1) && lastOffset >= baseOffset;
    if (magic !== 2 || sizeBytes < HEADER_SIZE || sizeBytes > bytes.length - at || !follows) return undefined;
    if (lastOffset >= endOffset) break;
    const batch = { baseOffset, lastOffset, maxTimestamp, bytes: header.bytes };
    if (row) extendRow(row, batch);
    else row = startRow(batch);
    at += sizeBytes;
  }
  return row;
}

/** Numbers a row in a page of the index. */
const COLUMNS = 5;

/**
 * Rows as the index keeps them, a page a value: the last offset of the row before the first one (-1 when there is
 * none), then five numbers a row.
 */
export function packIndex(rows: readonly Row[], lastOffsetBefore: Offset): Float64Array<ArrayBuffer> {
  const page = new Float64Array(1 + COLUMNS * rows.length);
  page[0] = lastOffsetBefore;
  for (const [number, row] of rows.entries()) {
    invariant(row.isWritten, 'the index speaks of rows that are there');
    const { baseOffset, lastOffset, sizeBytes, maxTimestamp, firstTimestamp } = row;
    page.set([baseOffset, lastOffset, sizeBytes, maxTimestamp, firstTimestamp], 1 + COLUMNS * number);
  }
  return page;
}

/** The rows that `pages` speak of, in order. @returns undefined when they do not fit each other. */
export function unpackIndex(pages: readonly Float64Array[]): Row[] | undefined {
  const rows: Row[] = [];
  for (const page of pages) {
    const before = rows.at(-1);
    if (page.length % COLUMNS !== 1 || (before && page[0] !== before.lastOffset)) return undefined;
    for (let at = 1; at < page.length; at += COLUMNS) {
      const numbers = page.subarray(at, at + COLUMNS);
      const [baseOffset = -1, lastOffset = -1, sizeBytes = 0, maxTimestamp = -1, firstTimestamp = -1] =
        numbers;
      if (baseOffset <= (rows.at(-1)?.lastOffset ?? -1) || lastOffset < baseOffset) return undefined;
      rows.push({ baseOffset, lastOffset, sizeBytes, maxTimestamp, firstTimestamp, isWritten: true });
    }
  }
  return rows;
}
