/**
 * The vocabulary to write Kafka's messages as data. The codec, the TypeScript types of requests and
 * responses, and what ApiVersions answers all come from these schemas. Source of the facts: Kafka's message
 * definitions (4.3, and 3.9 for the versions that KIP-896 removed).
 */
import { ZERO_UUID, type Uuid } from '../model/ids.ts';
import type { Reader } from './reader.ts';

/** `'3+'`, `'2-4'`, `'1'`; `'none'` is empty. */
export type Versions = `${number}+` | `${number}-${number}` | `${number}` | 'none';

/** Inclusive at both ends; empty when `max < min`. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

export type Kind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'int64Exact'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'array'
  | 'struct';

/** What the compiler knows of a field and nothing at run time holds. */
interface FieldTypes {
  decoded: unknown;
  init: unknown;
  versions: Versions;
  /** May be left out of what is encoded, wherever it stands. */
  optional: boolean;
}

/** One field of a message. Its name is the key it stands under. */
export interface Field<T extends FieldTypes = FieldTypes> {
  readonly types?: T;
  readonly kind: Kind;
  readonly versions: VersionRange;
  /** Versions in which null may be sent. */
  readonly nullable: VersionRange;
  /** A tagged field (KIP-482) in every version it has. */
  readonly tag: number | undefined;
  /** The value of a scalar; for an array or a struct only null counts, else it defaults to an empty one. */
  readonly default: unknown;
  /** Of an array. */
  readonly element: Field | undefined;
  /** Of a struct, in the order of the wire. */
  readonly fields: Fields | undefined;
}

export interface Fields {
  readonly [name: string]: Field;
}

/** A request and its response. */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly name: string;
  readonly key: number;
  readonly versions: VersionRange;
  /** From here on: compact lengths, tagged fields, request header v2 and response header v1 (KIP-482). */
  readonly flexible: VersionRange;
  readonly request: Request;
  readonly response: Response;
}

/** A value that travels inside another: a coordinator's record, a subscription, an assignment. */
export interface Message<F extends Fields = Fields> {
  readonly name: string;
  readonly versions: VersionRange;
  readonly flexible: VersionRange;
  readonly fields: F;
}

/**
 * As decoded: every field is there; one that its version lacks has its default. Bytes are views into the
 * frame.
 */
export type RequestOf<A extends Api> = Decoded<A['request']>;
export type ResponseOf<A extends Api> = Decoded<A['response']>;
export type MessageOf<M extends Message> = Decoded<M['fields']>;

/** To be encoded: fields with a default, and those that not every version has, may be left out. */
export type RequestInitOf<A extends Api> = Init<A['request'], '0+'>;
export type ResponseInitOf<A extends Api> = Init<A['response'], '0+'>;
export type MessageInitOf<M extends Message> = Init<M['fields'], '0+'>;

type TypesOf<F extends Field> = NonNullable<F['types']>;
type Flat<T> = { [K in keyof T]: T[K] };
type Decoded<F extends Fields> = { -readonly [K in keyof F]: TypesOf<F[K]>['decoded'] };

/** A field may be left out when it says so, or when it is not there as long as its parent (`V`) is. */
type OptionalKeys<F extends Fields, V extends Versions> = {
  [K in keyof F]: TypesOf<F[K]>['optional'] extends true
    ? K
    : TypesOf<F[K]>['versions'] extends V | '0+'
      ? never
      : K;
}[keyof F];

type Init<F extends Fields, V extends Versions> = Flat<
  { readonly [K in Exclude<keyof F, OptionalKeys<F, V>>]: TypesOf<F[K]>['init'] } & {
    readonly [K in OptionalKeys<F, V>]?: TypesOf<F[K]>['init'];
  }
>;

export interface Options<T> {
  /** Of a field its version lacks or a caller leaves out; a tagged field that equals it is not sent. */
  default?: T;
  tag?: number;
}

export interface NullableOptions<T> extends Options<T | null> {
  /** When null is allowed in fewer versions than the field has. */
  nullable?: Versions;
}

type MayBeLeftOut<O> = O extends { default: unknown } | { tag: number } ? true : false;

export interface Scalar<T, V extends Versions, O> extends FieldTypes {
  decoded: T;
  init: T;
  versions: V;
  optional: MayBeLeftOut<O>;
}

/** One that holds its default may be shared with other messages. */
export interface Structure<F extends Fields, N, V extends Versions, O> extends FieldTypes {
  decoded: Readonly<Decoded<F>> | N;
  init: Init<F, V> | N;
  versions: V;
  optional: MayBeLeftOut<O>;
}

/** Lists of numbers may be shared with other messages; all others are the caller's. */
type DecodedList<T> = T extends number ? readonly T[] : T[];

/** Elements: of one kind (`int32('0+')`) or structs (`{ … }`). */
export interface List<E extends Field | Fields, N, V extends Versions, O> extends FieldTypes {
  decoded:
    | (E extends Field ? DecodedList<TypesOf<E>['decoded']> : E extends Fields ? Decoded<E>[] : never)
    | N;
  init: readonly (E extends Field ? TypesOf<E>['init'] : E extends Fields ? Init<E, V> : never)[] | N;
  versions: V;
  optional: MayBeLeftOut<O>;
}

const NEVER: VersionRange = { min: 0, max: -1 };
const VERSION_MAX = 0x7fff;

/** `'0-13'` as numbers. An open end is the largest int16. */
export function range(versions: Versions): VersionRange {
  if (versions === 'none') return NEVER;
  if (versions.endsWith('+')) return { min: Number(versions.slice(0, -1)), max: VERSION_MAX };
  const [min, max] = versions.split('-');
  return { min: Number(min), max: Number(max ?? min) };
}

