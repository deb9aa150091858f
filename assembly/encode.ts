import { crc32c } from './crc32c';
import { ATTRIBUTES, BATCH_LENGTH, CRC, HEADER_SIZE, LENGTH_OVERHEAD, SLACK } from './layout';
import { sizeOfVarint, writeVarint, writeVarlong } from './varint';

/**
 * Descriptors: i32 words, for each record these six, and for each of its headers four. A length of -1 is null. The
 * arena holds the bytes they measure, in the same order, without gaps; but a header's key or value that has been there
 * before is not there again: its position says where it was.
 */
const TIMESTAMP_DELTA: usize = 0;
const OFFSET_DELTA: usize = 8;
const KEY_LENGTH: usize = 12;
const VALUE_LENGTH: usize = 16;
const HEADER_COUNT: usize = 20;
const DESCRIPTOR_SIZE: usize = 24;
const HEADER_KEY_POSITION: usize = 0;
const HEADER_KEY_LENGTH: usize = 4;
const HEADER_VALUE_POSITION: usize = 8;
const HEADER_VALUE_LENGTH: usize = 12;
const HEADER_DESCRIPTOR_SIZE: usize = 16;

/** Most that a varint takes: an int32. */
const VARINT_SIZE_MAX: usize = 5;
/** Most that a record adds to its fields: seven varints, one of them 10 bytes, and the attributes. */
const RECORD_OVERHEAD_MAX: i32 = 36;
/** Most that a header adds to its fields: two varints. */
const HEADER_OVERHEAD_MAX: i32 = 10;
/** What they add as a rule, a header with its fields. */
const LIKELY_OVERHEAD: i32 = 8;
const LIKELY_HEADER_SIZE: i32 = 24;

/** Below this a loop of 16-byte moves beats the call that memory.copy is. */
const BULK_COPY_MIN: i32 = 512;

/**
 * Writes `count` records at `out`. Arena and out have `SLACK` bytes after their ends.
 * @param outEnd leaves room, beyond all fields, for the most that a record and a header can add to theirs.
 * @returns the address after the last record, or 0 when the descriptors do not fit their areas.
 */
export function encodeRecords(
  descriptors: usize,
  descriptorsEnd: usize,
  count: i32,
  arena: usize,
  arenaEnd: usize,
  out: usize,
  outEnd: usize,
): usize {
  const fields = arena;
  const fieldsSize = <i32>(arenaEnd - arena);
  for (; count > 0; count--) {
    if (descriptors + DESCRIPTOR_SIZE > descriptorsEnd) return 0;
    const headers = load<i32>(descriptors, HEADER_COUNT);
    if (<u32>headers > <u32>(descriptorsEnd - descriptors) / <u32>HEADER_DESCRIPTOR_SIZE) return 0;
    const next = descriptors + DESCRIPTOR_SIZE + <usize>headers * HEADER_DESCRIPTOR_SIZE;
    if (next > descriptorsEnd) return 0;
    const keyLength = load<i32>(descriptors, KEY_LENGTH);
    const valueLength = load<i32>(descriptors, VALUE_LENGTH);
    const room = <i32>(arenaEnd - arena);
    if (!fits(keyLength, room) || !fits(valueLength, room - max(keyLength, 0))) return 0;
    const size = max(keyLength, 0) + max(valueLength, 0);
    if (size + RECORD_OVERHEAD_MAX > <i32>(outEnd - out)) return 0;

    // Its length comes first but is known last: so many bytes are left for it as it takes as a rule.
    const left = sizeOfVarint(size + LIKELY_OVERHEAD + LIKELY_HEADER_SIZE * headers);
    const body = out + left;
    store<u8>(body, 0);
    let at = writeVarlong(body + 1, load<i64>(descriptors, TIMESTAMP_DELTA));
    at = writeVarint(at, load<i32>(descriptors, OFFSET_DELTA));
    at = writeBytes(at, arena, keyLength);
    at = writeBytes(at, arena + max(keyLength, 0), valueLength);
    at = writeVarint(at, headers);
    arena += size;
    const end = outEnd - (VARINT_SIZE_MAX - left);
    for (descriptors += DESCRIPTOR_SIZE; descriptors < next; descriptors += HEADER_DESCRIPTOR_SIZE) {
      const keyPosition = load<i32>(descriptors, HEADER_KEY_POSITION);
      const headerKeyLength = load<i32>(descriptors, HEADER_KEY_LENGTH);
      if (!isThere(keyPosition, headerKeyLength, fieldsSize)) return 0;
      const valuePosition = load<i32>(descriptors, HEADER_VALUE_POSITION);
      const headerValueLength = load<i32>(descriptors, HEADER_VALUE_LENGTH);
      if (!isThere(valuePosition, headerValueLength, fieldsSize)) return 0;
      const keySize = max(headerKeyLength, 0);
      const valueSize = max(headerValueLength, 0);
      if (keySize + valueSize + HEADER_OVERHEAD_MAX > <i32>(end - at)) return 0;
      at = writeBytes(at, fields + keyPosition, headerKeyLength);
      if (fields + keyPosition == arena) arena += keySize;
      at = writeBytes(at, fields + valuePosition, headerValueLength);
      if (fields + valuePosition == arena) arena += valueSize;
    }
    const length = <i32>(at - body);
    const needed = sizeOfVarint(length);
    if (needed != left) memory.copy(out + needed, body, length);
    writeVarint(out, length);
    out += needed + length;
  }
  return out;
}

/** Whether it is the length of a field, -1 for null, that so many bytes have room for. */
function fits(length: i32, room: i32): bool {
  return <u32>(length + 1) <= <u32>(room + 1);
}

function isThere(position: i32, length: i32, arenaSize: i32): bool {
  return <u32>position <= <u32>arenaSize && fits(length, arenaSize - position);
}

/**
 * Writes records after the header that TypeScript has put at `batch`, then sets its batchLength and CRC.
 * @returns the address after the batch, or 0 when the descriptors do not fit their areas.
 */
export function encodeBatch(
  descriptors: usize,
  descriptorsEnd: usize,
  count: i32,
  arena: usize,
  arenaEnd: usize,
  batch: usize,
  batchEnd: usize,
): usize {
  if (batch + HEADER_SIZE > batchEnd) return 0;
  const end = encodeRecords(descriptors, descriptorsEnd, count, arena, arenaEnd, batch + HEADER_SIZE, batchEnd);
  if (end == 0) return 0;
  store<i32>(batch, bswap(<i32>(end - batch) - LENGTH_OVERHEAD), BATCH_LENGTH);
  store<u32>(batch, bswap(crc32c(0, batch + ATTRIBUTES, <i32>(end - batch - ATTRIBUTES))), CRC);
  return end;
}

// @ts-ignore: decorator
@inline
function writeBytes(out: usize, from: usize, length: i32): usize {
  out = writeVarint(out, length);
  if (length <= 0) return out;
  copy(out, from, length);
  return out + length;
}

/** May read and write up to `SLACK - 1` bytes beyond both ranges; what it writes there is written over later. */
// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, length: i32): void {
  if (length >= BULK_COPY_MIN) {
    memory.copy(to, from, length);
    return;
  }
  const end = from + length;
  while (from < end) {
    v128.store(to, v128.load(from));
    to += SLACK;
    from += SLACK;
  }
}
