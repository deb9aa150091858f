import { setInt64 } from '../kernels/batch-layout.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { Offset } from '../model/ids.ts';

/**
 * RecordBatch v2 header: byte positions and direct reads, no object. Layout: Kafka protocol guide, "Record
 * Batch".
 */
export const HEADER_SIZE = 61;
/** Bytes before what `batchLength` counts. */
export const LENGTH_OVERHEAD = 12;

const BASE_OFFSET = 0;
const BATCH_LENGTH = 8;
const LEADER_EPOCH = 12;
const MAGIC = 16;
const CRC = 17;
const ATTRIBUTES = 21;
const LAST_OFFSET_DELTA = 23;
const BASE_TIMESTAMP = 27;
const MAX_TIMESTAMP = 35;
const PRODUCER_ID = 43;
const PRODUCER_EPOCH = 51;
const BASE_SEQUENCE = 53;
const RECORDS_COUNT = 57;

/** First byte the CRC covers; base offset and leader epoch lie before it, so a broker may stamp them. */
export const CRC_START = ATTRIBUTES;

export const CODEC_MASK = 0x07;
export const LOG_APPEND_TIME = 0x08;
export const TRANSACTIONAL = 0x10;
export const CONTROL = 0x20;
export const DELETE_HORIZON = 0x40;

/** Whether what may be a batch is one of a transaction, if it is one. */
export function isTransactional(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_SIZE && ((bytes[ATTRIBUTES + 1] ?? 0) & TRANSACTIONAL) !== 0;
}

/** Who sent a batch, and which of its batches it is. */
export interface ProducerStamp {
  producerId: number;
  producerEpoch: number;
  baseSequence: number;
  /** Its records count once their transaction is committed. */
  isTransactional?: boolean;
}

/**
 * Fields of the batch that starts at `at` of `bytes`. One object serves many batches: move it with `seek`.
 * The caller has checked that `HEADER_SIZE` bytes are there.
 */
export class BatchHeader {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  seek(at: number): this {
    this.#at = at;
    return this;
  }

  get position(): number {
    return this.#at;
  }

