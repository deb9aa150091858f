/** What the objects around a batch take, roughly. */
export const OVERHEAD_BYTES = 200;

/**
 * `bytes` as they may be kept: a view of a buffer more than twice as large as a copy of its own, lest a record of 100
 * bytes keeps all of what a socket read alive.
 * @param copyMaxBytes larger views are kept as they are, where what they pin is counted.
 */
export function keepable(bytes: Uint8Array, copyMaxBytes = Infinity): Uint8Array {
  return pins(bytes) && bytes.length <= copyMaxBytes ? bytes.slice() : bytes;
}

/** Whether it is a small part of what it keeps alive. */
export function pins(bytes: Uint8Array): boolean {
  return bytes.buffer.byteLength > 2 * bytes.length + OVERHEAD_BYTES;
}
