import type { BatchHeaderFields } from './kernels.ts';

/** RecordBatch v2 header: byte positions. Layout: Kafka protocol guide, "Record Batch". */
export const HEADER_SIZE = 61;
/** Bytes before what `batchLength` counts. */
export const LENGTH_OVERHEAD = 12;
export const BATCH_LENGTH = 8;
export const MAGIC = 16;
export const CRC = 17;
/** First field the CRC covers. */
export const ATTRIBUTES = 21;
export const LAST_OFFSET_DELTA = 23;
export const RECORDS_COUNT = 57;
export const CODEC_MASK = 0x07;

/** Length, attributes, timestamp and offset delta, key and value length, header count: a byte each. */
export const RECORD_SIZE_MIN = 7;

/** A count that the bytes can hold, so that nothing is taken or walked for one that lies. */
export function isPossibleCount(count: number, recordsSize: number): boolean {
  return Number.isInteger(count) && count >= 0 && count <= recordsSize / RECORD_SIZE_MIN;
}

const TWO_TO_32 = 0x1_0000_0000;

/** High half of an int64 that is held as a number; the low half is `value | 0`. */
export function highHalf(value: number): number {
  return (value | 0) === value ? value >> 31 : Math.floor(value / TWO_TO_32) | 0;
}

/** Writes a header at `at`, all but `batchLength` and the CRC, which are known when the records are written. */
export function writeHeader(
  view: DataView,
  at: number,
  fields: BatchHeaderFields,
  counts: RecordCounts,
): void {
  setInt64(view, at, fields.baseOffset);
  view.setInt32(at + 12, fields.partitionLeaderEpoch);
  view.setInt8(at + MAGIC, 2);
  view.setInt16(at + ATTRIBUTES, fields.attributes);
  view.setInt32(at + LAST_OFFSET_DELTA, counts.lastOffsetDelta);
  setInt64(view, at + 27, fields.baseTimestamp);
  setInt64(view, at + 35, fields.maxTimestamp);
  setInt64(view, at + 43, fields.producerId);
  view.setInt16(at + 51, fields.producerEpoch);
  view.setInt32(at + 53, fields.baseSequence);
  view.setInt32(at + RECORDS_COUNT, counts.count);
}

interface RecordCounts {
  count: number;
  /** -1 when there are no records. */
  lastOffsetDelta: number;
}

export function countsOf(records: readonly { offsetDelta: number }[]): RecordCounts {
  return { count: records.length, lastOffsetDelta: records.at(-1)?.offsetDelta ?? -1 };
}

export function setInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, highHalf(value));
  view.setInt32(at + 4, value | 0);
}
