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
import { BatchFault, ROW, type ValidBatches } from '../kernels.ts';
import { Cursor } from './cursor.ts';

/** Takes a checksum: the twin's own, or a faster one for batches too large for WASM memory. */
type Crc32c = (bytes: Uint8Array) => number;

export function validateBatch(bytes: Uint8Array, crc32c: Crc32c): BatchFault {
  const size = sizeOfBatch(bytes);
  if (size < 0) return size as BatchFault;
  return size < bytes.length ? BatchFault.trailing : validateWhole(bytes, crc32c);
}

export function validateBatches(bytes: Uint8Array, crc32c: Crc32c): ValidBatches {
  for (let end = 0; ;) {
    if (end === bytes.length) return { end, fault: BatchFault.none };
    const size = sizeOfBatch(bytes.subarray(end));
    const fault = size < 0 ? (size as BatchFault) : validateWhole(bytes.subarray(end, end + size), crc32c);
    if (fault !== BatchFault.none) return { end, fault };
    end += size;
  }
}

export function indexBatch(bytes: Uint8Array, crc32c: Crc32c): Int32Array | BatchFault {
  const fault = validateBatch(bytes, crc32c);
  const count = fault === BatchFault.none ? plainCount(bytes) : -1;
  return count < 0 ? fault : indexRecords(bytes.subarray(HEADER_SIZE), count);
}

/** How many records a batch says it has, -1 when they are compressed. It holds at least a header. */
export function plainCount(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  return (view.getInt16(ATTRIBUTES) & CODEC_MASK) === 0 ? view.getInt32(RECORDS_COUNT) : -1;
}

/** The size of the batch that `bytes` begin with, all of it there; or a fault. */
export function sizeOfBatch(bytes: Uint8Array): number {
  if (bytes.length <= MAGIC) return BatchFault.truncated;
  // All versions have their magic at this place, so it is judged before what only version 2 has.
  if (bytes[MAGIC] !== 2) return BatchFault.magic;
  if (bytes.length < HEADER_SIZE) return BatchFault.truncated;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  const size = LENGTH_OVERHEAD + view.getInt32(BATCH_LENGTH);
  return size < HEADER_SIZE || size > bytes.length ? BatchFault.truncated : size;
}

/** What is wrong with a batch that is all there. */
function validateWhole(bytes: Uint8Array, crc32c: Crc32c): BatchFault {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
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
  const rows = emptyRows(1);
  let next = from;
  for (let index = 0; index < count; index++) {
    if (next === bytes.length) return BatchFault.count;
    next = readRecord(cursor, next, bytes.length, rows, 0);
    if (next < 0 || rows.ints[ROW.offsetDelta] !== index) return BatchFault.record;
  }
  return next === bytes.length ? BatchFault.none : BatchFault.count;
}

export function indexRecords(records: Uint8Array, count: number): Int32Array | BatchFault {
  if (!isPossibleCount(count, records.length)) return BatchFault.count;
  const cursor = new Cursor(records);
  const rows = emptyRows(count);
  let next = 0;
  for (let row = 0; row < rows.ints.length; row += ROW.size) {
    if (next === records.length) return BatchFault.count;
    next = readRecord(cursor, next, records.length, rows, row);
    if (next < 0) return BatchFault.record;
  }
  return next === records.length ? rows.ints : BatchFault.count;
}

/** The same memory twice. */
interface Rows {
  ints: Int32Array;
  doubles: Float64Array;
}

function emptyRows(count: number): Rows {
  const ints = new Int32Array(count * ROW.size);
  return { ints, doubles: new Float64Array(ints.buffer) };
}

/**
 * Reads the record at `from` into the row at `row` of `rows`.
 * @returns where the next one starts, or -1 when the record, or a part of it, runs over its bounds.
 */
function readRecord(cursor: Cursor, from: number, end: number, { ints, doubles }: Rows, row: number): number {
  cursor.seek(from, end);
  const length = cursor.readVarint();
  if (length < 0 || length > cursor.remaining) return -1;
  const next = cursor.at + length;
  cursor.seek(cursor.at, next);

  cursor.skip(1); // Attributes of a record: unused.
  cursor.readVarlong();
  doubles[(row + ROW.timestampDelta) / 2] = cursor.high * 2 ** 32 + (cursor.low >>> 0);
  ints[row + ROW.offsetDelta] = cursor.readVarint();
  const keyLength = cursor.readVarint();
  ints[row + ROW.keyPosition] = cursor.at;
  ints[row + ROW.keyLength] = keyLength;
  cursor.skipNullable(keyLength);
  const valueLength = cursor.readVarint();
  ints[row + ROW.valuePosition] = cursor.at;
  ints[row + ROW.valueLength] = valueLength;
  cursor.skipNullable(valueLength);
  ints[row + ROW.headersPosition] = cursor.at;

  let headers = cursor.readVarint();
  if (headers < 0) return -1;
  for (; headers > 0 && cursor.remaining > 0; headers--) {
    cursor.skip(cursor.readVarint());
    cursor.skipNullable(cursor.readVarint());
  }
  return headers === 0 && cursor.at === next ? next : -1;
}
