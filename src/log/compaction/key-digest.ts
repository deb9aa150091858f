/** Of digests: two HalfSipHash-2-4 of 64 bits, each with a key of its own. */
export const DIGEST_WORDS = 4;

/**
 * What stands for a record's key while a log is compacted: 16 bytes, as in Kafka. Kafka takes MD5, for which anyone can
 * make two keys with one digest; here the keys of the hash are of one pass, and nobody knows them.
 */
export class KeyDigest {
  readonly #seed: Uint32Array;
  /** The digest of the last key. */
  readonly words = new Uint32Array(DIGEST_WORDS);

  /** @param seed four words by chance. */
  constructor(seed: readonly number[]) {
    this.#seed = Uint32Array.from({ length: 4 }, (_, word) => seed[word] ?? 0);
  }

  /** Of `length` bytes at `at`. */
  take(bytes: Uint8Array, at: number, length: number): void {
    const [a = 0, b = 0, c = 0, d = 0] = this.#seed;
    halfSipHash(bytes, { at, length, k0: a, k1: b }, this.words, 0);
    halfSipHash(bytes, { at, length, k0: c, k1: d }, this.words, 2);
  }
}

interface Input {
  at: number;
  length: number;
  k0: number;
  k1: number;
}

/** HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein), as two words at `out`. */
function halfSipHash(bytes: Uint8Array, input: Input, into: Uint32Array, out: number): void {
  const { at, length, k0, k1 } = input;
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = k0 ^ 0x6c796765;
  let v3 = k1 ^ 0x74656462;
  const whole = at + (length & ~3);
  // The last word: what is left of the input, and its length.
  let word = length << 24;
  for (let left = length & 3; left > 0; left--) word |= (bytes[whole + left - 1] ?? 0) << (8 * (left - 1));
  // Two rounds a word, two for the last one, then four, and four more for the second half.
  let rounds = 2;
  let step = whole > at ? 0 : 1;
  for (let next = at; ;) {
    const m =
      step === 0
        ? (bytes[next] ?? 0) |
          ((bytes[next + 1] ?? 0) << 8) |
          ((bytes[next + 2] ?? 0) << 16) |
          ((bytes[next + 3] ?? 0) << 24)
        : step === 1
          ? word
          : 0;
    v3 ^= m;
    for (let round = 0; round < rounds; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= m;
    if (step === 0) {
      next += 4;
      if (next >= whole) step = 1;
    } else if (step === 1) {
      v2 ^= 0xee;
      rounds = 4;
      step = 2;
    } else if (step === 2) {
      into[out] = v1 ^ v3;
      v1 ^= 0xdd;
      step = 3;
    } else {
      into[out + 1] = v1 ^ v3;
      return;
    }
  }
}
