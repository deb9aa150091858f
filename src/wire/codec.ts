/** Turns a schema and a version into closures that read and write it: compiled once, no generated code. */
import { WireError } from './error.ts';
import { Reader } from './reader.ts';
import { present, scalarCodec, type At, type Codec, type Read, type Write } from './scalars.ts';
import { inRange, literalOf } from './schema.ts';
import type { Api, Field, Fields, Message, MessageInitOf, MessageOf } from './schema.ts';
import { Writer } from './writer.ts';

type Struct = Record<string, unknown>;

/** How much of a list is allocated at once: longer ones grow as their elements are there. */
const ALLOCATED_MAX = 1024;

function fieldCodec(field: Field, at: At): Codec {
  const { kind } = field;
  if (kind === 'array') return arrayCodec(field, at);
  if (kind === 'struct') return nestedCodec(field, at);
  return scalarCodec({ ...field, kind }, at);
}

function arrayCodec(field: Field, at: At): Codec {
  const defaultsToNull = field.default === null;
  return {
    read: arrayReader(field, at),
    write: arrayWriter(field, at) as Write<unknown>,
    sizeMin: at.flexible ? 1 : 4,
    fallback: () => (defaultsToNull ? null : []),
    isDefault: (value) => (defaultsToNull ? value === null : (value as unknown[] | null)?.length === 0),
  };
}

function arrayReader({ element, nullable }: Field, at: At): Read<readonly unknown[] | null> {
  const { flexible, version } = at;
  const { kind } = element as Field;
  const { read, sizeMin } = fieldCodec(element as Field, at);
  const elementMin = Math.max(1, sizeMin);
  const mayBeNull = inRange(nullable, version);
  const elements = kind === 'int32' ? readInt32s : elementsReader(read);
  return (reader) => {
    const count = flexible ? reader.compactCount(elementMin) : reader.count(elementMin);
    if (count < 0) return mayBeNull ? null : present(null);
    return elements(reader, count);
  };
}

type ReadElements = (reader: Reader, count: number) => readonly unknown[];

const readInt32s: ReadElements = (reader, count) => reader.int32s(count);

function elementsReader(read: Read<unknown>): ReadElements {
  return (reader, count) => {
    reader.countElements(count);
    const items = Array<unknown>(Math.min(count, ALLOCATED_MAX));
    for (let i = 0; i < count; i++) items[i] = read(reader);
    return items;
  };
}

