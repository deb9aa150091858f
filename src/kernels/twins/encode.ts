import {
  ATTRIBUTES,
  BATCH_LENGTH,
  countsOf,
  CRC,
  HEADER_SIZE,
  highHalf,
  LENGTH_OVERHEAD,
  writeHeader,
} from '../batch-layout.ts';
import type { BatchHeaderFields, EncodeRecord } from '../kernels.ts';
import { encodeTexts } from './texts.ts';

type BytesRecord = EncodeRecord<Uint8Array>;

export function encodeRecords(list: readonly EncodeRecord[]): Uint8Array {
  const records = encodeTexts(list);
  const sizes = records.map(sizeOfRecord);
  const out = new Uint8Array(totalSize(sizes));
  writeRecords(out, 0, records, sizes);
  return out;
}

/** `crc32c` takes the checksum: the twin's own, or a faster one for a batch too large for WASM memory. */
export function encodeBatch(
  header: BatchHeaderFields,
  list: readonly EncodeRecord[],
  crc32c: (bytes: Uint8Array) => number,
): Uint8Array {
  const records = encodeTexts(list);
  const sizes = records.map(sizeOfRecord);
  const out = new Uint8Array(HEADER_SIZE + totalSize(sizes));
  const view = new DataView(out.buffer);
  writeHeader(view, 0, header, countsOf(records));
  writeRecords(out, HEADER_SIZE, records, sizes);
  view.setInt32(BATCH_LENGTH, out.length - LENGTH_OVERHEAD);
  view.setUint32(CRC, crc32c(out.subarray(ATTRIBUTES)));
  return out;
}

function totalSize(sizes: readonly number[]): number {
  let total = 0;
  for (const size of sizes) total += sizeOfVarint(size) + size;
  return total;
}

/** Bytes of a record after its length. */
function sizeOfRecord(record: BytesRecord): number {
  let size =
    1 +
    sizeOfVarlong(record.timestampDelta) +
    sizeOfVarint(record.offsetDelta) +
    sizeOfBytes(record.key) +
    sizeOfBytes(record.value) +
    sizeOfVarint(record.headers.length);
  for (const header of record.headers) size += sizeOfBytes(header.key) + sizeOfBytes(header.value);
  return size;
}

function sizeOfBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length;
}

function sizeOfVarint(value: number): number {
  return sizeOfRaw((value << 1) ^ (value >> 31));
}

/** Bytes of 7 bits that an unsigned int32 takes. */
function sizeOfRaw(raw: number): number {
  return ((31 - Math.clz32(raw | 1)) * 9 + 73) >>> 6;
}

function sizeOfVarlong(value: number): number {
  const high = zigzagHigh(value);
  if (high === 0) return sizeOfRaw(zigzagLow(value));
  return ((63 - Math.clz32(high)) * 9 + 73) >>> 6;
}

function zigzagLow(value: number): number {
  return (value << 1) ^ (highHalf(value) >> 31);
}

function zigzagHigh(value: number): number {
  const high = highHalf(value);
  return ((high << 1) | ((value | 0) >>> 31)) ^ (high >> 31);
}

function writeRecords(
  out: Uint8Array,
  at: number,
  records: readonly BytesRecord[],
  sizes: readonly number[],
): void {
  for (const [index, record] of records.entries()) {
    at = writeVarint(out, at, sizes[index]!);
    out[at++] = 0;
    at = writeVarlong(out, at, record.timestampDelta);
    at = writeVarint(out, at, record.offsetDelta);
    at = writeBytes(out, at, record.key);
    at = writeBytes(out, at, record.value);
    at = writeVarint(out, at, record.headers.length);
    for (const header of record.headers) at = writeBytes(out, writeBytes(out, at, header.key), header.value);
  }
}

function writeBytes(out: Uint8Array, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(out, at, -1);
  at = writeVarint(out, at, bytes.length);
  out.set(bytes, at);
  return at + bytes.length;
}

function writeVarint(out: Uint8Array, at: number, value: number): number {
  return writeRaw(out, at, (value << 1) ^ (value >> 31));
}

function writeRaw(out: Uint8Array, at: number, raw: number): number {
  while (raw & ~0x7f) {
    out[at++] = raw | 0x80;
    raw >>>= 7;
  }
  out[at] = raw;
  return at + 1;
}

function writeVarlong(out: Uint8Array, at: number, value: number): number {
  let low = zigzagLow(value);
  let high = zigzagHigh(value);
  while (high !== 0) {
    out[at++] = low | 0x80;
    low = (low >>> 7) | (high << 25);
    high >>>= 7;
  }
  return writeRaw(out, at, low);
}
