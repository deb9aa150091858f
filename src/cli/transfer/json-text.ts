import { isUtf8 } from 'node:buffer';

/** JSON as it was written: parsed and written again it could have other spaces, and its long numbers other digits. */

const ENDS: Readonly<Record<number, number>> = { 0x5b: 0x5d, 0x7b: 0x7d };

/**
 * The object or list that these bytes are, where it can stand in a line and comes back from there byte by byte;
 * undefined where they are anything else, and for `{"base64": …}`, which stands for bytes.
 */
export function jsonIn(bytes: Uint8Array): string | undefined {
  const isWhole = bytes.length > 1 && ENDS[bytes[0] ?? 0] === bytes.at(-1);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!isWhole || !isUtf8(view)) return undefined;
  const text = view.toString('utf8');
  if (/[\r\n]/.test(text)) return undefined;
  try {
    return isBase64(JSON.parse(text)) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Whether it stands for bytes. */
export function isBase64(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'base64' in value && Object.keys(value).length === 1;
}

const TOKEN = /"(?:[^"\\]+|\\.)*"|[[\]{}:,]/g;

/** A field's value as it stands in the text, which is that of an object that has it; the last one, as `JSON.parse`. */
export function textOfField(text: string, name: string): string {
  let found = '';
  let depth = 0;
  let word = '';
  let startsAt = -1;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    if (startsAt >= 0 && (depth === 0 || (depth === 1 && token === ','))) {
      found = text.slice(startsAt, index).trim();
      startsAt = -1;
    }
    if (depth === 1 && token === ':' && JSON.parse(word) === name) startsAt = index + 1;
    word = token;
  }
  return found;
}
