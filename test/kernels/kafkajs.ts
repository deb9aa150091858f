import { createRequire } from 'node:module';
import type { BatchHeaderFields, EncodeRecord } from '../../src/kernels/kernels.ts';

interface Encoded {
  buffer: Buffer;
}
interface DecodedRecord {
  offset: string;
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer | null>;
}
interface Long {
  toString(): string;
}

const require = createRequire(import.meta.url);
const protocol = 'kafkajs/src/protocol';
const { RecordBatch } = require(`${protocol}/recordBatch/v0/index.js`) as {
  RecordBatch: (fields: object) => Promise<Encoded>;
};
const Record = require(`${protocol}/recordBatch/record/v0/index.js`) as (fields: object) => Encoded;
const decodeBatch = require(`${protocol}/recordBatch/v0/decoder.js`) as (
  decoder: object,
) => Promise<{ records: DecodedRecord[] }>;
const Decoder = require(`${protocol}/decoder.js`) as new (bytes: Buffer) => object;
const Long = require('kafkajs/src/utils/long.js') as { fromValue(value: number): Long };

/** kafkajs's own checksum, a byte table. */
export const crc32c = require(`${protocol}/recordBatch/crc32C/crc32C.js`) as (bytes: Uint8Array) => number;

/** kafkajs takes anything but a Buffer for text. */
function buffer(bytes: Uint8Array | null): Buffer | null {
  return bytes && Buffer.from(bytes);
}

/** A batch as kafkajs's producer builds it. Header names are ASCII and appear once; header values are not null. */
export async function encodeBatch(
  header: BatchHeaderFields,
  records: readonly EncodeRecord<Uint8Array>[],
): Promise<Uint8Array> {
  return new Uint8Array((await prepareBatch(header, records)()).buffer);
}

/** The same in two steps: what is made here is what kafkajs is given, so that only its own work is measured. */
export function prepareBatch(
  header: BatchHeaderFields,
  records: readonly EncodeRecord<Uint8Array>[],
): () => Promise<Encoded> {
  const messages = records.map((record) => ({
    offsetDelta: record.offsetDelta,
    timestampDelta: Long.fromValue(record.timestampDelta),
    key: buffer(record.key),
    value: buffer(record.value),
    headers: Object.fromEntries(
      record.headers.map(({ key, value }) => [Buffer.from(key).toString(), buffer(value)]),
    ),
  }));
  const fields = {
    firstOffset: Long.fromValue(header.baseOffset),
    partitionLeaderEpoch: header.partitionLeaderEpoch,
    firstTimestamp: Long.fromValue(header.baseTimestamp),
    maxTimestamp: Long.fromValue(header.maxTimestamp),
    producerId: Long.fromValue(header.producerId),
    producerEpoch: header.producerEpoch,
    firstSequence: header.baseSequence,
    lastOffsetDelta: records.at(-1)?.offsetDelta ?? -1,
    transactional: (header.attributes & 0x10) !== 0,
  };
  return () => RecordBatch({ ...fields, records: messages.map((message) => Record(message)) });
}

/** What kafkajs's consumer makes of a batch. It checks no CRC. */
export async function decode(batch: Uint8Array): Promise<DecodedRecord[]> {
  const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
  return (await decodeBatch(new Decoder(bytes))).records;
}
