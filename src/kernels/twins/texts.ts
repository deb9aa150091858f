import type { EncodeRecord } from '../kernels.ts';

type Field = Uint8Array | string | null;

const utf8 = new TextEncoder();

/** `records` with their texts as UTF-8. */
export function encodeTexts(records: readonly EncodeRecord[]): readonly EncodeRecord<Uint8Array>[] {
  const texts = textsOf(records);
  if (texts.length === 0) return records as readonly EncodeRecord<Uint8Array>[];
  const encoded = encodeAll(texts);
  let next = 0;
  const bytes = <T extends Field>(field: T) =>
    (typeof field === 'string' ? encoded[next++]! : field) as Exclude<T, string>;
  return records.map(({ timestampDelta, offsetDelta, key, value, headers }) => ({
    timestampDelta,
    offsetDelta,
    key: bytes(key),
    value: bytes(value),
    headers: headers.map((header) => ({ key: bytes(header.key), value: bytes(header.value) })),
  }));
}

/** In the order in which they are encoded. */
function textsOf(records: readonly EncodeRecord[]): string[] {
  const texts: string[] = [];
  const add = (field: Field): void => {
    if (typeof field === 'string') texts.push(field);
  };
  for (const { key, value, headers } of records) {
    add(key);
    add(value);
    for (const header of headers) {
      add(header.key);
      add(header.value);
    }
  }
  return texts;
}

/** Each call costs more than a short text itself: all are encoded in one, and cut while they are ASCII. */
function encodeAll(texts: readonly string[]): Uint8Array[] {
  const joined = texts.join('');
  const bytes = utf8.encode(joined);
  if (bytes.length !== joined.length) return texts.map((text) => utf8.encode(text));
  let at = 0;
  return texts.map(({ length }) => bytes.subarray(at, (at += length)));
}
