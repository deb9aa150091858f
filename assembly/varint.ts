/**
 * A cursor over [at, end), and Kafka's zigzag varints. What does not fit leaves the cursor one past `end`, where every
 * further read keeps it: one look at `position()` after a record tells whether all of it was there.
 */
let at: i32 = 0;
let end: i32 = 0;

export function seek(from: i32, to: i32): void {
  at = from;
  end = to;
}

// @ts-ignore: decorator
@inline
export function position(): i32 {
  return at;
}

// @ts-ignore: decorator
@inline
export function remaining(): i32 {
  return end - at;
}

function fail(): void {
  at = end + 1;
}

/** Passes over `length` bytes. A negative length fails. */
// @ts-ignore: decorator
@inline
export function skip(length: i32): void {
  if (<u32>length > <u32>max(end - at, 0)) fail();
  else at += length;
}

/** Passes over `length` bytes, or over none when it is -1 (null). */
// @ts-ignore: decorator
@inline
export function skipNullable(length: i32): void {
  if (length != -1) skip(length);
}

/** int32, at most 5 bytes; bits above the 32nd are dropped, as Kafka does. */
// @ts-ignore: decorator
@inline
export function readVarint(): i32 {
  if (at < end) {
    const byte: u32 = load<u8>(at);
    if (byte < 0x80) {
      at++;
      return (byte >>> 1) ^ -(byte & 1);
    }
  }
  return longVarint();
}

function longVarint(): i32 {
  let raw: u32 = 0;
  for (let shift: u32 = 0; shift < 35; shift += 7) {
    if (at >= end) break;
    const byte: u32 = load<u8>(at++);
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1);
  }
  fail();
  return 0;
}

/** int64, at most 10 bytes; bits above the 64th are dropped. */
export function readVarlong(): i64 {
  let raw: u64 = 0;
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    if (at >= end) break;
    const byte: u64 = load<u8>(at++);
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1);
  }
  fail();
  return 0;
}

// @ts-ignore: decorator
@inline
export function sizeOfVarint(value: i32): i32 {
  const raw = <u32>((value << 1) ^ (value >> 31));
  return ((31 - clz<u32>(raw | 1)) * 9 + 73) >>> 6;
}

// @ts-ignore: decorator
@inline
export function sizeOfVarlong(value: i64): i32 {
  const raw = <u64>((value << 1) ^ (value >> 63));
  return <i32>(((63 - clz<u64>(raw | 1)) * 9 + 73) >>> 6);
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
