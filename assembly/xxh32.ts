/**
 * xxHash of 32 bits (xxhash.com, "XXH32"), the checksum of LZ4's frames. It goes over stripes of 16 bytes, then over
 * what is left: so that a frame that comes in parts can be summed, these are calls of their own.
 */
const PRIME_1: u32 = 2_654_435_761;
const PRIME_2: u32 = 2_246_822_519;
const PRIME_3: u32 = 3_266_489_917;
const PRIME_4: u32 = 668_265_263;
const PRIME_5: u32 = 374_761_393;

let lane0: u32 = 0;
let lane1: u32 = 0;
let lane2: u32 = 0;
let lane3: u32 = 0;

export function xxh32Begin(): void {
  lane0 = PRIME_1 + PRIME_2;
  lane1 = PRIME_2;
  lane2 = 0;
  lane3 = 0 - PRIME_1;
}

// @ts-ignore: decorator
@inline
function lane(sum: u32, word: u32): u32 {
  return rotl<u32>(sum + word * PRIME_2, 13) * PRIME_1;
}

/** `length` bytes at `at`: a multiple of 16. */
export function xxh32Stripes(at: usize, length: usize): void {
  let a = lane0;
  let b = lane1;
  let c = lane2;
  let d = lane3;
  for (const end = at + length; at < end; at += 16) {
    a = lane(a, load<u32>(at));
    b = lane(b, load<u32>(at, 4));
    c = lane(c, load<u32>(at, 8));
    d = lane(d, load<u32>(at, 12));
  }
  lane0 = a;
  lane1 = b;
  lane2 = c;
  lane3 = d;
}

/** The sum of `length` bytes at `at`; one that is under way goes on as if nothing had been. */
export function xxh32(at: usize, length: u32): u32 {
  const a = lane0;
  const b = lane1;
  const c = lane2;
  const d = lane3;
  xxh32Begin();
  xxh32Stripes(at, length & ~15);
  const sum = xxh32End(at + (length & ~15), length);
  lane0 = a;
  lane1 = b;
  lane2 = c;
  lane3 = d;
  return sum;
}

/** The sum of `total` bytes in all, whose last `total % 16` are at `at`. */
export function xxh32End(at: usize, total: u32): u32 {
  let sum =
    total < 16 ? PRIME_5 : rotl<u32>(lane0, 1) + rotl<u32>(lane1, 7) + rotl<u32>(lane2, 12) + rotl<u32>(lane3, 18);
  sum += total;
  const end = at + (total & 15);
  for (; at + 4 <= end; at += 4) sum = rotl<u32>(sum + load<u32>(at) * PRIME_3, 17) * PRIME_4;
  for (; at < end; at++) sum = rotl<u32>(sum + <u32>load<u8>(at) * PRIME_5, 11) * PRIME_1;
  sum = (sum ^ (sum >>> 15)) * PRIME_2;
  sum = (sum ^ (sum >>> 13)) * PRIME_3;
  return sum ^ (sum >>> 16);
}
