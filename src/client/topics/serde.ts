import type { RecordBytes } from '../producer/record.ts';
import { type StandardSchema, validate } from './standard-schema.ts';

/** How a key or a value becomes bytes, and of bytes again. Null is none: on a compacted topic a tombstone. */
export interface Serde<Read, Written = Read> {
  /** @throws when it is no such value, or may not be missing. */
  serialize(value: Written): RecordBytes | null;
  /** @throws likewise. The bytes are one answer's of a broker: who keeps them copies. */
  deserialize(bytes: Uint8Array | null): Read;
}

/** A serde, or a schema: then it is JSON which the schema has to take, on both ways. */
export type Format<Read, Written> = Serde<Read, Written> | StandardSchema<Written, Read>;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A text in UTF-8. */
const string = present<string, string>({
  serialize: (value) => {
    if (typeof value !== 'string') throw new TypeError(`a text is expected, not ${typeof value}`);
    return value;
  },
  deserialize: (bytes) => UTF8.decode(bytes),
});

const bytes = present<Uint8Array, Uint8Array>({
  serialize: (value) => {
    if (!(value instanceof Uint8Array)) throw new TypeError(`bytes are expected, not ${typeof value}`);
    return value;
  },
  deserialize: (given) => given,
});

const anyJson = present<NonNullable<unknown>, NonNullable<unknown>>({
  serialize: jsonOf,
  deserialize: (given) => {
    const value = JSON.parse(UTF8.decode(given)) as unknown;
    if (value === null || value === undefined) throw new TypeError('there is none, but JSON null');
    return value;
  },
});

/** The type is believed: a schema checks it. */
function json<T extends NonNullable<unknown>>(): Serde<T> {
  return anyJson as Serde<T>;
}

/** Null stands for no bytes, which the other one does not take: keys may be missing, values may be tombstones. */
function nullable<Read, Written>(other: Serde<Read, Written>): Serde<Read | null, Written | null> {
  return {
    serialize: (value) => (value === null ? null : other.serialize(value)),
    deserialize: (given) => (given === null ? null : other.deserialize(given)),
  };
}

export const serde = { string, bytes, json, nullable };

/** What a key or a value is when nothing was said: bytes or none, and texts may be written. */
export const PLAIN: Serde<Uint8Array | null, RecordBytes | null> = {
  serialize: (value) => value,
  deserialize: (given) => given,
};

/**
 * Of a schema: JSON. A value is checked as it is given and written as it was given, since who reads it checks it again:
 * what the schema changes (defaults, transforms) is changed once, by the reader. Null, if the schema takes it, is no
 * bytes.
 */
export function serdeOf<Read, Written>(format: Format<Read, Written>): Serde<Read, Written> {
  if (!('~standard' in format)) return format;
  return {
    serialize: (value) => {
      validate(format, value);
      return value === null ? null : jsonOf(value);
    },
    deserialize: (given) =>
      validate(format, given === null ? null : (JSON.parse(UTF8.decode(given)) as unknown)),
  };
}

function jsonOf(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`JSON has no ${typeof value}`);
  return text;
}

function present<Read, Written>(serde: {
  serialize: (value: Written) => RecordBytes;
  deserialize: (bytes: Uint8Array) => Read;
}): Serde<Read, Written> {
  return {
    serialize: (value) => {
      if (value === null || value === undefined) throw missing();
      return serde.serialize(value);
    },
    deserialize: (given) => {
      if (given === null) throw missing();
      return serde.deserialize(given);
    },
  };
}

function missing(): TypeError {
  return new TypeError('there is none');
}
