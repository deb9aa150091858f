import type { Millis, Offset } from '../../model/ids.ts';
import type { NewRecord } from '../../records/builder.ts';
import { utf8Length } from '../../wire/text.ts';
import { invalidArgument } from '../errors.ts';

/** Texts become UTF-8. Bytes are kept by reference until they are acknowledged: do not change them. */
export type RecordBytes = Uint8Array | string;

interface RecordRest {
  /** In this order; a list can name one key more than once. */
  headers?:
    | Readonly<Record<string, RecordBytes | null>>
    | readonly { readonly key: string; readonly value: RecordBytes | null }[];
  /** Milliseconds since 1970; now, unless given. */
  timestamp?: Millis;
  /** Where it goes, whatever key and partitioner say. */
  partition?: number;
}

/** What may be null may be left out. */
type Field<Name extends 'key' | 'value', T> = null extends T
  ? { readonly [field in Name]?: T }
  : { readonly [field in Name]: T };

/**
 * Records of one key go to one partition, in order; a value of null deletes its key on a compacted topic. Both are
 * bytes or texts unless the topic says what they are.
 */
export type ProducerRecord<K = RecordBytes | null, V = RecordBytes | null> = RecordRest &
  Field<'key', K> &
  Field<'value', V>;

/** Where a record is. */
export interface RecordMetadata {
  partition: number;
  /** -1 where the broker does not say: acks=0, or a batch that it remembers only as written before. */
  offset: Offset;
  /** The broker's where the topic says so (`LogAppendTime`), else the record's. */
  timestamp: Millis;
}

/** What the numbers of a record take at most, and of a header. */
const RECORD_OVERHEAD_BYTES = 25;
const HEADER_OVERHEAD_BYTES = 10;

const BYTES_HINT = 'a topic with a serde takes other things: topic(name, { value: serde.json() })';

/** As it is encoded. */
export function newRecord(record: ProducerRecord, nowMs: Millis): NewRecord {
  const { key = null, value = null, headers, timestamp = nowMs } = record;
  if (headers === undefined) return { key, value, timestamp };
  return { key, value, headers: headerList(headers), timestamp };
}

/** Headers in either form as a list. */
export function headerList(
  headers: ProducerRecord['headers'] = [],
): readonly { readonly key: string; readonly value: RecordBytes | null }[] {
  if (isList(headers)) return headers;
  return Object.entries(headers).map(([key, value]) => ({ key, value }));
}

function isList<T>(headers: Readonly<Record<string, unknown>> | readonly T[]): headers is readonly T[] {
  return Array.isArray(headers);
}

/** Bytes it takes in a batch at most, before compression. @throws MilenaError INVALID_ARGUMENT */
export function sizeOf({ key, value, headers }: NewRecord): number {
  let size = RECORD_OVERHEAD_BYTES + bytesOf(key) + bytesOf(value);
  if (headers !== undefined)
    for (const header of headers) size += HEADER_OVERHEAD_BYTES + bytesOf(header.key) + bytesOf(header.value);
  return size;
}

function bytesOf(field: RecordBytes | null | undefined): number {
  if (field === null || field === undefined) return 0;
  if (typeof field === 'string') return utf8Length(field);
  // Bytes of another realm are bytes too.
  if (ArrayBuffer.isView(field) && field.byteLength === field.length) return field.length;
  throw invalidArgument(`a key, value or header is bytes or a text, not ${typeof field}`, BYTES_HINT);
}
