import { BatchFault, type Kernels } from '../../kernels/kernels.ts';
import { concat } from '../../model/bytes.ts';
import { BatchHeader, HEADER_SIZE, LENGTH_OVERHEAD } from '../../records/header.ts';
import type { ByteSource } from './byte-source.ts';

/**
 * Batches of one topic as a broker stores them, checksums and compression included:
 *
 *   "MLNRAW1\n" | topic length uint16 | topic, UTF-8
 *   partition int32 | RecordBatch v2, which has its own length         any number of times, rising offsets a partition
 *   -1 int32 | number of batches uint64                                the end: without it the file is cut short
 */
const MAGIC = new TextEncoder().encode('MLNRAW1\n');
const END = -1;
const PARTITION_BYTES = 4;
const LENGTH_END = LENGTH_OVERHEAD;
const COUNT_BYTES = 8;
const BATCH_MAX_BYTES = 256 * 1024 * 1024;

export function rawHead(topic: string): Uint8Array {
  const name = new TextEncoder().encode(topic);
  return concat([MAGIC, Uint8Array.of(name.length >> 8, name.length & 0xff), name]);
}

/** What stands before each batch of a partition. */
export function rawPartition(partition: number): Uint8Array {
  const bytes = new Uint8Array(PARTITION_BYTES);
  new DataView(bytes.buffer).setInt32(0, partition);
  return bytes;
}

export function rawEnd(batches: number): Uint8Array {
  const bytes = new Uint8Array(PARTITION_BYTES + COUNT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, END);
  view.setBigUint64(PARTITION_BYTES, BigInt(batches));
  return bytes;
}

export interface RawBatch {
  partition: number;
  bytes: Uint8Array;
}

/** The batches of a raw file, checked. @throws Error for people; `source.position` is where. */
export async function* rawBatches(source: ByteSource, kernels: Kernels): AsyncGenerator<RawBatch> {
  await readHead(source);
  const nextOffsets = new Map<number, number>();
  for (let count = 0; ; count++) {
    const partition = int32(await exactly(source, PARTITION_BYTES));
    if (partition === END) return checkEnd(source, count);
    if (partition < 0) throw new Error(`${partition} is no partition`);
    const start = await exactly(source, LENGTH_END);
    const sizeBytes = LENGTH_OVERHEAD + int32(start.subarray(LENGTH_END - 4));
    if (sizeBytes < HEADER_SIZE || sizeBytes > BATCH_MAX_BYTES)
      throw new Error(`a batch of ${sizeBytes} bytes is impossible`);
    const bytes = concat([start, await exactly(source, sizeBytes - LENGTH_END)]);
    checkBatch(bytes, kernels, nextOffsets.get(partition) ?? 0);
    nextOffsets.set(partition, new BatchHeader(bytes).lastOffset + 1);
    yield { partition, bytes };
  }
}

async function readHead(source: ByteSource): Promise<void> {
  const magic = await source.take(MAGIC.length);
  if (!Buffer.from(magic).equals(MAGIC)) throw new Error('this is no file of `milena export --format raw`');
  const length = await exactly(source, 2);
  await exactly(source, ((length[0] ?? 0) << 8) | (length[1] ?? 0));
}

async function checkEnd(source: ByteSource, count: number): Promise<void> {
  const bytes = await exactly(source, COUNT_BYTES);
  const told = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
  if (told !== BigInt(count)) throw new Error(`the file tells of ${told} batches and holds ${count}`);
  if ((await source.take(1)).length > 0) throw new Error('something follows the end');
}

function checkBatch(bytes: Uint8Array, kernels: Kernels, nextOffset: number): void {
  const header = new BatchHeader(bytes);
  if (header.magic !== 2) throw new Error(`a batch of magic ${header.magic}: only 2 is known`);
  const fault = kernels.validateBatch(bytes);
  if (fault === BatchFault.crc) throw new Error('the checksum of a batch is wrong');
  if (fault === BatchFault.count && header.recordsCount <= header.lastOffsetDelta)
    throw new Error('a batch of a compacted topic, with offsets left out: only --format ndjson can keep it');
  if (fault !== BatchFault.none) throw new Error('a batch does not hold what its header says');
  if (header.baseOffset < nextOffset || header.lastOffsetDelta < 0)
    throw new Error(`offset ${header.baseOffset} does not rise, ${nextOffset} is next`);
  if (header.isControl) throw new Error('a control batch, which only brokers write');
  if (header.isTransactional) throw new Error('a batch of a transaction, which cannot be written again');
  if (header.isLogAppendTime)
    throw new Error('a batch with times of its broker (LogAppendTime): only --format ndjson can keep them');
}

async function exactly(source: ByteSource, count: number): Promise<Uint8Array> {
  const bytes = await source.take(count);
  if (bytes.length < count) throw new Error('the file is cut short');
  return bytes;
}

function int32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0);
}
