/** Castagnoli's polynomial, bits reflected (RFC 3720 B.4). */
const POLYNOMIAL = 0x82f63b78;
const TABLES = tables();

/** 16 tables, one behind the other: table k holds the CRC of each byte with k zero bytes behind it. */
function tables(): Int32Array {
  const all = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    all[byte] = crc;
  }
  for (let at = 256; at < all.length; at++) all[at] = (all[at - 256]! >>> 8) ^ all[all[at - 256]! & 0xff]!;
  return all;
}

/** The quickest checksum in JavaScript that we know, as a peer: slicing by 16, over words once they are aligned. */
export function slicing16(bytes: Uint8Array): number {
  let crc = -1;
  const head = Math.min(-bytes.byteOffset & 3, bytes.length);
  for (let at = 0; at < head; at++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[at]!) & 0xff]!;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + head, (bytes.length - head) >>> 2);
  const wordsEnd = words.length & ~3;
  for (let at = 0; at < wordsEnd; at += 4) {
    const a = words[at]! ^ crc;
    const b = words[at + 1]!;
    const c = words[at + 2]!;
    const d = words[at + 3]!;
    crc =
      TABLES[0xf00 + (a & 0xff)]! ^
      TABLES[0xe00 + ((a >>> 8) & 0xff)]! ^
      TABLES[0xd00 + ((a >>> 16) & 0xff)]! ^
      TABLES[0xc00 + (a >>> 24)]! ^
      TABLES[0xb00 + (b & 0xff)]! ^
      TABLES[0xa00 + ((b >>> 8) & 0xff)]! ^
      TABLES[0x900 + ((b >>> 16) & 0xff)]! ^
      TABLES[0x800 + (b >>> 24)]! ^
      TABLES[0x700 + (c & 0xff)]! ^
      TABLES[0x600 + ((c >>> 8) & 0xff)]! ^
      TABLES[0x500 + ((c >>> 16) & 0xff)]! ^
      TABLES[0x400 + (c >>> 24)]! ^
      TABLES[0x300 + (d & 0xff)]! ^
      TABLES[0x200 + ((d >>> 8) & 0xff)]! ^
      TABLES[0x100 + ((d >>> 16) & 0xff)]! ^
      TABLES[d >>> 24]!;
  }
  for (let at = head + 4 * wordsEnd; at < bytes.length; at++)
    crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}
