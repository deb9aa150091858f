import { APIS } from '../../src/wire/registry.ts';
import { inRange, type Api, type Field, type Fields } from '../../src/wire/schema.ts';
import type { Struct } from './arbitraries.ts';

export interface Header {
  correlationId: number;
  clientId: string;
}

/** One request, as another library is asked to write it and in our own words. */
export interface OracleCase<Args> {
  api: string;
  kafkajsName?: string;
  args(version: number): Args;
  /** `records` is what the library made of its messages; batches are not this room's business. */
  body(version: number, records: Uint8Array | null): Struct;
  /** A field of this version's response that the library reads past, or of which it keeps a part. */
  unread?(version: number): string | undefined;
}

/**
 * Two elements a list, and numbers, strings and bytes that differ all over the message, so that a mix-up
 * shows.
 */
export function distinctBody(fields: Fields, version: number): Struct {
  let count = 0;
  const valueOf = (field: Field): unknown => {
    count++;
    switch (field.kind) {
      case 'struct':
        return bodyOf(field.fields as Fields);
      case 'array':
        return [valueOf(field.element as Field), valueOf(field.element as Field)];
      case 'bool':
        return true;
      case 'int8':
        return count % 0x80;
      case 'uint16':
        return count;
      case 'int64':
        return 2 ** 40 + count;
      case 'int64Exact':
        return 2n ** 60n + BigInt(count);
      case 'uuid':
        return Buffer.from(`uuid ${count}`.padEnd(16, '.')).toString('base64url');
      case 'string':
        return `text ${count}`;
      case 'bytes':
        return Buffer.from(`bytes ${count}`);
      default:
        return (field.kind === 'int16' ? 0x1000 : 0x10_0000) + count;
    }
  };
  /** What other libraries look into: error codes have to exist, and records to be records. */
  const named = (name: string): unknown => {
    if (name === 'records') return new Uint8Array(0);
    return /errorCode$/i.test(name) ? (++count % 100) + 1 : undefined;
  };
  const bodyOf = (all: Fields): Struct =>
    Object.fromEntries(
      Object.entries(all)
        .filter(([, field]) => inRange(field.versions, version))
        .map(([name, field]) => [name, named(name) ?? valueOf(field)]),
    );
  return bodyOf(fields);
}

/** Every scalar in `value`, in one spelling whatever the library: its names do not matter, its values do. */
export function leavesOf(value: unknown): string[] {
  if (value instanceof Error) return [];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')];
  if (value instanceof Map) return leavesOf([...value.entries()]);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(leavesOf);
  const text = String(value);
  return [DASHED.test(text) ? fromDashed(text) : text];
}

/** Those under the key `name`, however deep. */
export function leavesUnder(name: string | undefined, value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === name ? leavesOf(inner) : leavesUnder(name, inner),
  );
}

const DASHED = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function fromDashed(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');
}

export function toDashed(id: string): string {
  const hex = Buffer.from(id, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Sorted, without the empty text (the records) and what the library makes up or leaves out. */
export function comparable(leaves: readonly string[], ignored: readonly string[]): string[] {
  return leaves.filter((leaf) => leaf !== '' && !ignored.includes(leaf)).sort();
}

/** The records of the one partition of a Produce request, else null. */
export function recordsIn(body: Struct): Uint8Array | null {
  const { topicData } = body as { topicData?: { partitionData: { records: Uint8Array }[] }[] };
  return topicData?.[0]?.partitionData[0]?.records ?? null;
}

export function apiNamed(name: string): Api {
  const found = APIS.find((api) => api.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}
