/** Turns a schema and a version into closures that read and write it: compiled once, no generated code. */
import { Reader, Writer } from './bytes.ts';
import { WireError } from './error.ts';
import { inRange } from './schema.ts';
import type { Api, Field, Fields, Kind, Message, MessageInitOf, MessageOf } from './schema.ts';

/** How one version of a field, or of a whole body, travels. */
export interface Codec {
  readonly read: (reader: Reader) => unknown;
  readonly write: (writer: Writer, value: unknown) => void;
  /** The least it takes on the wire. */
  readonly sizeMin: number;
  /** Of a field the version lacks, or that was left out. Lists and structs are new each time: callers own them. */
  readonly fallback: () => unknown;
  readonly isDefault: (value: unknown) => boolean;
}

type Read<T> = (reader: Reader) => T;
type Write<T> = (writer: Writer, value: T) => void;
type Struct = Record<string, unknown>;

/** Where a field is compiled for. */
interface At {
  readonly version: number;
  readonly flexible: boolean;
}

type ScalarKind = Exclude<Kind, 'string' | 'bytes' | 'array' | 'struct'>;

function scalar<T>(sizeMin: number, read: Read<T>, write: Write<T>) {
  return { sizeMin, read, write: write as Write<unknown> };
}

const SCALARS: Record<ScalarKind, Pick<Codec, 'read' | 'write' | 'sizeMin'>> = {
  bool: scalar(
    1,
    (reader) => reader.bool(),
    (writer, value: boolean) => writer.bool(value),
  ),
  int8: scalar(
    1,
    (reader) => reader.int8(),
    (writer, value: number) => writer.int8(value),
  ),
  int16: scalar(
    2,
    (reader) => reader.int16(),
    (writer, value: number) => writer.int16(value),
  ),
  uint16: scalar(
    2,
    (reader) => reader.uint16(),
    (writer, value: number) => writer.uint16(value),
  ),
  int32: scalar(
    4,
    (reader) => reader.int32(),
    (writer, value: number) => writer.int32(value),
  ),
  uint32: scalar(
    4,
    (reader) => reader.uint32(),
    (writer, value: number) => writer.uint32(value),
  ),
  int64: scalar(
    8,
    (reader) => reader.int64(),
    (writer, value: number) => writer.int64(value),
  ),
  int64Exact: scalar(
    8,
    (reader) => reader.int64Exact(),
    (writer, value: bigint) => writer.int64Exact(value),
  ),
  float64: scalar(
    8,
    (reader) => reader.float64(),
    (writer, value: number) => writer.float64(value),
  ),
  uuid: scalar(
    16,
    (reader) => reader.uuid(),
    (writer, value: string) => writer.uuid(value),
  ),
};

function fieldCodec(field: Field, at: At): Codec {
  switch (field.kind) {
    case 'string':
      return stringCodec(field, at);
    case 'bytes':
      return bytesCodec(field, at);
    case 'array':
      return arrayCodec(field, at);
    case 'struct':
      return nestedCodec(field, at);
    default:
      return { ...SCALARS[field.kind], ...constant(field.default) };
  }
}

function constant(value: unknown): Pick<Codec, 'fallback' | 'isDefault'> {
  return { fallback: () => value, isDefault: (other) => other === value };
}

function present<T>(value: T | null): T {
  if (value === null) throw new WireError('null where the version has none');
  return value;
}

function stringCodec(field: Field, { version, flexible }: At): Codec {
  const nullable = inRange(field.nullable, version);
  const read: Read<string | null> = flexible
    ? (reader) => reader.compactString()
    : (reader) => reader.string();
  const write: Write<string | null> = flexible
    ? (writer, text) => writer.compactString(text)
    : (writer, text) => writer.string(text);
  return { ...guardNull(nullable, read, write), sizeMin: flexible ? 1 : 2, ...constant(field.default) };
}

