import { isUtf8 } from 'node:buffer';
import type { Millis, Offset } from '../../model/ids.ts';
import type { TopicPartition } from '../../client/topic-partition.ts';
import type { RecordView } from '../../records/batch.ts';
import { isBase64, jsonIn, textOfField } from './json-text.ts';

/** Bytes in a line: text where they are UTF-8, else `{"base64": "…"}`; null is no key, or a tombstone. */
export type Field = string | { base64: string } | null;

/**
 * A record as one line of JSON, its end included; headers in order, names may repeat.
 * @param isAppendTime whose the timestamp is, where that is known. @param nests a value that is an object or a list of
 *   JSON stands there as such, and comes back as it was; else as text.
 */
export function lineOf(
  { topic, partition }: TopicPartition,
  { offset, timestamp, keyBytes, valueBytes, headers }: RecordView,
  { isAppendTime, nests = false }: { isAppendTime?: boolean; nests?: boolean } = {},
): string {
  const timestampType = isAppendTime ? 'LogAppendTime' : 'CreateTime';
  const before = {
    topic,
    partition,
    offset,
    timestamp,
    ...(isAppendTime === undefined ? {} : { timestampType }),
    key: fieldOf(keyBytes),
  };
  const json = nests && valueBytes !== null ? jsonIn(valueBytes) : undefined;
  const value = json ?? JSON.stringify(fieldOf(valueBytes));
  const pairs = headers.map(({ key, value: bytes }) => [key, fieldOf(bytes)]);
  return `${JSON.stringify(before).slice(0, -1)},"value":${value},"headers":${JSON.stringify(pairs)}}\n`;
}

export function fieldOf(bytes: Uint8Array | null): Field {
  if (bytes === null) return null;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(view) ? view.toString('utf8') : { base64: view.toString('base64') };
}

/** A record to be written, read from a line. */
export interface Parsed {
  topic: string;
  partition: number;
  offset: Offset | undefined;
  timestamp: Millis;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: { key: string; value: Uint8Array | null }[];
}

const NAMES = new Set([
  'topic',
  'partition',
  'offset',
  'timestamp',
  'timestampType',
  'key',
  'value',
  'headers',
]);
export const PARTITION_MAX = 0x7fff_ffff;

/** Reads what {@link lineOf} writes. @throws Error with what is wrong and what would be right. */
export function parseLine(text: string): Parsed {
  const line = objectIn(text);
  const stranger = strangerIn(line);
  if (stranger !== undefined) throw new Error(stranger);
  const { topic, offset, timestampType = 'CreateTime' } = line;
  if (typeof topic !== 'string' || topic === '') throw new Error('topic must be the name of a topic');
  if (timestampType !== 'CreateTime' && timestampType !== 'LogAppendTime')
    throw new Error('timestampType must be CreateTime or LogAppendTime');
  if (line['value'] === undefined) throw new Error('value is missing; null is a tombstone');
  return {
    topic,
    partition: integerIn(line, 'partition', 0, PARTITION_MAX),
    offset: offset === undefined ? undefined : integerIn(line, 'offset', 0, Number.MAX_SAFE_INTEGER),
    timestamp: integerIn(line, 'timestamp', -1, Number.MAX_SAFE_INTEGER),
    key: fieldBytes(line['key'] ?? null, 'key'),
    value: isJson(line['value'])
      ? Buffer.from(textOfField(text, 'value'))
      : fieldBytes(line['value'], 'value'),
    headers: headersIn(line['headers'] ?? []),
  };
}

/** An object or a list that stands for itself. */
function isJson(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !isBase64(value);
}

/** What is wrong with the first field that a record does not have. */
export function strangerIn(line: { readonly [name: string]: unknown }): string | undefined {
  const stranger = Object.keys(line).find((name) => !NAMES.has(name));
  return stranger === undefined ? undefined : `"${stranger.slice(0, 40)}" is no field of a record`;
}

/** @throws Error when it is none. */
export function objectIn(text: string): { readonly [name: string]: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new Error('not a JSON object');
}

/** @throws Error when the field is none from `min` to `max`. */
export function integerIn(
  line: { readonly [name: string]: unknown },
  name: string,
  min: number,
  max: number,
): number {
  const value = line[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const given = value === undefined ? 'it is missing' : `not ${JSON.stringify(value).slice(0, 40)}`;
  throw new Error(`${name} must be a whole number from ${min} to ${max}: ${given}`);
}

/** What {@link lineOf} writes for bytes. @throws Error when it is none of that. */
export function fieldBytes(field: unknown, name: string): Uint8Array | null {
  if (field === null) return null;
  if (typeof field === 'string') return Buffer.from(wellFormed(field, name), 'utf8');
  const base64 =
    typeof field === 'object' && Object.keys(field).length === 1 && 'base64' in field && field.base64;
  if (typeof base64 !== 'string') throw new Error(`${name} must be text, null or {"base64": "…"}`);
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) throw new Error(`the base64 of ${name} is not sound`);
  return bytes;
}

/** @throws Error when it is no list of pairs. */
export function headersIn(given: unknown): Parsed['headers'] {
  if (!Array.isArray(given)) throw new Error('headers must be a list of [name, value]');
  return given.map((pair: unknown, at) => {
    const [key, value]: unknown[] = Array.isArray(pair) && pair.length === 2 ? pair : [];
    if (typeof key !== 'string') throw new Error(`headers[${at}] must be [name, value]`);
    return { key: wellFormed(key, `headers[${at}]`), value: fieldBytes(value, `headers[${at}]`) };
  });
}

/** Half a surrogate pair has no form in UTF-8: it would come back as something else. */
function wellFormed(text: string, name: string): string {
  if (text.isWellFormed()) return text;
  throw new Error(`${name} holds half a surrogate pair, which is no text`);
}
