import { BatchFault, ROW } from '../kernels/kernels.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { Millis, Offset } from '../model/ids.ts';
import { andThen, decompress } from './codecs.ts';
import type { Codecs, MaybePromise } from './codecs.ts';
import { BatchHeader, CRC_START } from './header.ts';
import { readVarint } from './varint.ts';

/** Of this module, so that V8 takes them for constants: what is imported is loaded each time. */
const ROW_SIZE = ROW.size;
const OFFSET_DELTA = ROW.offsetDelta;
const HEADERS_POSITION = ROW.headersPosition;
const KEY_POSITION = ROW.keyPosition;
const KEY_LENGTH = ROW.keyLength;
const VALUE_POSITION = ROW.valuePosition;
const VALUE_LENGTH = ROW.valueLength;
/** Among float64. */
const TIMESTAMP_DELTA = ROW.timestampDelta / 2;

/** Seven one-byte fields: what no record is shorter than. */
const RECORD_MIN_BYTES = 7;

/** Keeps a byte order mark, which is part of the key. */
const UTF8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

export interface RecordHeader {
  key: string;
  value: Uint8Array | null;
}

/**
 * The records of the batch that `bytes` starts with, unpacked but not read: a record costs nothing until
 * asked. Sync when the batch is not compressed or its codec is sync. The views last as long as `bytes` is
 * left alone.
 * @throws {KafkaError} CORRUPT_MESSAGE or UNSUPPORTED_COMPRESSION_TYPE from unpacking, INVALID_RECORD when
 *   the records are not `recordsCount` whole ones.
 */
export function records(bytes: Uint8Array, kernels: Kernels, codecs: Codecs): MaybePromise<BatchRecords> {
  const header = new BatchHeader(bytes);
  const block = decompress(codecs, { codec: header.codec, bytes: header.recordBytes });
  return andThen(block, (unpacked) => indexed(header, unpacked, kernels));
}

/**
 * The same once the batch was checked, its checksum too: what a consumer does with bytes from the wire. One pass when
 * the batch is not compressed.
 * @throws {KafkaError} CORRUPT_MESSAGE besides, when it is not one whole batch or its checksum is wrong.
 */
export function checkedRecords(
  bytes: Uint8Array,
  kernels: Kernels,
  codecs: Codecs,
): MaybePromise<BatchRecords> {
  const rows = kernels.indexBatch(bytes);
  if (rows === BatchFault.none) return records(bytes, kernels, codecs);
  if (rows === BatchFault.count || rows === BatchFault.record)
    return compactedRecords(bytes, kernels, codecs);
  if (typeof rows === 'number')
    throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, 'not a whole batch, or damaged');
  const header = new BatchHeader(bytes);
  return new BatchRecords(header, { block: header.recordBytes, rows });
}

/** Offsets within a batch have gaps once a log was compacted, which no kernel takes for right: so in a second pass. */
function compactedRecords(bytes: Uint8Array, kernels: Kernels, codecs: Codecs): MaybePromise<BatchRecords> {
  const header = new BatchHeader(bytes);
  const isTrue = kernels.crc32c(bytes.subarray(CRC_START)) === header.crc;
  if (!isTrue || header.recordsCount > header.lastOffsetDelta) throw notAsAnnounced();
  return records(bytes, kernels, codecs);
}

function notAsAnnounced(): KafkaError {
  return new KafkaError(ErrorCode.INVALID_RECORD, 'records are not as announced');
}

function indexed(header: BatchHeader, block: Uint8Array, kernels: Kernels): BatchRecords {
  const count = header.recordsCount;
  const possible = count >= 0 && count * RECORD_MIN_BYTES <= block.length;
  const rows = possible ? kernels.indexRecords(block, count) : undefined;
  if (!(rows instanceof Int32Array)) throw notAsAnnounced();
  return new BatchRecords(header, { block, rows });
}

/** Where the records of a batch are, and what their rows are relative to. */
export interface Place {
  readonly block: Uint8Array;
  readonly rows: Int32Array;
  /** The same memory. */
  readonly times: Float64Array;
  readonly baseOffset: Offset;
  readonly baseTimestamp: Millis;
}

/** Records of one batch, by index or in order. */
export class BatchRecords implements Iterable<Record> {
  readonly header: BatchHeader;
  readonly length: number;
  readonly place: Place;

  /** @param rows become its own. */
  constructor(header: BatchHeader, { block, rows }: Pick<Place, 'block' | 'rows'>) {
    this.header = header;
    this.length = header.recordsCount;
    const times = new Float64Array(rows.buffer);
    const { baseOffset, isLogAppendTime } = header;
    // The broker's append time is that of all of them, whatever they say.
    if (isLogAppendTime) for (let at = TIMESTAMP_DELTA; at < times.length; at += ROW_SIZE / 2) times[at] = 0;
    const baseTimestamp = isLogAppendTime ? header.maxTimestamp : header.baseTimestamp;
    this.place = { block, rows, times, baseOffset, baseTimestamp };
  }

