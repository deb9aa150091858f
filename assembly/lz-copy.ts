import { REPEAT_PATTERNS, REPEAT_STEPS } from './layout';

function fillPatterns(): void {
  for (let distance: usize = 1; distance < 16; distance++) {
    for (let at: usize = 0; at < 16; at++) store<u8>(REPEAT_PATTERNS + (distance << 4) + at, <u8>(at % distance));
    store<u8>(REPEAT_STEPS + distance, <u8>(16 - (16 % distance)));
  }
}
fillPatterns();

/** Moves 16 bytes at a time from `from` to [to, end): at least 16, and up to 15 beyond `end`. */
// @ts-ignore: decorator
@inline
export function copyWild(to: usize, from: usize, end: usize): void {
  do {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  } while (to < end);
}

/** Repeats what lies `distance` (at least 1) before `to` up to `end`, and up to 15 bytes beyond. */
// @ts-ignore: decorator
@inline
export function copyMatch(to: usize, distance: usize, end: usize): void {
  if (distance >= 16) {
    copyWild(to, to - distance, end);
    return;
  }
  // The bytes to repeat are fewer than a block: spread them over one, which goes on where a whole repeat ends.
  const block = i8x16.swizzle(v128.load(to - distance), v128.load(REPEAT_PATTERNS + (distance << 4)));
  const step: usize = load<u8>(distance, REPEAT_STEPS);
  do {
    v128.store(to, block);
    to += step;
  } while (to < end);
}