function bytesCodec(field: Field, { version, flexible }: At): Codec {
  const nullable = inRange(field.nullable, version);
  const read: Read<Uint8Array | null> = flexible
    ? (reader) => reader.compactBytes()
    : (reader) => reader.bytes();
  const write: Write<Uint8Array | null> = flexible
    ? (writer, bytes) => writer.compactBytes(bytes)
    : (writer, bytes) => writer.bytes(bytes);
  return {
    ...guardNull(nullable, read, write),
    sizeMin: flexible ? 1 : 4,
    fallback: () => field.default,
    isDefault: (value) =>
      (value as Uint8Array | null)?.length === (field.default as Uint8Array | null)?.length,
  };
}

function guardNull<T>(
  nullable: boolean,
  read: Read<T | null>,
  write: Write<T | null>,
): Pick<Codec, 'read' | 'write'> {
  const writeAny = write as Write<unknown>;
  if (nullable) return { read, write: writeAny };
  return {
    read: (reader) => present(read(reader)),
    write: (writer, value) => writeAny(writer, present(value)),
  };
}

function arrayCodec(field: Field, at: At): Codec {
  const { flexible } = at;
  const element = fieldCodec(field.element as Field, at);
  const sizeMin = Math.max(1, element.sizeMin);
  const readCount: Read<number> = flexible
    ? (reader) => reader.compactCount(sizeMin)
    : (reader) => reader.count(sizeMin);
  const writeCount: Write<number> = flexible
    ? (writer, count) => writer.unsignedVarint(count + 1)
    : (writer, count) => writer.int32(count);
  const read: Read<unknown[] | null> = (reader) => {
    const count = readCount(reader);
    if (count < 0) return null;
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) items.push(element.read(reader));
    return items;
  };
  const write: Write<readonly unknown[] | null> = (writer, items) => {
    if (items === null) return writeCount(writer, -1);
    writeCount(writer, items.length);
    for (const item of items) element.write(writer, item);
  };
  const defaultsToNull = field.default === null;
  return {
    ...guardNull(inRange(field.nullable, at.version), read, write),
    sizeMin: flexible ? 1 : 4,
    fallback: () => (defaultsToNull ? null : []),
    isDefault: (value) => (defaultsToNull ? value === null : (value as unknown[] | null)?.length === 0),
  };
}

/** A struct in a field. One that may be null is preceded by a byte: 1 when it is there, -1 when not. */
function nestedCodec(field: Field, at: At): Codec {
  const codec = structCodec(field.fields as Fields, at);
  const read: Read<unknown> = (reader) => (reader.int8() < 0 ? null : codec.read(reader));
  const write: Write<unknown> = (writer, value) => {
    writer.int8(value === null ? -1 : 1);
    if (value !== null) codec.write(writer, value);
  };
  const writePresent: Write<unknown> = (writer, value) => codec.write(writer, present(value));
  const nullable = inRange(field.nullable, at.version);
  const defaultsToNull = field.default === null;
  return {
    ...(nullable
      ? { read, write, sizeMin: 1 }
      : { read: codec.read, write: writePresent, sizeMin: codec.sizeMin }),
    fallback: () => (defaultsToNull ? null : codec.fallback()),
    isDefault: (value) => (defaultsToNull ? value === null : value !== null && codec.isDefault(value)),
  };
}

interface Member {
  readonly name: string;
  readonly field: Field;
  readonly codec: Codec;
}

interface Members {
  /** In the order of the wire. */
  readonly plain: readonly Member[];
  /** By tag, ascending: so they are written. */
  readonly tagged: readonly Member[];
  readonly absent: readonly Member[];
}

function membersOf(fields: Fields, at: At): Members {
  const all = Object.entries(fields).map(([name, field]) => ({ name, field, codec: fieldCodec(field, at) }));
  const here = all.filter(({ field }) => inRange(field.versions, at.version));
  return {
    plain: here.filter(({ field }) => field.tag === undefined),
    tagged: here
      .filter(({ field }) => field.tag !== undefined)
      .sort((one, other) => tagOf(one) - tagOf(other)),
    absent: all.filter((member) => !here.includes(member)),
  };
}

function tagOf({ field }: Member): number {
  return field.tag ?? -1;
}

