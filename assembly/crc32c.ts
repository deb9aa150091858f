import { fold } from './crc-folding';
import { slice } from './crc-slicing';
import { FOLD_REMAINDER } from './layout';

/** Folding leaves some 300 bytes to the tables: it pays from here on. */
const FOLD_MIN: i32 = 512;

/** CRC-32C of `length` bytes at `at`, continued from `crc` (0 to start). */
export function crc32c(crc: u32, at: usize, length: i32): u32 {
  if (length < FOLD_MIN) return ~slice(~crc, at, length);
  return ~slice(0, FOLD_REMAINDER, fold(~crc, at, length));
}
