import type { ProducerRecord } from '../../client/producer/record.ts';
import { isBase64, textOfField } from '../transfer/json-text.ts';
import { fieldBytes, headersIn, integerIn, objectIn, PARTITION_MAX, strangerIn } from '../transfer/ndjson.ts';

/**
 * Reads `{"key":…,"value":…,"headers":{…},"partition":…,"timestamp":…}`, of which the value alone must be there. Texts
 * are texts, `{"base64":"…"}` bytes, null a tombstone or no key; any other JSON is itself, as it is written.
 * What `consume` writes besides, topic and offset, is not heeded.
 * @throws Error with what is wrong and what would be right.
 */
export function recordOf(text: string): ProducerRecord {
  const line = objectIn(text);
  const fault = strangerIn(line) ?? (line['value'] === undefined ? 'it has no "value"' : undefined);
  if (fault !== undefined) throw new Error(`${fault}; with --raw the whole line is the value`);
  const { partition, timestamp } = line;
  return {
    key: line['key'] === undefined ? null : bytesOf(line['key'], 'key', text),
    value: bytesOf(line['value'], 'value', text),
    ...(line['headers'] === undefined ? {} : { headers: headersOf(line['headers']) }),
    ...(partition === undefined ? {} : { partition: integerIn(line, 'partition', 0, PARTITION_MAX) }),
    ...(timestamp === undefined
      ? {}
      : { timestamp: integerIn(line, 'timestamp', 0, Number.MAX_SAFE_INTEGER) }),
  };
}

function bytesOf(value: unknown, name: string, line: string): Uint8Array | string | null {
  const isField = value === null || typeof value === 'string' || isBase64(value);
  return isField ? fieldBytes(value, name) : textOfField(line, name);
}

/** A list of pairs, where names repeat, or an object. */
function headersOf(given: unknown): { key: string; value: Uint8Array | null }[] {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  return headersIn(isObject ? Object.entries(given) : given);
}
