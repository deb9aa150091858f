/** What the objects around a batch take, roughly. */
export const OVERHEAD_BYTES = 200;

/**
 * `bytes` as they may be kept: a view of a buffer more than twice as large as a copy of its own, lest a record of 100
 * bytes keeps all of what a socket read alive.
 * @param copyMaxBytes larger views are kept as they are, where what they pin is counted.
 */
export function keepable(bytes: Uint8Array, copyMaxBytes = Infinity): Uint8Array {
  const pins = bytes.buffer.byteLength > 2 * bytes.length + OVERHEAD_BYTES;
  return pins && bytes.length <= copyMaxBytes ? bytes.slice() : bytes;
}