function structCodec(fields: Fields, at: At): Codec {
  const { plain, tagged, absent } = membersOf(fields, at);
  const here = [...plain, ...tagged];
  const template = fallbacks(fields, [...here, ...absent]);
  /** Not read, and not to be shared between values. */
  const renewed = [...tagged, ...absent].filter(
    ({ field }) => field.kind === 'array' || field.kind === 'struct',
  );
  const tags = at.flexible ? tagSection(tagged) : undefined;
  return {
    read: (reader) => {
      reader.countStruct();
      /** Copies of one template share a hidden class, and copying is faster than adding field by field. */
      const value = Object.assign({}, template);
      for (const { name, codec } of plain) value[name] = codec.read(reader);
      for (const { name, codec } of renewed) value[name] = codec.fallback();
      tags?.read(reader, value);
      return value;
    },
    write: (writer, value) => {
      for (const { name, codec } of plain) codec.write(writer, valueOf(value as Struct, name, codec));
      tags?.write(writer, value as Struct);
    },
    sizeMin: plain.reduce((sum, { codec }) => sum + codec.sizeMin, at.flexible ? 1 : 0),
    fallback: () => fallbacks(fields, [...here, ...absent]),
    isDefault: (value) =>
      value !== null &&
      here.every(({ name, codec }) => codec.isDefault(valueOf(value as Struct, name, codec))),
  };
}

/** Keys in the order of the schema, whatever the order of `members`. */
function fallbacks(fields: Fields, members: readonly Member[]): Struct {
  const value: Struct = {};
  for (const name of Object.keys(fields)) value[name] = undefined;
  for (const { name, codec } of members) value[name] = codec.fallback();
  return value;
}

function valueOf(struct: Struct, name: string, codec: Codec): unknown {
  const value = struct[name];
  return value === undefined ? codec.fallback() : value;
}

/** The tagged fields that end a struct (KIP-482): unknown ones are skipped, defaults are not written. */
function tagSection(tagged: readonly Member[]) {
  return {
    read(reader: Reader, into: Struct): void {
      for (let left = reader.unsignedVarint(); left > 0; left--) readTag(tagged, reader, into);
    },
    write(writer: Writer, struct: Struct): void {
      if (tagged.length === 0) return writer.unsignedVarint(0);
      const set = tagged.filter(({ name, codec }) => !codec.isDefault(valueOf(struct, name, codec)));
      writer.unsignedVarint(set.length);
      for (const member of set) {
        writer.unsignedVarint(tagOf(member));
        const mark = writer.beginSized();
        member.codec.write(writer, struct[member.name]);
        writer.endSized(mark);
      }
    },
  };
}

function readTag(tagged: readonly Member[], reader: Reader, into: Struct): void {
  const tag = reader.unsignedVarint();
  const size = reader.unsignedVarint();
  const end = reader.position + size;
  const member = tagged.find((candidate) => tagOf(candidate) === tag);
  if (member === undefined) return reader.skip(size);
  into[member.name] = member.codec.read(reader);
  if (reader.position !== end) throw new WireError(`tag ${tag} is not ${size} bytes long`);
}

/** Whose body it is: says which versions there are and which of them are flexible. */
type Owner = Pick<Api | Message, 'name' | 'versions' | 'flexible'>;

const compiled = new WeakMap<Fields, Codec[]>();

/**
 * The codec of a body in a version.
 * @throws {WireError} when `owner` has no such version.
 */
export function codecOf(owner: Owner, fields: Fields, version: number): Codec {
  if (!inRange(owner.versions, version)) throw new WireError(`${owner.name} has no version ${version}`);
  let codecs = compiled.get(fields);
  if (codecs === undefined) compiled.set(fields, (codecs = []));
  return (codecs[version] ??= structCodec(fields, { version, flexible: inRange(owner.flexible, version) }));
}

const writer = new Writer();

/** The body alone: who stores it writes what precedes it (a record's type, a version). */
export function encodeMessage<M extends Message>(
  message: M,
  version: number,
  value: MessageInitOf<M>,
): Uint8Array {
  codecOf(message, message.fields, version).write(writer.start(false), value);
  return writer.finish();
}

/** @throws {WireError} unless `bytes` is exactly one value of that version. */
export function decodeMessage<M extends Message>(
  message: M,
  version: number,
  bytes: Uint8Array,
): MessageOf<M> {
  const reader = new Reader(bytes);
  const value = codecOf(message, message.fields, version).read(reader);
  reader.end();
  return value as MessageOf<M>;
}
