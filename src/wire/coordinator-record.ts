/** Coordinators' records begin with an int16: the kind of record in a key, the version in a value. */
import type { MachineRecord } from '../model/machine.ts';
import { Reader } from './reader.ts';

const TYPE_BYTES = 2;

/** @param type at most 255. */
export function typed(type: number, body: Uint8Array): Uint8Array {
  const bytesOfRecord = new Uint8Array(TYPE_BYTES + body.length);
  bytesOfRecord[1] = type;
  bytesOfRecord.set(body, TYPE_BYTES);
  return bytesOfRecord;
}

/** Undefined where the record has no key. */
export function keyReader({ key, span }: MachineRecord): Reader | undefined {
  if (span === undefined) return key ? new Reader(key) : undefined;
  const { bytes, keyAt, keyLength } = span;
  return keyLength < 0 ? undefined : new Reader(bytes, keyAt, keyAt + keyLength);
}

/** Undefined for a tombstone. */
export function valueReader({ value, span }: MachineRecord): Reader | undefined {
  if (span === undefined) return value ? new Reader(value) : undefined;
  const { bytes, valueAt, valueLength } = span;
  return valueLength < 0 ? undefined : new Reader(bytes, valueAt, valueAt + valueLength);
}

/** Of a record that has a value. */
export function valueBytes({ value, span }: MachineRecord): Uint8Array {
  if (span !== undefined)
    return span.bytes.subarray(span.valueAt, span.valueAt + Math.max(span.valueLength, 0));
  return value ?? new Uint8Array();
}

export function sizeOf(records: readonly MachineRecord[]): number {
  return records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
}
