import { crc32c } from './crc32c';
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
import { position, readVarint, readVarlong, remaining, seek, skip, skipNullable } from './varint';

/** Length, attributes, timestamp and offset delta, key and value length, header count: a byte each. */
const RECORD_SIZE_MIN: i32 = 7;

/** A fault, or 0 when the `length` bytes at `batch` are exactly one whole batch. */
export function validateBatch(batch: usize, length: i32): i32 {
  if (length <= <i32>MAGIC) return FAULT_TRUNCATED;
  // All versions have their magic at this place, so it is judged before what only version 2 has.
  if (load<i8>(batch, MAGIC) != 2) return FAULT_MAGIC;
  if (length < HEADER_SIZE) return FAULT_TRUNCATED;
  const announced = bswap(load<i32>(batch, BATCH_LENGTH));
  if (announced < HEADER_SIZE - LENGTH_OVERHEAD || announced > length - LENGTH_OVERHEAD) return FAULT_TRUNCATED;
  if (announced < length - LENGTH_OVERHEAD) return FAULT_TRAILING;
  if (crc32c(0, batch + ATTRIBUTES, length - <i32>ATTRIBUTES) != bswap(load<u32>(batch, CRC))) return FAULT_CRC;
  const count = bswap(load<i32>(batch, RECORDS_COUNT));
  if (count < 0 || count != bswap(load<i32>(batch, LAST_OFFSET_DELTA)) + 1) return FAULT_COUNT;
  if ((bswap(load<u16>(batch, ATTRIBUTES)) & CODEC_MASK) != 0) return FAULT_NONE;
  const records = <i32>batch + HEADER_SIZE;
  const end = <i32>batch + length;
  if (count > (end - records) / RECORD_SIZE_MIN) return FAULT_COUNT;
  return walk(records, end, count);
}

/** Every record in bounds, their offset deltas 0, 1, 2 and so on, and no byte left over. */
function walk(records: i32, end: i32, count: i32): i32 {
  let next = records;
  for (let index = 0; index < count; index++) {
    if (next == end) return FAULT_COUNT;
    next = readRecord(records, next, end, SCRATCH_ROW);
    if (next < 0) return FAULT_RECORD;
    if (load<i32>(SCRATCH_ROW, ROW_OFFSET_DELTA) != index) return FAULT_RECORD;
  }
  return next == end ? FAULT_NONE : FAULT_COUNT;
}

/** Writes `count` rows at `rows` (4-aligned). @returns a fault, or 0 when `count` records fill the area. */
export function indexRecords(records: usize, length: i32, count: i32, rows: usize): i32 {
  const end = <i32>records + length;
  if (count < 0 || count > length / RECORD_SIZE_MIN) return FAULT_COUNT;
  let next = <i32>records;
  for (let index = 0; index < count; index++) {
    if (next == end) return FAULT_COUNT;
    next = readRecord(<i32>records, next, end, rows);
    if (next < 0) return FAULT_RECORD;
    rows += ROW_SIZE;
  }
  return next == end ? FAULT_NONE : FAULT_COUNT;
}

/**
 * Reads the record at `from` into `row`, positions counted from `base`.
 * @returns where the next one starts, or -1 when the record, or a part of it, runs over its bounds.
 */
function readRecord(base: i32, from: i32, end: i32, row: usize): i32 {
  seek(from, end);
  const length = readVarint();
  if (length < 0 || length > remaining()) return -1;
  const next = position() + length;
  seek(position(), next);

  skip(1); // Attributes of a record: unused.
  store<i64>(row, readVarlong(), ROW_TIMESTAMP_DELTA);
  store<i32>(row, readVarint(), ROW_OFFSET_DELTA);
  const keyLength = readVarint();
  store<i32>(row, position() - base, ROW_KEY_POSITION);
  store<i32>(row, keyLength, ROW_KEY_LENGTH);
  skipNullable(keyLength);
  const valueLength = readVarint();
  store<i32>(row, position() - base, ROW_VALUE_POSITION);
  store<i32>(row, valueLength, ROW_VALUE_LENGTH);
  skipNullable(valueLength);
  store<i32>(row, position() - base, ROW_HEADERS_POSITION);

  let headers = readVarint();
  if (headers < 0) return -1;
  for (; headers > 0 && remaining() > 0; headers--) {
    skip(readVarint());
    skipNullable(readVarint());
  }
  return headers == 0 && position() == next ? next : -1;
}
