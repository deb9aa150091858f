import { crc32cSpent } from './crc32c';
import {
  ATTRIBUTES,
  BATCH_LENGTH,
  CODEC_MASK,
  CRC,
  FAULT_COUNT,
  FAULT_CRC,
  FAULT_MAGIC,
  FAULT_NONE,
  FAULT_RECORD,
  FAULT_TRAILING,
  FAULT_TRUNCATED,
  HEADER_SIZE,
  LAST_OFFSET_DELTA,
  LENGTH_OVERHEAD,
  MAGIC,
  RECORDS_COUNT,
  ROW_HEADERS_POSITION,
  ROW_KEY_LENGTH,
  ROW_KEY_POSITION,
  ROW_OFFSET_DELTA,
  ROW_SIZE,
  ROW_TIMESTAMP_DELTA,
  ROW_VALUE_LENGTH,
  ROW_VALUE_POSITION,
  SCRATCH_ROW,
} from './layout';
import { copyVarint, copyVarlong, readVarint, varint } from './varint';

/** Length, attributes, timestamp and offset delta, key and value length, header count: a byte each. */
const RECORD_SIZE_MIN: i32 = 7;

/**
 * A fault, or 0 when the `length` bytes at `batch` are exactly one whole batch. Whatever looks at a checksum spends the
 * bytes.
 */
export function validateBatch(batch: usize, length: i32): i32 {
  const size = sizeOfBatch(batch, length);
  if (size < 0) return size;
  return size < length ? FAULT_TRAILING : validateWhole(batch, size, SCRATCH_ROW, 0);
}

/** The same, and a row for each of its records at `rows` (4-aligned), when they are not compressed. */
export function indexBatch(batch: usize, length: i32, rows: usize): i32 {
  const size = sizeOfBatch(batch, length);
  if (size < 0) return size;
  return size < length ? FAULT_TRAILING : validateWhole(batch, size, rows, ROW_SIZE);
}

/**
 * Batch after batch of the `length` bytes at `batches`, less than 2^28.
 * @returns how many bytes are whole, good batches, times 8; plus what is wrong with the next one, sign turned.
 */
export function validateBatches(batches: usize, length: i32): i32 {
  let good = 0;
  while (good < length) {
    const size = sizeOfBatch(batches + good, length - good);
    const fault = size < 0 ? size : validateWhole(batches + good, size, SCRATCH_ROW, 0);
    if (fault != FAULT_NONE) return (good << 3) - fault;
    good += size;
  }
  return good << 3;
}

/** The size of the batch that the `length` bytes begin with, all of it there; or a fault. */
function sizeOfBatch(batch: usize, length: i32): i32 {
  if (length <= <i32>MAGIC) return FAULT_TRUNCATED;
  // All versions have their magic at this place, so it is judged before what only version 2 has.
  if (load<i8>(batch, MAGIC) != 2) return FAULT_MAGIC;
  if (length < HEADER_SIZE) return FAULT_TRUNCATED;
  const announced = bswap(load<i32>(batch, BATCH_LENGTH));
  if (announced < HEADER_SIZE - LENGTH_OVERHEAD || announced > length - LENGTH_OVERHEAD) return FAULT_TRUNCATED;
  return announced + LENGTH_OVERHEAD;
}

/** A fault, or 0 when what the `size` bytes at `batch` say of themselves is true. Rows are `rowStep` apart. */
function validateWhole(batch: usize, size: i32, row: usize, rowStep: usize): i32 {
  const crc = bswap(load<u32>(batch, CRC));
  // First, since the checksum spends the bytes; but a batch that has changed is told as such, whatever it looks like.
  const fault = walkWhole(batch, size, row, rowStep);
  return crc32cSpent(0, batch + ATTRIBUTES, size - <i32>ATTRIBUTES) == crc ? fault : FAULT_CRC;
}

function walkWhole(batch: usize, size: i32, row: usize, rowStep: usize): i32 {
  const count = bswap(load<i32>(batch, RECORDS_COUNT));
  if (count < 0 || count != bswap(load<i32>(batch, LAST_OFFSET_DELTA)) + 1) return FAULT_COUNT;
  if ((bswap(load<u16>(batch, ATTRIBUTES)) & CODEC_MASK) != 0) return FAULT_NONE;
  const records = <i32>batch + HEADER_SIZE;
  const end = <i32>batch + size;
  if (count > (end - records) / RECORD_SIZE_MIN) return FAULT_COUNT;
  return walk(records, end, count, row, rowStep, true);
}

/** Writes `count` rows at `rows` (4-aligned). @returns a fault, or 0 when `count` records fill the area. */
export function indexRecords(records: usize, length: i32, count: i32, rows: usize): i32 {
  if (count < 0 || count > length / RECORD_SIZE_MIN) return FAULT_COUNT;
  return walk(<i32>records, <i32>records + length, count, rows, ROW_SIZE, false);
}

/** Every record in bounds, no byte left over, and, if they are `counted`, their offset deltas 0, 1, 2 and so on. */
function walk(records: i32, end: i32, count: i32, row: usize, rowStep: usize, counted: bool): i32 {
  let next = records;
  for (let index = 0; index < count; index++) {
    if (next == end) return FAULT_COUNT;
    const at = readVarint(next, end);
    if (varint < 0) return FAULT_RECORD;
    next = at + varint;
    if (<u32>next > <u32>end) return FAULT_RECORD;
    if (!readRecord(records, at, next, row)) return FAULT_RECORD;
    if (counted && load<i32>(row, ROW_OFFSET_DELTA) != index) return FAULT_RECORD;
    row += rowStep;
  }
  return next == end ? FAULT_NONE : FAULT_COUNT;
}

/**
 * Reads the record whose bytes after its length are [at, end) into `row`, positions counted from `base`. Where the
 * next one starts its length has said: so a CPU can read several at once. Between two looks at the end it reads 9 bytes
 * at most.
 * @returns whether all parts of it are in its bounds, and fill them.
 */
function readRecord(base: i32, at: i32, end: i32, row: usize): bool {
  at = copyVarlong(at + 1, end, row + ROW_TIMESTAMP_DELTA); // After the attributes of a record: unused.
  at = copyVarint(at, end, row + ROW_OFFSET_DELTA);
  at = copyVarint(at, end, row + ROW_KEY_LENGTH);
  store<i32>(row, at - base, ROW_KEY_POSITION);
  let length = load<i32>(row, ROW_KEY_LENGTH);
  if (length >= 0) at += length;
  else if (length != -1) return false;
  if (<u32>at > <u32>end) return false;

  at = copyVarint(at, end, row + ROW_VALUE_LENGTH);
  store<i32>(row, at - base, ROW_VALUE_POSITION);
  length = load<i32>(row, ROW_VALUE_LENGTH);
  if (length >= 0) at += length;
  else if (length != -1) return false;
  if (<u32>at > <u32>end) return false;
  store<i32>(row, at - base, ROW_HEADERS_POSITION);

  at = readVarint(at, end);
  let headers = varint;
  if (headers < 0) return false;
  for (; headers > 0; headers--) {
    at = readVarint(at, end);
    if (varint < 0) return false;
    at += varint;
    if (<u32>at > <u32>end) return false;
    at = readVarint(at, end);
    if (varint >= 0) at += varint;
    else if (varint != -1) return false;
    if (<u32>at > <u32>end) return false;
  }
  return at == end;
}