export function inRange({ min, max }: VersionRange, version: number): boolean {
  return version >= min && version <= max;
}

interface Parts {
  zero?: unknown;
  options?: NullableOptions<unknown> | undefined;
  nullable?: boolean;
  element?: Field;
  fields?: Fields;
}

/** `zero` is the default where a schema names none, as in Kafka: also of a nullable field. */
function field(
  kind: Kind,
  versions: Versions,
  { zero, options = {}, nullable, element, fields }: Parts,
): Field {
  return {
    kind,
    versions: range(versions),
    nullable: nullable ? range(options.nullable ?? versions) : NEVER,
    tag: options.tag,
    default: options.default === undefined ? zero : options.default,
    element,
    fields,
  };
}

function scalar<T>(kind: Kind, zero: T) {
  return <V extends Versions, const O extends Options<T> = Options<T>>(
    versions: V,
    options?: O,
  ): Field<Scalar<T, V, O>> => field(kind, versions, { zero, options }) as Field<Scalar<T, V, O>>;
}

function nullableScalar<T>(kind: Kind, zero: T) {
  return <V extends Versions, const O extends NullableOptions<T> = NullableOptions<T>>(
    versions: V,
    options?: O,
  ): Field<Scalar<T | null, V, O>> =>
    field(kind, versions, { zero, options, nullable: true }) as Field<Scalar<T | null, V, O>>;
}

const NO_BYTES = new Uint8Array(0);

export const bool = scalar('bool', false as boolean);
export const int8 = scalar('int8', 0 as number);
export const int16 = scalar('int16', 0 as number);
export const uint16 = scalar('uint16', 0 as number);
export const int32 = scalar('int32', 0 as number);
export const uint32 = scalar('uint32', 0 as number);
/** A number; beyond 2^53 it is refused with INVALID_REQUEST, never rounded. */
export const int64 = scalar('int64', 0 as number);
/** For fields that truly use 64 bits. */
export const int64Exact = scalar('int64Exact', 0n as bigint);
export const float64 = scalar('float64', 0 as number);
export const uuid = scalar<Uuid>('uuid', ZERO_UUID);
export const string = scalar('string', '' as string);
export const nullableString = nullableScalar('string', '' as string);
export const bytes = scalar<Uint8Array>('bytes', NO_BYTES);
export const nullableBytes = nullableScalar<Uint8Array>('bytes', NO_BYTES);
/** Record batches, one after the other, as they are stored. Null where Kafka allows it: always. */
export const records = nullableScalar<Uint8Array>('bytes', NO_BYTES);

function isField(element: Field | Fields): element is Field {
  return typeof element['kind'] === 'string';
}

function elementOf(element: Field | Fields): Field {
  return isField(element) ? element : field('struct', '0+', { fields: element });
}

export function array<
  V extends Versions,
  E extends Field | Fields,
  const O extends Options<never> = Options<never>,
>(versions: V, element: E, options?: O): Field<List<E, never, V, O>> {
  return field('array', versions, { element: elementOf(element), options }) as Field<List<E, never, V, O>>;
}

export function nullableArray<
  V extends Versions,
  E extends Field | Fields,
  const O extends NullableOptions<null> = NullableOptions<null>,
>(versions: V, element: E, options?: O): Field<List<E, null, V, O>> {
  const parts = { element: elementOf(element), options, nullable: true };
  return field('array', versions, parts) as Field<List<E, null, V, O>>;
}

export function struct<V extends Versions, F extends Fields, const O extends Options<never> = Options<never>>(
  versions: V,
  fields: F,
  options?: O,
): Field<Structure<F, never, V, O>> {
  return field('struct', versions, { fields, options }) as Field<Structure<F, never, V, O>>;
}

export function nullableStruct<
  V extends Versions,
  F extends Fields,
  const O extends NullableOptions<null> = NullableOptions<null>,
>(versions: V, fields: F, options?: O): Field<Structure<F, null, V, O>> {
  return field('struct', versions, { fields, options, nullable: true }) as Field<Structure<F, null, V, O>>;
}

/** Reads a struct: the literal of an object that names each field once, in the order of the schema. */
type Literal<F extends Fields> = (
  read: { readonly [K in keyof F]: (from: Reader) => TypesOf<F[K]>['decoded'] },
  from: Reader,
) => Decoded<F>;

const literals = new WeakMap<Fields, unknown>();

/**
 * The fields of a struct that messages hold by the thousand, and how to read one: an engine makes an object from
 * a literal of its own several times as fast as name by name.
 */
export function literal<F extends Fields>(fields: F, read: Literal<F>): F {
  literals.set(fields, read);
  return fields;
}

export function literalOf(fields: Fields): Literal<Fields> | undefined {
  return literals.get(fields) as Literal<Fields> | undefined;
}

interface ApiDefinition<Request extends Fields, Response extends Fields> {
  name: string;
  key: number;
  versions: Versions;
  flexible: Versions;
  request: Request;
  response: Response;
}

const loaded = new Map<number, Api>();

export function api<Request extends Fields, Response extends Fields>(
  definition: ApiDefinition<Request, Response>,
): Api<Request, Response> {
  const { key, versions, flexible } = definition;
  const made = { ...definition, versions: range(versions), flexible: range(flexible) };
  loaded.set(key, made);
  return made;
}

/** Among those this program has imported: a broker carries no schema it does not serve. */
export function loadedApi(key: number): Api | undefined {
  return loaded.get(key);
}

interface MessageDefinition<F extends Fields> {
  name: string;
  versions: Versions;
  flexible: Versions;
  fields: F;
}

export function message<F extends Fields>(definition: MessageDefinition<F>): Message<F> {
  const { versions, flexible } = definition;
  return { ...definition, versions: range(versions), flexible: range(flexible) };
}