function arrayWriter({ element, nullable }: Field, at: At): Write<readonly unknown[] | null> {
  const { flexible, version } = at;
  const { kind } = element as Field;
  const { write } = fieldCodec(element as Field, at);
  const mayBeNull = inRange(nullable, version);
  return (writer, value) => {
    const items = mayBeNull ? value : present(value);
    const count = items === null ? -1 : items.length;
    if (flexible) writer.unsignedVarint(count + 1);
    else writer.int32(count);
    if (count > 0 && kind === 'int32') return writer.int32s(items as readonly number[]);
    for (let i = 0; i < count; i++) write(writer, (items as readonly unknown[])[i]);
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
  const members = membersOf(fields, at);
  const { plain, tagged } = members;
  const here = [...plain, ...tagged];
  return {
    read: structReader(fields, members, at),
    write: structWriter(members, at),
    sizeMin: plain.reduce((sum, { codec }) => sum + codec.sizeMin, at.flexible ? 1 : 0),
    fallback: defaultOf(fields, members, [...here, ...members.absent]),
    isDefault: (value) =>
      here.every(({ name, codec }) => codec.isDefault(valueOf(value as Struct, name, codec))),
  };
}

/** The hot path: by the schema's literal where it has one, else in a loop by index over two lists. */
function structReader(fields: Fields, members: Members, { flexible }: At): Read<Struct> {
  const tags = flexible ? tagReader(members.tagged) : undefined;
  const body = literalReader(fields, members) ?? loopReader(fields, members);
  if (tags === undefined) return body;
  return (reader) => {
    const value = body(reader);
    tags(reader, value);
    return value;
  };
}

function loopReader(fields: Fields, members: Members): Read<Struct> {
  const names = members.plain.map(({ name }) => name);
  const reads = members.plain.map(({ codec }) => codec.read);
  const copy = copier(fields, members, [...members.tagged, ...members.absent]);
  return (reader) => {
    const value = copy();
    for (let i = 0; i < names.length; i++) value[names[i] as string] = (reads[i] as Read<unknown>)(reader);
    return value;
  };
}

function literalReader(fields: Fields, { plain, tagged, absent }: Members): Read<Struct> | undefined {
  const literal = literalOf(fields);
  if (literal === undefined) return undefined;
  const reads: Record<string, Read<unknown>> = {};
  for (const name of Object.keys(fields)) reads[name] = () => undefined;
  for (const { name, codec } of plain) reads[name] = codec.read;
  for (const { name, codec } of [...tagged, ...absent]) reads[name] = codec.fallback;
  return (reader) => literal(reads, reader);
}

/**
 * Makes structs that hold every default, with lists and structs of their own in the fields of `renewed`.
 * Copies of one template share a hidden class, and copying is faster than adding field by field.
 */
function copier(
  fields: Fields,
  { plain, tagged, absent }: Members,
  renewed: readonly Member[],
): () => Struct {
  const template: Struct = {};
  for (const name of Object.keys(fields)) template[name] = undefined;
  for (const { name, codec } of [...plain, ...tagged, ...absent]) template[name] = codec.fallback();
  const own = renewed.filter(({ codec }) => codec.fallback() !== codec.fallback());
  return () => {
    const value = Object.assign({}, template);
    for (const { name, codec } of own) value[name] = codec.fallback();
    return value;
  };
}

/** One for all where it holds only values: frozen, for whoever has it does not own it. */
function defaultOf(fields: Fields, members: Members, all: readonly Member[]): () => Struct {
  const make = copier(fields, members, all);
  if (Object.values(fields).some(({ kind }) => kind === 'array' || kind === 'struct')) return make;
  const shared = Object.freeze(make());
  return () => shared;
}

function structWriter({ plain, tagged }: Members, { flexible }: At): Write<unknown> {
  const names = plain.map(({ name }) => name);
  const writes = plain.map(({ codec }) => codec.write);
  const tags = flexible ? tagWriter(tagged) : undefined;
  return (writer, struct) => {
    for (let i = 0; i < names.length; i++) {
      const value = (struct as Struct)[names[i] as string];
      const write = writes[i] as Write<unknown>;
      write(writer, value === undefined ? (plain[i] as Member).codec.fallback() : value);
    }
    if (tags !== undefined) tags(writer, struct as Struct);
  };
}

function valueOf(struct: Struct, name: string, codec: Codec): unknown {
  const value = struct[name];
  return value === undefined ? codec.fallback() : value;
}

/** Reads the tagged fields that end a struct (KIP-482), mostly none; unknown ones are skipped. */
function tagReader(tagged: readonly Member[]): (reader: Reader, into: Struct) => void {
  return (reader, into) => {
    for (let left = reader.unsignedVarint(); left > 0; left--) readTag(tagged, reader, into);
  };
}

function readTag(tagged: readonly Member[], reader: Reader, into: Struct): void {
  const tag = reader.unsignedVarint();
  const size = reader.unsignedVarint();
  const end = reader.position + size;
  const member = memberOf(tagged, tag);
  if (member === undefined) return reader.skip(size);
  into[member.name] = member.codec.read(reader);
  if (reader.position !== end) throw new WireError(`tag ${tag} is not ${size} bytes long`);
}

function memberOf(tagged: readonly Member[], tag: number): Member | undefined {
  for (const member of tagged) if (member.field.tag === tag) return member;
  return undefined;
}

/** Those that have their default are not written. */
function tagWriter(tagged: readonly Member[]): Write<Struct> {
  if (tagged.length === 0) return (writer) => writer.unsignedVarint(0);
  return (writer, struct) => {
    const set = tagged.filter(({ name, codec }) => !codec.isDefault(valueOf(struct, name, codec)));
    writer.unsignedVarint(set.length);
    for (const member of set) {
      writer.unsignedVarint(tagOf(member));
      const mark = writer.beginSized();
      member.codec.write(writer, struct[member.name]);
      writer.endSized(mark);
    }
  };
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

/** @throws {WireError} unless `bytes`, from `at` on, is exactly one value of that version. */
export function decodeMessage<M extends Message>(
  message: M,
  version: number,
  bytes: Uint8Array,
  at = 0,
): MessageOf<M> {
  return readMessage(message, version, new Reader(bytes, at));
}

/** @throws {WireError} unless what `reader` has left is exactly one value of that version. */
export function readMessage<M extends Message>(message: M, version: number, reader: Reader): MessageOf<M> {
  const value = codecOf(message, message.fields, version).read(reader);
  reader.end();
  return value as MessageOf<M>;
}