  /** Size of the whole batch in bytes, header included. */
  get sizeBytes(): number {
    return LENGTH_OVERHEAD + this.#view.getInt32(this.#at + BATCH_LENGTH);
  }
  get baseOffset(): number {
    return this.#int64(BASE_OFFSET);
  }
  get partitionLeaderEpoch(): number {
    return this.#view.getInt32(this.#at + LEADER_EPOCH);
  }
  get magic(): number {
    return this.#view.getInt8(this.#at + MAGIC);
  }
  get crc(): number {
    return this.#view.getUint32(this.#at + CRC);
  }
  get attributes(): number {
    return this.#view.getInt16(this.#at + ATTRIBUTES);
  }
  get lastOffsetDelta(): number {
    return this.#view.getInt32(this.#at + LAST_OFFSET_DELTA);
  }
  /** Inclusive. */
  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta;
  }
  get baseTimestamp(): number {
    return this.#int64(BASE_TIMESTAMP);
  }
  get maxTimestamp(): number {
    return this.#int64(MAX_TIMESTAMP);
  }
  /** -1 when not idempotent. */
  get producerId(): number {
    return this.#int64(PRODUCER_ID);
  }
  get producerEpoch(): number {
    return this.#view.getInt16(this.#at + PRODUCER_EPOCH);
  }
  get baseSequence(): number {
    return this.#view.getInt32(this.#at + BASE_SEQUENCE);
  }
  get recordsCount(): number {
    return this.#view.getInt32(this.#at + RECORDS_COUNT);
  }
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  get codec(): number {
    return this.attributes & CODEC_MASK;
  }
  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL) !== 0;
  }
  get isControl(): boolean {
    return (this.attributes & CONTROL) !== 0;
  }
  get isLogAppendTime(): boolean {
    return (this.attributes & LOG_APPEND_TIME) !== 0;
  }
  /** From then on the tombstones, or the marker, of a batch that was compacted may go; undefined for no such batch. */
  get deleteHorizonMs(): number | undefined {
    return (this.attributes & DELETE_HORIZON) === 0 ? undefined : this.baseTimestamp;
  }
  /** The whole batch. */
  get bytes(): Uint8Array {
    const { sizeBytes } = this;
    const isAlone = this.#at === 0 && sizeBytes === this.#bytes.length;
    return isAlone ? this.#bytes : this.#bytes.subarray(this.#at, this.#at + sizeBytes);
  }
  /** The record block, compressed if `codec` says so. */
  get recordBytes(): Uint8Array {
    return this.#bytes.subarray(this.#at + HEADER_SIZE, this.#at + this.sizeBytes);
  }

  /** Sets what a leader may set without touching the CRC. */
  stamp(baseOffset: number, leaderEpoch: number): void {
    setInt64(this.#view, this.#at + BASE_OFFSET, baseOffset);
    this.#view.setInt32(this.#at + LEADER_EPOCH, leaderEpoch);
  }

  /** Under the CRC: `seal` afterwards. */
  set attributes(value: number) {
    this.#view.setInt16(this.#at + ATTRIBUTES, value);
  }
  /** All records now carry the broker's time. Under the CRC: `seal` afterwards. */
  setLogAppendTime(nowMs: number): void {
    this.attributes |= LOG_APPEND_TIME;
    setInt64(this.#view, this.#at + MAX_TIMESTAMP, nowMs);
  }

  /** Under the CRC: `seal` afterwards. */
  setProducer({ producerId, producerEpoch, baseSequence }: ProducerStamp): void {
    setInt64(this.#view, this.#at + PRODUCER_ID, producerId);
    this.#view.setInt16(this.#at + PRODUCER_EPOCH, producerEpoch);
    this.#view.setInt32(this.#at + BASE_SEQUENCE, baseSequence);
  }

  /** Some records went. Under the CRC: `seal` afterwards. */
  setRetained(left: { recordsCount: number; maxTimestamp: number; baseTimestamp?: number }): void {
    this.#view.setInt32(this.#at + RECORDS_COUNT, left.recordsCount);
    setInt64(this.#view, this.#at + MAX_TIMESTAMP, left.maxTimestamp);
    setInt64(this.#view, this.#at + BASE_TIMESTAMP, left.baseTimestamp ?? this.baseTimestamp);
  }

  /** Takes the place of the base timestamp. Under the CRC: `seal` afterwards. */
  setDeleteHorizon(horizonMs: number): void {
    this.attributes |= DELETE_HORIZON;
    setInt64(this.#view, this.#at + BASE_TIMESTAMP, horizonMs);
  }

  /** Sets length and CRC of a batch of `sizeBytes` bytes. */
  seal(kernels: Kernels, sizeBytes = this.sizeBytes): void {
    this.#view.setInt32(this.#at + BATCH_LENGTH, sizeBytes - LENGTH_OVERHEAD);
    const covered = this.#bytes.subarray(this.#at + CRC_START, this.#at + sizeBytes);
    this.#view.setUint32(this.#at + CRC, kernels.crc32c(covered));
  }

  #int64(field: number): number {
    return this.#view.getInt32(this.#at + field) * 0x1_0000_0000 + this.#view.getUint32(this.#at + field + 4);
  }
}

/** Calls `visit` for each whole batch of `bytes`, in order; stops at the first cut or impossible length. */
export function forEachBatch(bytes: Uint8Array, visit: (header: BatchHeader) => void): void {
  const header = new BatchHeader(bytes);
  for (let at = 0; at + HEADER_SIZE <= bytes.length;) {
    const size = header.seek(at).sizeBytes;
    if (size < HEADER_SIZE || at + size > bytes.length) return;
    visit(header);
    at += size;
  }
}

/** The offset after the last whole batch of `bytes`; undefined when there is none. */
export function offsetAfter(bytes: Uint8Array): Offset | undefined {
  let nextOffset: Offset | undefined;
  forEachBatch(bytes, ({ lastOffset }) => (nextOffset = lastOffset + 1));
  return nextOffset;
}
