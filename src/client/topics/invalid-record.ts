import type { Millis, Offset } from '../../model/ids.ts';
import { MilenaError } from '../errors.ts';
import { titleOf } from '../topic-partition.ts';
import { type SchemaIssue, SchemaRefusal } from './standard-schema.ts';

/** A record as it was read, before anything is made of its bytes. */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: Offset;
  readonly timestamp: Millis;
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
  readonly keyBytes: Uint8Array | null;
  readonly valueBytes: Uint8Array | null;
}

/** INVALID_RECORD_KEY or INVALID_RECORD_VALUE: it is not what its topic says. What was to be written was not sent. */
export class InvalidRecord extends MilenaError {
  override name = 'InvalidRecord';
  readonly topic: string;
  readonly field: 'key' | 'value';
  /** The record that was read; undefined for one that was to be written. */
  readonly record: RawRecord | undefined;
  /** What the schema says, where there is one. */
  readonly issues: readonly SchemaIssue[];

  constructor(about: { topic: string; field: 'key' | 'value'; record?: RawRecord }, cause: unknown) {
    const { topic, field, record } = about;
    const where = record === undefined ? topic : `${titleOf(record)} at offset ${record.offset}`;
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${where}: the ${field} is invalid: ${why}`, {
      code: field === 'key' ? 'INVALID_RECORD_KEY' : 'INVALID_RECORD_VALUE',
      hint: record === undefined ? 'nothing was sent' : 'onInvalid says what becomes of such a record',
      cause,
    });
    this.topic = topic;
    this.field = field;
    this.record = record;
    this.issues = cause instanceof SchemaRefusal ? cause.issues : [];
  }
}
