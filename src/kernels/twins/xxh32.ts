import { wordAt } from '../../model/bytes.ts';

const PRIME_1 = 2_654_435_761;
const PRIME_2 = 2_246_822_519;
const PRIME_3 = 3_266_489_917;
const PRIME_4 = 668_265_263;
const PRIME_5 = 374_761_393;

/** xxHash of 32 bits (xxhash.com, "XXH32"), seed 0, unsigned: the checksum of LZ4's frames. */
export function xxh32(bytes: Uint8Array): number {
  const { length } = bytes;
  const stripesEnd = length & ~15;
  let sum = PRIME_5;
  if (length >= 16) {
    let a = (PRIME_1 + PRIME_2) | 0;
    let b = PRIME_2 | 0;
    let c = 0;
    let d = -PRIME_1 | 0;
    for (let at = 0; at < stripesEnd; at += 16) {
      a = lane(a, wordAt(bytes, at));
      b = lane(b, wordAt(bytes, at + 4));
      c = lane(c, wordAt(bytes, at + 8));
      d = lane(d, wordAt(bytes, at + 12));
    }
    sum = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  }
  sum = (sum + length) | 0;
  let at = stripesEnd;
  for (; at + 4 <= length; at += 4) {
    sum = Math.imul(rotate((sum + Math.imul(wordAt(bytes, at), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < length; at++) sum = Math.imul(rotate((sum + Math.imul(bytes[at]!, PRIME_5)) | 0, 11), PRIME_1);
  sum = Math.imul(sum ^ (sum >>> 15), PRIME_2);
  sum = Math.imul(sum ^ (sum >>> 13), PRIME_3);
  return (sum ^ (sum >>> 16)) >>> 0;
}

function lane(sum: number, word: number): number {
  return Math.imul(rotate((sum + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
