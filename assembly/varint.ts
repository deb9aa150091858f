/**
 * Kafka's zigzag varints. A read returns the position after it and leaves its value elsewhere: so the position, which
 * all that follows waits for, stays in a register. Reads look at no end as long as they take two bytes: whoever reads
 * compares positions with it before going far, and areas have slack behind them. What is longer and does not fit before
 * `end` ends one past it.
 */

/** The int32 that was read last, 0 when it was not all there. */
export let varint: i32 = 0;

/** int32, at most 5 bytes, left in `varint`; bits above the 32nd are dropped, as Kafka does. */
// @ts-ignore: decorator
@inline
export function readVarint(at: i32, end: i32): i32 {
  const bytes: u32 = load<u16>(at);
  if ((bytes & 0x80) == 0) {
    varint = unzigzag(bytes & 0x7f);
    return at + 1;
  }
  if (bytes < 0x8000) {
    varint = unzigzag(twoBytes(bytes));
    return at + 2;
  }
  at = readLong(at, end, 35);
  varint = unzigzag(<u32>raw);
  return at;
}

/** The same, left at `to`. */
// @ts-ignore: decorator
@inline
export function copyVarint(at: i32, end: i32, to: usize): i32 {
  const bytes: u32 = load<u16>(at);
  if ((bytes & 0x80) == 0) {
    store<i32>(to, unzigzag(bytes & 0x7f));
    return at + 1;
  }
  if (bytes < 0x8000) {
    store<i32>(to, unzigzag(twoBytes(bytes)));
    return at + 2;
  }
  at = readLong(at, end, 35);
  store<i32>(to, unzigzag(<u32>raw));
  return at;
}

/** int64, at most 10 bytes, left at `to` as the nearest float64; bits above the 64th are dropped. */
// @ts-ignore: decorator
@inline
export function copyVarlong(at: i32, end: i32, to: usize): i32 {
  const bytes: u32 = load<u16>(at);
  if ((bytes & 0x80) == 0) {
    store<f64>(to, unzigzag(bytes & 0x7f));
    return at + 1;
  }
  if (bytes < 0x8000) {
    store<f64>(to, unzigzag(twoBytes(bytes)));
    return at + 2;
  }
  at = readLong(at, end, 70);
  store<f64>(to, <f64>(<i64>((raw >>> 1) ^ -(raw & 1))));
  return at;
}

// @ts-ignore: decorator
@inline
function twoBytes(bytes: u32): u32 {
  return (bytes & 0x7f) | ((bytes >>> 1) & 0x3f80);
}

// @ts-ignore: decorator
@inline
function unzigzag(bits: u32): i32 {
  return (bits >>> 1) ^ -(bits & 1);
}

/** What `readLong` read: its zigzag form, 0 when it was not all there. */
let raw: u64 = 0;

function readLong(at: i32, end: i32, bits: u64): i32 {
  let sum: u64 = 0;
  for (let shift: u64 = 0; shift < bits; shift += 7) {
    if (at >= end) break;
    const byte: u64 = load<u8>(at++);
    sum |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      raw = sum;
      return at;
    }
  }
  raw = 0;
  return end + 1;
}

// @ts-ignore: decorator
@inline
export function sizeOfVarint(value: i32): i32 {
  const raw = <u32>((value << 1) ^ (value >> 31));
  return ((31 - clz<u32>(raw | 1)) * 9 + 73) >>> 6;
}

/** @returns the address after what was written: at most 5 bytes. */
// @ts-ignore: decorator
@inline
export function writeVarint(to: usize, value: i32): usize {
  let raw = <u32>((value << 1) ^ (value >> 31));
  while (raw > 0x7f) {
    store<u8>(to++, raw | 0x80);
    raw >>>= 7;
  }
  store<u8>(to, raw);
  return to + 1;
}

/** @returns the address after what was written: at most 10 bytes. */
// @ts-ignore: decorator
@inline
export function writeVarlong(to: usize, value: i64): usize {
  let raw = <u64>((value << 1) ^ (value >> 63));
  while (raw > 0x7f) {
    store<u8>(to++, raw | 0x80);
    raw >>>= 7;
  }
  store<u8>(to, raw);
  return to + 1;
}
