/** Codecs of the fields that hold no other field, and what all codecs have in common. */
import { WireError } from './error.ts';
import type { Reader } from './reader.ts';
import { inRange, type Field, type Kind } from './schema.ts';
import type { Writer } from './writer.ts';

/** How one version of a field, or of a whole body, travels. */
export interface Codec {
  readonly read: (reader: Reader) => unknown;
  readonly write: (writer: Writer, value: unknown) => void;
  /** The least it takes on the wire. */
  readonly sizeMin: number;
  /**
   * Of a field the version lacks, or that was left out. A list, or a struct that holds one, is new each time:
   * callers own it.
   */
  readonly fallback: () => unknown;
  readonly isDefault: (value: unknown) => boolean;
}

export type Read<T> = (reader: Reader) => T;
export type Write<T> = (writer: Writer, value: T) => void;

/** What a field is compiled for. */
export interface At {
  readonly version: number;
  readonly flexible: boolean;
}

type FixedKind = Exclude<Kind, 'string' | 'bytes' | 'array' | 'struct'>;

function fixed<T>(sizeMin: number, read: Read<T>, write: Write<T>) {
  return { sizeMin, read, write: write as Write<unknown> };
}

const FIXED: Record<FixedKind, Pick<Codec, 'read' | 'write' | 'sizeMin'>> = {
  bool: fixed(
    1,
    (reader) => reader.bool(),
    (writer, value: boolean) => writer.bool(value),
  ),
  int8: fixed(
    1,
    (reader) => reader.int8(),
    (writer, value: number) => writer.int8(value),
  ),
  int16: fixed(
    2,
    (reader) => reader.int16(),
    (writer, value: number) => writer.int16(value),
  ),
  uint16: fixed(
    2,
    (reader) => reader.uint16(),
    (writer, value: number) => writer.uint16(value),
  ),
  int32: fixed(
    4,
    (reader) => reader.int32(),
    (writer, value: number) => writer.int32(value),
  ),
  uint32: fixed(
    4,
    (reader) => reader.uint32(),
    (writer, value: number) => writer.uint32(value),
  ),
  int64: fixed(
    8,
    (reader) => reader.int64(),
    (writer, value: number) => writer.int64(value),
  ),
  int64Exact: fixed(
    8,
    (reader) => reader.int64Exact(),
    (writer, value: bigint) => writer.int64Exact(value),
  ),
  float64: fixed(
    8,
    (reader) => reader.float64(),
    (writer, value: number) => writer.float64(value),
  ),
  uuid: fixed(
    16,
    (reader) => reader.uuid(),
    (writer, value: string) => writer.uuid(value),
  ),
};

function constant(value: unknown): Pick<Codec, 'fallback' | 'isDefault'> {
  return { fallback: () => value, isDefault: (other) => other === value };
}

export function present<T>(value: T | null): T {
  if (value === null) throw new WireError('null where the version has none');
  return value;
}

/** The ways of a string or of bytes: by their kind of length, and as long as null is refused. */
interface Lengths<T> {
  classic: { read: Read<T | null>; write: Write<T | null> };
  compact: { read: Read<T | null>; write: Write<T | null> };
  classicPresent: { read: Read<T>; write: Write<T> };
  compactPresent: { read: Read<T>; write: Write<T> };
}

const STRINGS: Lengths<string> = {
  classic: { read: (reader) => reader.string(), write: (writer, text) => writer.string(text) },
  compact: { read: (reader) => reader.compactString(), write: (writer, text) => writer.compactString(text) },
  classicPresent: {
    read: (reader) => present(reader.string()),
    write: (writer, text) => writer.string(present(text)),
  },
  compactPresent: {
    read: (reader) => present(reader.compactString()),
    write: (writer, text) => writer.compactString(present(text)),
  },
};

const BYTES: Lengths<Uint8Array> = {
  classic: { read: (reader) => reader.bytes(), write: (writer, bytes) => writer.bytes(bytes) },
  compact: { read: (reader) => reader.compactBytes(), write: (writer, bytes) => writer.compactBytes(bytes) },
  classicPresent: {
    read: (reader) => present(reader.bytes()),
    write: (writer, bytes) => writer.bytes(present(bytes)),
  },
  compactPresent: {
    read: (reader) => present(reader.compactBytes()),
    write: (writer, bytes) => writer.compactBytes(present(bytes)),
  },
};

function choose<T>(lengths: Lengths<T>, { nullable }: Field, { version, flexible }: At) {
  const mayBeNull = inRange(nullable, version);
  const { read, write } = flexible
    ? lengths[mayBeNull ? 'compact' : 'compactPresent']
    : lengths[mayBeNull ? 'classic' : 'classicPresent'];
  return { read, write: write as Write<unknown> };
}

function stringCodec(field: Field, at: At): Codec {
  return { ...choose(STRINGS, field, at), sizeMin: at.flexible ? 1 : 2, ...constant(field.default) };
}

function bytesCodec(field: Field, at: At): Codec {
  return {
    ...choose(BYTES, field, at),
    sizeMin: at.flexible ? 1 : 4,
    fallback: () => field.default,
    isDefault: (value) =>
      (value as Uint8Array | null)?.length === (field.default as Uint8Array | null)?.length,
  };
}

export function scalarCodec(field: Field & { kind: Exclude<Kind, 'array' | 'struct'> }, at: At): Codec {
  switch (field.kind) {
    case 'string':
      return stringCodec(field, at);
    case 'bytes':
      return bytesCodec(field, at);
    default:
      return { ...FIXED[field.kind], ...constant(field.default) };
  }
}
