import { crc32c } from '../kernels/twins/crc32c.ts';
import type { LeaderEpoch, Millis, Offset } from '../model/ids.ts';
import type { MilenaError } from '../client/milena-error.ts';
import type { ProducerIdentity } from './apis.ts';
import { bytesOf, Input, Output, textOf } from './bytes.ts';
import { refusal } from './errors.ts';
import { TopicRecord } from './topic-record.ts';

/** RecordBatch v2 (protocol guide): where its records start, what its length does not count, what its CRC covers. */
const HEADER_BYTES = 61;
const LENGTH_OVERHEAD_BYTES = 12;
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const CRC_AT = 17;
const CRC_START = 21;
const COUNT_AT = 57;

const CODEC_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const CONTROL = 0x20;

/** A record that is to be written, as bytes. */
export interface EncodedRecord {
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: readonly { key: string; value: Uint8Array | null }[];
  timestamp: Millis;
}

/** A whole batch, not compressed, sealed. */
export function encodeBatch(
  records: readonly EncodedRecord[],
  { producerId, producerEpoch, baseSequence }: ProducerIdentity & { baseSequence: number },
): Uint8Array {
  const baseTimestamp = records[0]?.timestamp ?? 0;
  const maxTimestamp = records.reduce((most, { timestamp }) => Math.max(most, timestamp), baseTimestamp);
  const out = new Output().int64(0).int32(0).int32(-1).int8(2).int32(0);
  out
    .int16(0)
    .int32(records.length - 1)
    .int64(baseTimestamp)
    .int64(maxTimestamp);
  out.int64(producerId).int16(producerEpoch).int32(baseSequence).int32(records.length);
  const scratch = new Output();
  for (const [index, record] of records.entries()) {
    const bytes = encodeRecord(scratch.clear(), record, record.timestamp - baseTimestamp, index);
    out.varint(bytes.length).raw(bytes);
  }
  const batch = out.finish();
  const view = new DataView(batch.buffer, batch.byteOffset);
  view.setInt32(LENGTH_AT, batch.length - LENGTH_OVERHEAD_BYTES);
  view.setUint32(CRC_AT, crc32c(batch, CRC_START));
  return batch;
}

function encodeRecord(
  out: Output,
  { key, value, headers }: EncodedRecord,
  timestampDelta: Millis,
  offsetDelta: number,
): Uint8Array {
  out.int8(0).varint(timestampDelta).varint(offsetDelta);
  const field = (bytes: Uint8Array | null) =>
    bytes === null ? out.varint(-1) : out.varint(bytes.length).raw(bytes);
  field(key);
  field(value);
  out.varint(headers.length);
  for (const header of headers) {
    field(bytesOf(header.key));
    field(header.value);
  }
  return out.finish();
}

/** Unpacks a record block: 1 gzip, 2 snappy, 3 lz4, 4 zstd. @throws MilenaError */
export type Unpack = (codec: number, block: Uint8Array) => Promise<Uint8Array>;

/** Where batches were read. */
export interface Place {
  topic: string;
  partition: number;
}

export interface ReadBatch {
  nextOffset: Offset;
  leaderEpoch: LeaderEpoch;
  /** A promise only where they are compressed; none in a batch that ends a transaction. */
  records: TopicRecord[] | Promise<TopicRecord[]>;
}

/**
 * The whole batches of a fetched partition, in order; what a broker cut off at the end is left out.
 * @throws MilenaError CORRUPT_MESSAGE, also later, by `records`.
 */
export function* readBatches(bytes: Uint8Array, place: Place, unpack: Unpack): Generator<ReadBatch> {
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const magic = view.getInt8(MAGIC_AT);
    const size = LENGTH_OVERHEAD_BYTES + view.getInt32(LENGTH_AT);
    if (magic !== 2) throw refusal(43, titleOf(place), `magic ${magic} is not 2`);
    if (size < HEADER_BYTES) throw corrupt(place, 'a batch is too short');
    if (size > bytes.length - at) return;
    yield readBatch(bytes.subarray(at, at + size), place, unpack);
    at += size;
  }
}

function readBatch(bytes: Uint8Array, place: Place, unpack: Unpack): ReadBatch {
  const head = new Input(bytes);
  const baseOffset = head.int64();
  head.int32();
  const leaderEpoch = head.int32();
  head.int8();
  if (head.uint32() !== crc32c(bytes, CRC_START)) throw corrupt(place, 'its checksum is wrong');
  const attributes = head.int16();
  const nextOffset = baseOffset + head.int32() + 1;
  const baseTimestamp = head.int64();
  const appendTimestamp = head.int64();
  head.at = COUNT_AT;
  const count = head.int32();
  const timestampOf = (delta: Millis) =>
    attributes & LOG_APPEND_TIME ? appendTimestamp : baseTimestamp + delta;
  const read = (block: Uint8Array) => readRecords(block, { ...place, count, baseOffset, timestampOf });
  const codec = attributes & CODEC_MASK;
  const block = bytes.subarray(HEADER_BYTES);
  if (attributes & CONTROL) return { nextOffset, leaderEpoch, records: [] };
  return { nextOffset, leaderEpoch, records: codec === 0 ? read(block) : unpack(codec, block).then(read) };
}

interface Block extends Place {
  count: number;
  baseOffset: Offset;
  timestampOf: (delta: Millis) => Millis;
}

function readRecords(block: Uint8Array, about: Block): TopicRecord[] {
  const records: TopicRecord[] = [];
  const from = new Input(block);
  try {
    for (let left = about.count; left > 0; left--) {
      const length = from.varint();
      const end = from.at + length;
      records.push(readRecord(from, about));
      if (from.at !== end) throw new RangeError('a record is not as long as it says');
    }
    if (!from.isAtEnd) throw new RangeError('there is more than its records');
  } catch (error) {
    if (error instanceof RangeError) throw corrupt(about, error.message);
    throw error;
  }
  return records;
}

function readRecord(from: Input, { topic, partition, baseOffset, timestampOf }: Block): TopicRecord {
  from.int8();
  const timestamp = timestampOf(from.varint());
  const offset = baseOffset + from.varint();
  // A copy: who keeps a record must not keep all that came with it.
  const field = () => {
    const bytes = from.slice(from.varint());
    return bytes && new Uint8Array(bytes);
  };
  const keyBytes = field();
  const value = field();
  const headers = [];
  for (let left = from.varint(); left > 0; left--)
    headers.push({ key: textOf(field()) ?? '', value: field() });
  return new TopicRecord({ topic, partition, offset, timestamp, keyBytes, value, headers });
}

export function titleOf({ topic, partition }: Place): string {
  return `${topic}-${partition}`;
}

export function corrupt(place: Place, why: string): MilenaError {
  return refusal(2, titleOf(place), why);
}