  /** @param index from 0 to `length - 1`. */
  at(index: number): Record {
    return new Record(this.place, index * ROW_SIZE);
  }

  /** Begins before the first record. */
  cursor(): RecordCursor {
    return new RecordCursor(this.place, -ROW_SIZE);
  }

  *[Symbol.iterator](): Iterator<Record> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }
}

/** A record's bytes: key, value and header values are views of the batch's. */
abstract class RecordBytes<P extends Place> {
  protected readonly place: P;
  /** Where its row starts. */
  protected row: number;

  constructor(place: P, row: number) {
    this.place = place;
    this.row = row;
  }

  get keyBytes(): Uint8Array | null {
    return this.#bytes(this.#field(KEY_POSITION), this.#field(KEY_LENGTH));
  }
  get valueBytes(): Uint8Array | null {
    return this.#bytes(this.#field(VALUE_POSITION), this.#field(VALUE_LENGTH));
  }
  /** Where key and value lie in the record block. */
  get span() {
    return {
      bytes: this.place.block,
      keyAt: this.#field(KEY_POSITION),
      keyLength: this.#field(KEY_LENGTH),
      valueAt: this.#field(VALUE_POSITION),
      valueLength: this.#field(VALUE_LENGTH),
    };
  }
  /** In the producer's order, duplicates kept. */
  get headers(): RecordHeader[] {
    const cursor = { bytes: this.place.block, at: this.#field(HEADERS_POSITION) };
    const headers: RecordHeader[] = [];
    for (let left = readVarint(cursor); left > 0; left--) {
      const key = UTF8.decode(this.#take(cursor) ?? new Uint8Array());
      headers.push({ key, value: this.#take(cursor) });
    }
    return headers;
  }

  #take(cursor: { bytes: Uint8Array; at: number }): Uint8Array | null {
    const length = readVarint(cursor);
    const taken = this.#bytes(cursor.at, length);
    cursor.at += Math.max(length, 0);
    return taken;
  }

  #bytes(position: number, length: number): Uint8Array | null {
    return length < 0 ? null : this.place.block.subarray(position, position + length);
  }

  #field(field: number): number {
    return this.place.rows[this.row + field] ?? 0;
  }
}

/** One record as bytes; nothing of it is read before it is asked for. */
export class RecordView<P extends Place = Place> extends RecordBytes<P> {
  get offset(): Offset {
    return this.place.baseOffset + (this.place.rows[this.row + OFFSET_DELTA] ?? 0);
  }
  /** The broker's append time when the batch says so, else the producer's. */
  get timestamp(): Millis {
    return this.place.baseTimestamp + (this.place.times[this.row / 2 + TIMESTAMP_DELTA] ?? 0);
  }
  /** In bytes; -1 for none. */
  get keyLength(): number {
    return this.place.rows[this.row + KEY_LENGTH] ?? 0;
  }
  /** In bytes; -1 for none. */
  get valueLength(): number {
    return this.place.rows[this.row + VALUE_LENGTH] ?? 0;
  }
}

/** One record, where nobody makes anything else of its bytes. */
export class Record extends RecordView {
  get key(): Uint8Array | null {
    return this.keyBytes;
  }
  get value(): Uint8Array | null {
    return this.valueBytes;
  }
}

/**
 * Each record of a batch in turn, without an object for each. What is asked of every record is read ahead: getters
 * would be calls in a loop around which V8 has put much else already.
 */
export class RecordCursor extends RecordBytes<Place> {
  offset: Offset = -1;
  timestamp: Millis = -1;
  keyLength = -1;
  valueLength = -1;

  /** Moves on. @returns whether there is a record; only then may it be asked anything. */
  next(): boolean {
    const { rows, times, baseOffset, baseTimestamp } = this.place;
    const row = this.row + ROW_SIZE;
    if (row >= rows.length) return false;
    this.row = row;
    this.offset = baseOffset + (rows[row + OFFSET_DELTA] ?? 0);
    this.timestamp = baseTimestamp + (times[row / 2 + TIMESTAMP_DELTA] ?? 0);
    this.keyLength = rows[row + KEY_LENGTH] ?? 0;
    this.valueLength = rows[row + VALUE_LENGTH] ?? 0;
    return true;
  }

  get key(): Uint8Array | null {
    return this.keyBytes;
  }
  get value(): Uint8Array | null {
    return this.valueBytes;
  }
}
