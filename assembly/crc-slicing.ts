import { CRC_TABLES, CRC_TABLE_COUNT, CRC_TABLE_SIZE } from './layout';

/** Castagnoli's polynomial, bits reflected (RFC 3720 B.4). */
const POLYNOMIAL: u32 = 0x82f63b78;

/** Table k holds, for each byte, its CRC after k more zero bytes: what it adds to a CRC taken 16 bytes at a time. */
function fillTables(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (POLYNOMIAL & (0 - (crc & 1)));
    store<u32>(CRC_TABLES + (byte << 2), crc);
  }
  for (let table: u32 = 1; table < CRC_TABLE_COUNT; table++) {
    const at = CRC_TABLES + <usize>table * CRC_TABLE_SIZE;
    for (let byte: u32 = 0; byte < 256; byte++) {
      const shorter = load<u32>(at - CRC_TABLE_SIZE + (byte << 2));
      store<u32>(at + (byte << 2), (shorter >>> 8) ^ load<u32>(CRC_TABLES + ((shorter & 0xff) << 2)));
    }
  }
}
fillTables();

// One function for each place of a 4-byte word in a 16-byte block: offsets of loads must be literal constants. In 64
// bits, since V8 (13.6, x64) loads twice what a 32-bit xor takes from memory.
// @ts-ignore: decorator
@inline
function word0(word: u32): u64 {
  return (
    i64.load32_u((word << 2) & 0x3fc, CRC_TABLES + 15 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 6) & 0x3fc, CRC_TABLES + 14 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 14) & 0x3fc, CRC_TABLES + 13 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 22) & 0x3fc, CRC_TABLES + 12 * CRC_TABLE_SIZE)
  );
}
// @ts-ignore: decorator
@inline
function word1(word: u32): u64 {
  return (
    i64.load32_u((word << 2) & 0x3fc, CRC_TABLES + 11 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 6) & 0x3fc, CRC_TABLES + 10 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 14) & 0x3fc, CRC_TABLES + 9 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 22) & 0x3fc, CRC_TABLES + 8 * CRC_TABLE_SIZE)
  );
}
// @ts-ignore: decorator
@inline
function word2(word: u32): u64 {
  return (
    i64.load32_u((word << 2) & 0x3fc, CRC_TABLES + 7 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 6) & 0x3fc, CRC_TABLES + 6 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 14) & 0x3fc, CRC_TABLES + 5 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 22) & 0x3fc, CRC_TABLES + 4 * CRC_TABLE_SIZE)
  );
}
// @ts-ignore: decorator
@inline
function word3(word: u32): u64 {
  return (
    i64.load32_u((word << 2) & 0x3fc, CRC_TABLES + 3 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 6) & 0x3fc, CRC_TABLES + 2 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 14) & 0x3fc, CRC_TABLES + 1 * CRC_TABLE_SIZE) ^
    i64.load32_u((word >>> 22) & 0x3fc, CRC_TABLES)
  );
}

/** The state after a block, whose first word has the state before it added. */
// @ts-ignore: decorator
@inline
export function slice16(first: u32, second: u32, third: u32, fourth: u32): u32 {
  return <u32>(word0(first) ^ word1(second) ^ (word2(third) ^ word3(fourth)));
}

/** What a state becomes after 16 zero bytes. */
export function advance16(state: u32): u32 {
  return <u32>word0(state);
}

/** Slicing by 16: `length` bytes at `at` through the tables. `state` and the result: CRCs not yet inverted. */
export function slice(state: u32, at: usize, length: i32): u32 {
  const end = at + length;
  const blocksEnd = at + (length & ~15);
  while (at < blocksEnd) {
    state = slice16(load<u32>(at) ^ state, load<u32>(at, 4), load<u32>(at, 8), load<u32>(at, 12));
    at += 16;
  }
  if (length & 8) {
    state = <u32>(word2(load<u32>(at) ^ state) ^ word3(load<u32>(at, 4)));
    at += 8;
  }
  if (length & 4) {
    state = <u32>word3(load<u32>(at) ^ state);
    at += 4;
  }
  while (at < end) {
    state = (state >>> 8) ^ load<u32>(((state ^ load<u8>(at)) & 0xff) << 2, CRC_TABLES);
    at++;
  }
  return state;
}
