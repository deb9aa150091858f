/** Some of the 128 characters of ASCII, a bit each: names of topics have no others. */
export type CharSet = readonly [number, number, number, number];

export const NONE: CharSet = [0, 0, 0, 0];
export const ALL: CharSet = [-1, -1, -1, -1];

export function one(unit: number): CharSet {
  return span(unit, unit);
}

/** Both ends inclusive; what lies beyond ASCII is in no name. */
export function span(from: number, to: number): CharSet {
  const bits: [number, number, number, number] = [0, 0, 0, 0];
  for (let unit = from; unit <= Math.min(to, 127); unit++) {
    const word = unit >> 5;
    bits[word] = (bits[word] ?? 0) | (1 << (unit & 31));
  }
  return bits;
}

export function union(a: CharSet, b: CharSet): CharSet {
  return [a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]];
}

export function inverse(a: CharSet): CharSet {
  return [~a[0], ~a[1], ~a[2], ~a[3]];
}

export function has(set: CharSet, unit: number): boolean {
  return unit < 128 && (((set[unit >> 5] ?? 0) >>> (unit & 31)) & 1) === 1;
}

function of(ranges: string): CharSet {
  let set = NONE;
  for (let i = 0; i < ranges.length; i += 2)
    set = union(set, span(ranges.charCodeAt(i), ranges.charCodeAt(i + 1)));
  return set;
}

const LOWER = of('az');
const UPPER = of('AZ');
export const DIGITS = of('09');
export const WORD = of('azAZ09__');
export const SPACES = of('\t\n\f\r  ');
export const NEWLINE = one(10);
const ALPHA = union(LOWER, UPPER);
const PUNCTUATION = of('!/:@[`{~');

/** `[[:alpha:]]` */
export const POSIX: Readonly<Record<string, CharSet>> = {
  alnum: union(ALPHA, DIGITS),
  alpha: ALPHA,
  ascii: ALL,
  blank: of('\t\t  '),
  cntrl: union(span(0, 31), one(127)),
  digit: DIGITS,
  graph: span(33, 126),
  lower: LOWER,
  print: span(32, 126),
  punct: PUNCTUATION,
  space: union(SPACES, one(11)),
  upper: UPPER,
  word: WORD,
  xdigit: of('09afAF'),
};

/** `\p{Lu}`: what ASCII has of the classes of Unicode that are asked for. */
export const UNICODE: Readonly<Record<string, CharSet>> = {
  Any: ALL,
  L: ALPHA,
  Ll: LOWER,
  Lu: UPPER,
  N: DIGITS,
  Nd: DIGITS,
  Latin: ALPHA,
  Zs: one(32),
};

/** With the other case of each letter. */
export function bothCases(set: CharSet): CharSet {
  let both = set;
  for (let unit = 65; unit <= 90; unit++) {
    if (has(set, unit)) both = union(both, one(unit + 32));
    if (has(set, unit + 32)) both = union(both, one(unit));
  }
  return both;
}
