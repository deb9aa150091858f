import { fold } from './crc-folding';
import { sumBlocks } from './crc-nibbles';
import { slice } from './crc-slicing';
import { FOLD_REMAINDER, FOLD_REMAINDER_SIZE } from './layout';

/** Shorter ones are through the tables before nibbles have been summed. */
const NIBBLES_MIN: i32 = 80;
/** Folding leaves 304 bytes to the nibbles: it pays from here on, which is also as many blocks as these have tables. */
const FOLD_MIN: i32 = 512;

/** CRC-32C of `length` bytes at `at`, continued from `crc` (0 to start). May look at the 15 bytes before them. */
export function crc32c(crc: u32, at: usize, length: i32): u32 {
  if (length < NIBBLES_MIN) return ~slice(~crc, at, length);
  if (length < FOLD_MIN) {
    const blocks = at + (length & 15);
    return ~sumBlocks(slice(~crc, at, length & 15), blocks, at + length);
  }
  fold(~crc, at, length);
  return ~sumBlocks(0, FOLD_REMAINDER, FOLD_REMAINDER + FOLD_REMAINDER_SIZE);
}
