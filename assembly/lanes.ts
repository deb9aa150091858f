// The 16 bytes that begin at a byte of `a` and go on in `b`: what an unaligned load would give, had the two just been
// stored. One function for each such byte, since lanes must be literal constants.

// @ts-ignore: decorator
@inline
export function from6(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21);
}

// @ts-ignore: decorator
@inline
export function from9(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24);
}

// @ts-ignore: decorator
@inline
export function from12(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
}

// @ts-ignore: decorator
@inline
export function from13(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
}

// @ts-ignore: decorator
@inline
export function from14(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
}

// @ts-ignore: decorator
@inline
export function from15(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}
