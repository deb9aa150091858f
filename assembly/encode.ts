import { crc32c } from './crc32c';
import { ATTRIBUTES, BATCH_LENGTH, CRC, HEADER_SIZE, LENGTH_OVERHEAD, SLACK } from './layout';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint';

/**
 * Descriptors: i32 words, for each record these six, and for each of its headers three. A length of -1 is null. The
 * arena holds the bytes they measure, in the same order, without gaps; but a header's key that has been there before
 * is not there again: its position says where it was.
 */
const TIMESTAMP_DELTA: usize = 0;
const OFFSET_DELTA: usize = 8;
const KEY_LENGTH: usize = 12;
const VALUE_LENGTH: usize = 16;
const HEADER_COUNT: usize = 20;
const DESCRIPTOR_SIZE: usize = 24;
const HEADER_KEY_POSITION: usize = 0;
const HEADER_KEY_LENGTH: usize = 4;
const HEADER_VALUE_LENGTH: usize = 8;
const HEADER_DESCRIPTOR_SIZE: usize = 12;

/** Below this a loop of 16-byte moves beats the call that memory.copy is. */
const BULK_COPY_MIN: i32 = 512;

/**
 * Writes `count` records at `out`. Arena and out have `SLACK` bytes after their ends.
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
  const keys = arena;
  const keysSize = <i64>(arenaEnd - arena);
  for (; count > 0; count--) {
    if (descriptors + DESCRIPTOR_SIZE > descriptorsEnd) return 0;
    const headers = load<i32>(descriptors, HEADER_COUNT);
    if (<u32>headers > <u32>(descriptorsEnd - descriptors) / <u32>HEADER_DESCRIPTOR_SIZE) return 0;
    const next = descriptors + DESCRIPTOR_SIZE + <usize>headers * HEADER_DESCRIPTOR_SIZE;
    if (next > descriptorsEnd) return 0;
    const size = sizeOfRecord(descriptors, next, <i64>(arena - keys), keysSize);
    if (size < 0 || 5 + size > <i64>(outEnd - out)) return 0;

    out = writeVarint(out, <i32>size);
    store<u8>(out++, 0);
    out = writeVarlong(out, load<i64>(descriptors, TIMESTAMP_DELTA));
    out = writeVarint(out, load<i32>(descriptors, OFFSET_DELTA));
    let length = load<i32>(descriptors, KEY_LENGTH);
    out = writeBytes(out, arena, length);
    arena += max(length, 0);
    length = load<i32>(descriptors, VALUE_LENGTH);
    out = writeBytes(out, arena, length);
    arena += max(length, 0);
    out = writeVarint(out, headers);
    for (descriptors += DESCRIPTOR_SIZE; descriptors < next; descriptors += HEADER_DESCRIPTOR_SIZE) {
      const key = keys + load<u32>(descriptors, HEADER_KEY_POSITION);
      length = load<i32>(descriptors, HEADER_KEY_LENGTH);
      out = writeBytes(out, key, length);
      if (key == arena) arena += max(length, 0);
      length = load<i32>(descriptors, HEADER_VALUE_LENGTH);
      out = writeBytes(out, arena, length);
      arena += max(length, 0);
    }
  }
  return out;
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

/**
 * Bytes of a record after its length, -1 when it asks for more than the arena has, whose next byte is at `position`.
 * With 64 bits nothing overflows, not even the size of keys: one can be pointed at by all headers there are.
 */
// @ts-ignore: decorator
@inline
function sizeOfRecord(descriptor: usize, next: usize, position: i64, arenaSize: i64): i64 {
  const keyLength = load<i32>(descriptor, KEY_LENGTH);
  const valueLength = load<i32>(descriptor, VALUE_LENGTH);
  let least = min(keyLength, valueLength);
  position += <i64>max(keyLength, 0) + <i64>max(valueLength, 0);
  let size: i64 =
    1 +
    sizeOfVarlong(load<i64>(descriptor, TIMESTAMP_DELTA)) +
    sizeOfVarint(load<i32>(descriptor, OFFSET_DELTA)) +
    sizeOfBytes(keyLength) +
    sizeOfBytes(valueLength) +
    sizeOfVarint(load<i32>(descriptor, HEADER_COUNT));
  for (let header = descriptor + DESCRIPTOR_SIZE; header < next; header += HEADER_DESCRIPTOR_SIZE) {
    const keyPosition = <i64>load<u32>(header, HEADER_KEY_POSITION);
    const headerKeyLength = load<i32>(header, HEADER_KEY_LENGTH);
    const headerValueLength = load<i32>(header, HEADER_VALUE_LENGTH);
    least = min(least, min(headerKeyLength, headerValueLength));
    const keyEnd = keyPosition + <i64>max(headerKeyLength, 0);
    if (keyEnd > arenaSize) return -1;
    if (keyPosition == position) position = keyEnd;
    position += <i64>max(headerValueLength, 0);
    size += sizeOfBytes(headerKeyLength) + sizeOfBytes(headerValueLength);
  }
  return least < -1 || position > arenaSize ? -1 : size;
}

// @ts-ignore: decorator
@inline
function sizeOfBytes(length: i32): i64 {
  return <i64>sizeOfVarint(length) + <i64>max(length, 0);
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
