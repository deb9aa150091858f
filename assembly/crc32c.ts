import { fold } from './crc-folding';
import { sumBlocks } from './crc-nibbles';
import { SHORT_SIZE, SHORTEN_MIN, begin, finish, take } from './crc-shorten';
import { slice } from './crc-slicing';
import { FOLD_REMAINDER, FOLD_REMAINDER_SIZE } from './layout';

/** Shorter ones are through the tables before nibbles have been summed. */
const NIBBLES_MIN: i32 = 64;
/** Folding leaves 304 bytes to the nibbles: it pays from here on, where these have no more tables. */
const FOLD_MIN: i32 = 512;

/** CRC-32C of `length` bytes at `at`, continued from `crc` (0 to start). May look at the 15 bytes before them. */
export function crc32c(crc: u32, at: usize, length: i32): u32 {
  if (length < NIBBLES_MIN) return ~slice(~crc, at, length);
  if (length < FOLD_MIN) {
    const blocks = at + (length & 15);
    return ~sumBlocks(slice(~crc, at, length & 15), blocks, at + length);
  }
  return ~folded(~crc, at, length);
}

/** The same of bytes that nobody needs afterwards: of long ones they are the memory it works in. */
export function crc32cSpent(crc: u32, at: usize, length: i32): u32 {
  if (length < SHORTEN_MIN + 15) return crc32c(crc, at, length);
  const short = at + length - SHORT_SIZE;
  crc32cMore(crc32cBegin(crc, at, length), short);
  return crc32cEnd(short);
}

/**
 * The same of a message that comes piece by piece, behind one another: each is spent while a CPU has it at hand. First
 * what of `length`, all of it, is no whole block, and `SHORT_SIZE` bytes. @returns where what they are ends.
 */
export function crc32cBegin(crc: u32, at: usize, length: i32): usize {
  const head = length & 15;
  const blocks = at + head;
  store<u32>(blocks, load<u32>(blocks) ^ slice(~crc, at, head));
  begin(blocks);
  return blocks + SHORT_SIZE;
}

/** Then the blocks [at, end), none of them of the last `SHORT_SIZE` bytes. */
export function crc32cMore(at: usize, end: usize): void {
  take(at, end);
}

/** Then these, at `at`. @returns the CRC. */
export function crc32cEnd(at: usize): u32 {
  finish(at);
  return ~folded(0, at - SHORT_SIZE, <i32>SHORT_SIZE);
}

/** `state` and the result: CRCs not yet inverted. */
function folded(state: u32, at: usize, length: i32): u32 {
  fold(state, at, length);
  return sumBlocks(0, FOLD_REMAINDER, FOLD_REMAINDER + FOLD_REMAINDER_SIZE);
}
