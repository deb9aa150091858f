import type { ProducerRecord } from '../../client/producer/record.ts';
import { fieldBytes, headersIn, integerIn, objectIn } from '../transfer/ndjson.ts';

/** What a line says of a record: as `consume` writes it, of which topic and offset are not heeded. */
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
const PARTITION_MAX = 0x7fff_ffff;

/**
 * Reads `{"key":…,"value":…,"headers":{…},"partition":…,"timestamp":…}`, of which the value alone must be there. Texts
 * are texts, `{"base64":"…"}` bytes, null a tombstone or no key; any other JSON is itself, as text.
 * @throws Error with what is wrong and what would be right.
 */
export function recordOf(text: string): ProducerRecord {
  const line = objectIn(text);
  const stranger = Object.keys(line).find((name) => !NAMES.has(name));
  if (stranger !== undefined || line['value'] === undefined) {
    const what =
      stranger === undefined ? 'it has no "value"' : `"${stranger.slice(0, 40)}" is no field of a record`;
    throw new Error(`${what}; with --raw the whole line is the value`);
  }
  const { partition, timestamp } = line;
  return {
    key: bytesOf(line['key'] ?? null, 'key'),
    value: bytesOf(line['value'], 'value'),
    ...(line['headers'] === undefined ? {} : { headers: headersOf(line['headers']) }),
    ...(partition === undefined ? {} : { partition: integerIn(line, 'partition', 0, PARTITION_MAX) }),
    ...(timestamp === undefined
      ? {}
      : { timestamp: integerIn(line, 'timestamp', 0, Number.MAX_SAFE_INTEGER) }),
  };
}

function bytesOf(value: unknown, name: string): Uint8Array | string | null {
  const isField = value === null || typeof value === 'string' || isBase64(value);
  return isField ? fieldBytes(value, name) : JSON.stringify(value);
}

function isBase64(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'base64' in value && Object.keys(value).length === 1;
}

/** A list of pairs, where names repeat, or an object. */
function headersOf(given: unknown): { key: string; value: Uint8Array | null }[] {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  return headersIn(isObject ? Object.entries(given) : given);
}
