import type { Millis, Offset } from '../model/ids.ts';
import type { EncodedRecord } from './batch.ts';
import { bytesOf } from './bytes.ts';

/** What JSON can say. */
export type Json =
  | boolean
  | number
  | string
  | null
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

/** A record to publish. Texts become UTF-8. */
export interface OutgoingRecord {
  /** Records of one key go to one partition, in order. */
  key?: Uint8Array | string | null;
  /** Bytes and texts as they are, null deletes the key on a compacted topic; all else becomes JSON. */
  value?: Uint8Array | Json;
  headers?: Readonly<Record<string, Uint8Array | string | null>>;
  /** Milliseconds since 1970; now, unless given. */
  timestamp?: Millis;
  /** Where it goes, whatever its key says. */
  partition?: number;
}

/** Where a record is. */
export interface RecordMetadata {
  partition: number;
  /** -1 where the broker only remembers that it has it. */
  offset: Offset;
  /** The broker's where the topic says so (`LogAppendTime`), else the record's. */
  timestamp: Millis;
}

/** As it is sent. */
export function encodedRecord(
  { key, value = null, headers = {}, timestamp }: OutgoingRecord,
  nowMs: Millis,
): EncodedRecord {
  const field = (bytes: Uint8Array | string | null | undefined) =>
    bytes === null || bytes === undefined ? null : bytesOf(bytes);
  const isRaw = value === null || typeof value === 'string' || value instanceof Uint8Array;
  return {
    key: field(key),
    value: field(isRaw ? value : JSON.stringify(value)),
    headers: Object.entries(headers).map(([name, bytes]) => ({ key: name, value: field(bytes) })),
    timestamp: timestamp ?? nowMs,
  };
}

/** What its numbers take at most, and those of a header. */
const RECORD_OVERHEAD_BYTES = 25;
const HEADER_OVERHEAD_BYTES = 10;

/** Bytes it takes in a batch at most, about. */
export function sizeOf({ key, value, headers }: EncodedRecord): number {
  let size = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers)
    size += HEADER_OVERHEAD_BYTES + 3 * header.key.length + (header.value?.length ?? 0);
  return size;
}
