/** Memory of that size, with anything in it. */
export type Allocate = (sizeBytes: number) => Uint8Array;

/** One copy of all chunks, one behind the other. */
export function concat(
  chunks: readonly Uint8Array[],
  allocate: Allocate = (sizeBytes) => new Uint8Array(sizeBytes),
): Uint8Array {
  const bytes = allocate(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** An int32, little-endian. All four bytes are there. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
