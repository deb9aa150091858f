import { BatchFault, ROW } from '../kernels/kernels.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { Millis, Offset } from '../model/ids.ts';
import { andThen, decompress } from './codecs.ts';
import type { Codecs, MaybePromise } from './codecs.ts';
import { BatchHeader } from './header.ts';
import { readVarint } from './varint.ts';

/** Seven one-byte fields: what no record is shorter than. */
const RECORD_MIN_BYTES = 7;

/** Keeps a byte order mark, which is part of the key. */
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

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
  if (rows === BatchFault.count || rows === BatchFault.record) throw notAsAnnounced();
  if (typeof rows === 'number')
    throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, 'not a whole batch, or damaged');
  const header = new BatchHeader(bytes);
  return new BatchRecords(header, { block: header.recordBytes, rows });
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

/** Where records are, and what their rows are relative to. */
export interface Place {
  readonly block: Uint8Array;
  readonly rows: Int32Array;
  readonly baseOffset: Offset;
  readonly baseTimestamp: Millis;
  /** The broker's append time when the batch says so. */
  readonly appendTimestamp: Millis | undefined;
}

/** Records of one batch, by index or in order. */
export class BatchRecords implements Iterable<Record> {
  readonly header: BatchHeader;
  readonly length: number;
  readonly place: Place;

  constructor(header: BatchHeader, { block, rows }: Pick<Place, 'block' | 'rows'>) {
    this.header = header;
    this.length = header.recordsCount;
    const { baseOffset, baseTimestamp, maxTimestamp, isLogAppendTime } = header;
    const appendTimestamp = isLogAppendTime ? maxTimestamp : undefined;
    this.place = { block, rows, baseOffset, baseTimestamp, appendTimestamp };
  }

  /** @param index from 0 to `length - 1`. */
  at(index: number): Record {
    return new Record(this.place, index * ROW.size);
  }

  /** Begins before the first record. */
  cursor(): RecordCursor {
    return new RecordCursor(this.place, -ROW.size);
  }

  *[Symbol.iterator](): Iterator<Record> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }
}

/** One record as bytes; each getter reads the batch's, and key, value and header values are views of them. */
export class RecordView<P extends Place = Place> {
  protected readonly place: P;
  /** Where its row starts. */
  protected row: number;

  constructor(place: P, row: number) {
    this.place = place;
    this.row = row;
  }

  get offset(): Offset {
    return this.place.baseOffset + this.#field(ROW.offsetDelta);
  }
  /** The broker's append time when the batch says so, else the producer's. */
  get timestamp(): Millis {
    const { appendTimestamp, baseTimestamp } = this.place;
    if (appendTimestamp !== undefined) return appendTimestamp;
    return (
      baseTimestamp + this.#field(ROW.timestampHigh) * 0x1_0000_0000 + (this.#field(ROW.timestampLow) >>> 0)
    );
  }
  /** In bytes; -1 for none. */
  get keyLength(): number {
    return this.#field(ROW.keyLength);
  }
  /** In bytes; -1 for none. */
  get valueLength(): number {
    return this.#field(ROW.valueLength);
  }
  get keyBytes(): Uint8Array | null {
    return this.#bytes(this.#field(ROW.keyPosition), this.keyLength);
  }
  get valueBytes(): Uint8Array | null {
    return this.#bytes(this.#field(ROW.valuePosition), this.valueLength);
  }
  /** Where key and value lie in the record block. */
  get span() {
    return {
      bytes: this.place.block,
      keyAt: this.#field(ROW.keyPosition),
      keyLength: this.keyLength,
      valueAt: this.#field(ROW.valuePosition),
      valueLength: this.valueLength,
    };
  }
  /** In the producer's order, duplicates kept. */
  get headers(): RecordHeader[] {
    const cursor = { bytes: this.place.block, at: this.#field(ROW.headersPosition) };
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

/** One record, where nobody makes anything else of its bytes. */
export class Record extends RecordView {
  get key(): Uint8Array | null {
    return this.keyBytes;
  }
  get value(): Uint8Array | null {
    return this.valueBytes;
  }
}

/** Each record of a batch in turn, without an object for each. */
export class RecordCursor extends Record {
  /** Moves on. @returns whether there is a record; only then may it be asked anything. */
  next(): boolean {
    this.row += ROW.size;
    return this.row < this.place.rows.length;
  }
}
