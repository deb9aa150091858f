const utf8 = new TextEncoder();

/**
 * The UTF-8 of each of `texts`. Asking for it costs more than a short text itself: all are asked for at once, and
 * where they are ASCII, a byte a character, the answer is cut. Others are asked for one by one.
 */
export function encodeTexts(texts: readonly string[]): Uint8Array[] {
  const joined = texts.join('');
  const bytes = utf8.encode(joined);
  if (bytes.length !== joined.length) return texts.map((text) => utf8.encode(text));
  let at = 0;
  return texts.map(({ length }) => bytes.subarray(at, (at += length)));
}
