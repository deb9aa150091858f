import { crc32c } from './crc32c';
import { ATTRIBUTES, BATCH_LENGTH, CRC, HEADER_SIZE, LENGTH_OVERHEAD, SLACK } from './layout';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint';

/**
 * Descriptors: i32 words, for each record these six and then two (key length, value length) for each header.
 * A length of -1 is null. The arena holds the bytes they measure, in the same order, without gaps.
 */
const TIMESTAMP_DELTA: usize = 0;
const OFFSET_DELTA: usize = 8;
const KEY_LENGTH: usize = 12;
const VALUE_LENGTH: usize = 16;
const HEADER_COUNT: usize = 20;
const DESCRIPTOR_SIZE: usize = 24;
const HEADER_VALUE_LENGTH: usize = 4;
const HEADER_DESCRIPTOR_SIZE: usize = 8;

/** Below this a loop of 16-byte moves beats the call that memory.copy is. */
const BULK_COPY_MIN: i32 = 512;

/** Arena bytes the record being sized takes; -1 once a descriptor asks for more than there are. */
let arenaLeft: i32 = 0;

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
  for (; count > 0; count--) {
    if (descriptors + DESCRIPTOR_SIZE > descriptorsEnd) return 0;
    arenaLeft = <i32>(arenaEnd - arena);
    const headers = load<i32>(descriptors, HEADER_COUNT);
    if (<u32>headers > <u32>(descriptorsEnd - descriptors) / <u32>HEADER_DESCRIPTOR_SIZE) return 0;
    const next = descriptors + DESCRIPTOR_SIZE + <usize>headers * HEADER_DESCRIPTOR_SIZE;
    if (next > descriptorsEnd) return 0;
    const size = sizeOfRecord(descriptors, next);
    if (arenaLeft < 0 || sizeOfVarint(size) + size > <i32>(outEnd - out)) return 0;

    out = writeVarint(out, size);
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
    for (descriptors += DESCRIPTOR_SIZE; descriptors < next; descriptors += 4) {
      length = load<i32>(descriptors);
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

/** Bytes of a record after its length; takes its payload from `arenaLeft`. */
function sizeOfRecord(descriptor: usize, next: usize): i32 {
  let size =
    1 +
    sizeOfVarlong(load<i64>(descriptor, TIMESTAMP_DELTA)) +
    sizeOfVarint(load<i32>(descriptor, OFFSET_DELTA)) +
    sizeOfBytes(load<i32>(descriptor, KEY_LENGTH)) +
    sizeOfBytes(load<i32>(descriptor, VALUE_LENGTH)) +
    sizeOfVarint(load<i32>(descriptor, HEADER_COUNT));
  for (let header = descriptor + DESCRIPTOR_SIZE; header < next; header += HEADER_DESCRIPTOR_SIZE) {
    size += sizeOfBytes(load<i32>(header)) + sizeOfBytes(load<i32>(header, HEADER_VALUE_LENGTH));
  }
  return size;
}

// @ts-ignore: decorator
@inline
function sizeOfBytes(length: i32): i32 {
  if (length == -1) return 1;
  if (length < 0 || length > arenaLeft) {
    arenaLeft = -1;
    return 0;
  }
  arenaLeft -= length;
  return sizeOfVarint(length) + length;
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
