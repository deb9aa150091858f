/** A zig-zag varint of at most 32 bits at `cursor.at`, which moves past it. Bytes a kernel has checked. */
export function readVarint(cursor: { bytes: Uint8Array; at: number }): number {
  let raw = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = cursor.bytes[cursor.at++] ?? 0;
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return (raw >>> 1) ^ -(raw & 1);
}
