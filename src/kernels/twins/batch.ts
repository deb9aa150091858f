import {
  ATTRIBUTES,
  BATCH_LENGTH,
  CODEC_MASK,
  CRC,
  HEADER_SIZE,
  isPossibleCount,
  LAST_OFFSET_DELTA,
  LENGTH_OVERHEAD,
  MAGIC,
  RECORDS_COUNT,
} from '../batch-layout.ts';
import { BatchFault, ROW } from '../kernels.ts';
import { Cursor } from './cursor.ts';

/** `crc32c` takes the checksum: the twin's own, or a faster one for a batch too large for WASM memory. */
export function validateBatch(bytes: Uint8Array, crc32c: (bytes: Uint8Array) => number): BatchFault {
  if (bytes.length <= MAGIC) return BatchFault.truncated;
  // All versions have their magic at this place, so it is judged before what only version 2 has.
  if (bytes[MAGIC] !== 2) return BatchFault.magic;
  if (bytes.length < HEADER_SIZE) return BatchFault.truncated;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  const size = LENGTH_OVERHEAD + view.getInt32(BATCH_LENGTH);
  if (size < HEADER_SIZE || size > bytes.length) return BatchFault.truncated;
  if (size < bytes.length) return BatchFault.trailing;
  if (crc32c(bytes.subarray(ATTRIBUTES)) !== view.getUint32(CRC)) return BatchFault.crc;
  const count = view.getInt32(RECORDS_COUNT);
  if (count < 0 || count !== view.getInt32(LAST_OFFSET_DELTA) + 1) return BatchFault.count;
  if ((view.getInt16(ATTRIBUTES) & CODEC_MASK) !== 0) return BatchFault.none;
  return walk(bytes, HEADER_SIZE, count);
}

/** Every record in bounds, their offset deltas 0, 1, 2 and so on, and no byte left over. */
function walk(bytes: Uint8Array, from: number, count: number): BatchFault {
  if (!isPossibleCount(count, bytes.length - from)) return BatchFault.count;
  const cursor = new Cursor(bytes);
  const row = new Int32Array(ROW.size);
  let next = from;
  for (let index = 0; index < count; index++) {
    if (next === bytes.length) return BatchFault.count;
    next = readRecord(cursor, next, bytes.length, row, 0);
    if (next < 0 || row[ROW.offsetDelta] !== index) return BatchFault.record;
  }
  return next === bytes.length ? BatchFault.none : BatchFault.count;
}

export function indexRecords(records: Uint8Array, count: number): Int32Array | BatchFault {
  if (!isPossibleCount(count, records.length)) return BatchFault.count;
  const cursor = new Cursor(records);
  const rows = new Int32Array(count * ROW.size);
  let next = 0;
  for (let row = 0; row < rows.length; row += ROW.size) {
    if (next === records.length) return BatchFault.count;
    next = readRecord(cursor, next, records.length, rows, row);
    if (next < 0) return BatchFault.record;
  }
  return next === records.length ? rows : BatchFault.count;
}

/**
 * Reads the record at `from` into the row at `row` of `rows`.
 * @returns where the next one starts, or -1 when the record, or a part of it, runs over its bounds.
 */
function readRecord(cursor: Cursor, from: number, end: number, rows: Int32Array, row: number): number {
  cursor.seek(from, end);
  const length = cursor.readVarint();
  if (length < 0 || length > cursor.remaining) return -1;
  const next = cursor.at + length;
  cursor.seek(cursor.at, next);

  cursor.skip(1); // Attributes of a record: unused.
  cursor.readVarlong();
  rows[row + ROW.timestampLow] = cursor.low;
  rows[row + ROW.timestampHigh] = cursor.high;
  rows[row + ROW.offsetDelta] = cursor.readVarint();
  const keyLength = cursor.readVarint();
  rows[row + ROW.keyPosition] = cursor.at;
  rows[row + ROW.keyLength] = keyLength;
  cursor.skipNullable(keyLength);
  const valueLength = cursor.readVarint();
  rows[row + ROW.valuePosition] = cursor.at;
  rows[row + ROW.valueLength] = valueLength;
  cursor.skipNullable(valueLength);
  rows[row + ROW.headersPosition] = cursor.at;

  let headers = cursor.readVarint();
  if (headers < 0) return -1;
  for (; headers > 0 && cursor.remaining > 0; headers--) {
    cursor.skip(cursor.readVarint());
    cursor.skipNullable(cursor.readVarint());
  }
  return headers === 0 && cursor.at === next ? next : -1;
}
