import { advance16, slice16 } from './crc-slicing';
import { from12, from13, from14, from15 } from './lanes';
import { CRC_TABLES, LOW_NIBBLES, NIBBLE_TABLES, NIBBLE_TABLE_COUNT, NIBBLE_TABLE_SIZE } from './layout';

/**
 * Whole blocks of 16 bytes without waiting for one before the next. A CRC is a sum: what a message's bytes have each,
 * followed by as many zeros as there are bytes behind them; and a byte's is the sum of its two halves'. A table holds
 * what nibbles add that so many blocks follow, 16 low ones and 16 high ones, byte by byte of the CRC in a row: so a
 * swizzle looks up a row for a whole block.
 *
 *     a table, 128 bytes:  low nibbles: byte 0 │ byte 1 │ byte 2 │ byte 3 │ high nibbles: byte 0 │ … │ byte 3
 *
 * The first is that of one block to follow, for the last block has no need of one.
 */
function fillTables(): void {
  for (let half: u32 = 0; half < 2; half++) {
    for (let nibble: u32 = 0; nibble < 16; nibble++) {
      let crc = load<u32>(CRC_TABLES + ((nibble << (4 * half)) << 2));
      for (let table: usize = 0; table < NIBBLE_TABLE_COUNT; table++) {
        crc = advance16(crc);
        const at = NIBBLE_TABLES + table * NIBBLE_TABLE_SIZE + 64 * half + nibble;
        for (let byte: u32 = 0; byte < 4; byte++) store<u8>(at + 16 * byte, <u8>(crc >>> (8 * byte)));
      }
    }
  }
}
fillTables();
v128.store(LOW_NIBBLES, i8x16.splat(15));

/** The blocks [at, end), from one to one more than there are tables. `state` and the result: CRCs not yet inverted. */
export function sumBlocks(state: u32, at: usize, end: usize): u32 {
  const lowNibbles = v128.load(LOW_NIBBLES);
  const last = end - 16;
  let table = NIBBLE_TABLES + ((last - at) / 16 - 1) * NIBBLE_TABLE_SIZE;
  let carried = i32x4.replace_lane(i64x2.splat(0), 0, state);
  let sum0 = i64x2.splat(0);
  let sum1 = i64x2.splat(0);
  let sum2 = i64x2.splat(0);
  let sum3 = i64x2.splat(0);
  for (; at < last; at += 16) {
    const block = v128.xor(v128.load(at), carried);
    const low = v128.and(block, lowNibbles);
    const high = v128.and(i16x8.shr_u(block, 4), lowNibbles);
    sum0 = v128.xor(sum0, looked(v128.load(table), low, v128.load(table, 64), high));
    sum1 = v128.xor(sum1, looked(v128.load(table, 16), low, v128.load(table, 80), high));
    sum2 = v128.xor(sum2, looked(v128.load(table, 32), low, v128.load(table, 96), high));
    sum3 = v128.xor(sum3, looked(v128.load(table, 48), low, v128.load(table, 112), high));
    carried = i64x2.splat(0);
    table -= NIBBLE_TABLE_SIZE;
  }
  return withLast(v128.xor(v128.load(last), carried), sum0, sum1, sum2, sum3);
}

// @ts-ignore: decorator
@inline
function looked(lowRow: v128, low: v128, highRow: v128, high: v128): v128 {
  return v128.xor(i8x16.swizzle(lowRow, low), i8x16.swizzle(highRow, high));
}

/**
 * The tables took each byte for the last of its block. So lane k of the sums is a CRC that stands right behind byte k
 * of the last block, to be added to the four bytes there: one place on for its first byte, four for its last. That
 * changes this block, and makes four bytes beyond it.
 */
// @ts-ignore: decorator
@inline
function withLast(last: v128, sum0: v128, sum1: v128, sum2: v128, sum3: v128): u32 {
  const none = i64x2.splat(0);
  const block = v128.xor(
    v128.xor(v128.xor(last, from15(none, sum0)), from14(none, sum1)),
    v128.xor(from13(none, sum2), from12(none, sum3)),
  );
  const beyond = v128.xor(
    v128.xor(from15(sum0, none), from14(sum1, none)),
    v128.xor(from13(sum2, none), from12(sum3, none)),
  );
  const words = slice16(
    i32x4.extract_lane(block, 0),
    i32x4.extract_lane(block, 1),
    i32x4.extract_lane(block, 2),
    i32x4.extract_lane(block, 3),
  );
  return words ^ i32x4.extract_lane(beyond, 0);
}
