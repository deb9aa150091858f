import { wordAt } from '../../model/bytes.ts';

/** Both formats reach back at most 64 KiB - 1, and a place has 16 bits: blocks of 64 KiB never look too far. */
export const LZ_BLOCK_MAX = 65_536;

/** Fewer places for a small block: the WASM kernel has to clear them all. */
const HASH_BITS_MAX = 14;
const HASH_BITS_MIN = 8;
/** No match of LZ4, nor any short one of Snappy, can be said to be shorter. */
export const MATCH_MIN = 4;
/** LZ4 wants the last match to start 12 bytes before a block's end and the last 5 bytes to be literals. */
const MATCH_START_MARGIN = 12;
const LITERAL_TAIL = 5;
/** Steps grow by one every 64 misses, so that bytes that do not repeat are passed quickly. */
const SKIP_SHIFT = 6;

/**
 * The repetitions in one block of at most {@link LZ_BLOCK_MAX}, greedily: what LZ4 and Snappy write in two different
 * ways. Each is the first that is found, as long as it goes; a `thorough` search goes to both sides, and notes a place
 * within each match, too.
 */
export class Matches {
  readonly #block: Uint8Array;
  /** Where each hash of 4 bytes was seen last, 0 for never: what is there is looked at anyway. */
  readonly #lastSeen: Uint16Array;
  readonly #hashShift: number;
  readonly #isThorough: boolean;
  /** The match found: [start, end) repeats what lies `distance` before it. */
  start = 0;
  end = 0;
  distance = 0;

  constructor(block: Uint8Array, search: 'thorough' | 'quick') {
    this.#block = block;
    this.#isThorough = search === 'thorough';
    const bits = Math.min(Math.max(32 - Math.clz32(block.length), HASH_BITS_MIN), HASH_BITS_MAX);
    this.#lastSeen = new Uint16Array(1 << bits);
    this.#hashShift = 32 - bits;
  }

  /** @param literals where the last match ended, or the block's start. */
  find(literals: number): boolean {
    const block = this.#block;
    const lastStart = block.length - MATCH_START_MARGIN;
    let at = literals;
    if (at > lastStart || lastStart <= 0) return false;
    if (at > 0) {
      // Right behind a match comes another, often: one look without stepping.
      if (this.#isThorough) this.#swapSlot(at - 2, wordAt(block, at - 2));
      if (this.#isMatch(at, literals)) return true;
    }
    let misses = 1 << SKIP_SHIFT;
    for (at++; at <= lastStart; at += misses++ >> SKIP_SHIFT) {
      if (this.#isMatch(at, literals)) return true;
    }
    return false;
  }

  #isMatch(at: number, literals: number): boolean {
    const block = this.#block;
    const word = wordAt(block, at);
    const candidate = this.#swapSlot(at, word);
    if (wordAt(block, candidate) !== word) return false;
    this.distance = at - candidate;
    this.end = at + matchLength(block, candidate, at);
    this.start = this.#isThorough ? this.#startBefore(at, literals) : at;
    return true;
  }

  #startBefore(at: number, literals: number): number {
    const block = this.#block;
    while (at > literals && at > this.distance && block[at - 1] === block[at - 1 - this.distance]) at--;
    return at;
  }

  /** Notes that `word` is at `at`. @returns where it, or another of its slot, was before. */
  #swapSlot(at: number, word: number): number {
    const slot = Math.imul(word, 0x9e3779b1) >>> this.#hashShift;
    const before = this.#lastSeen[slot]!;
    this.#lastSeen[slot] = at;
    return before;
  }
}

/** Up to here a loop beats the call into the engine. */
const SHORT_COPY = 32;

/** Copies `length` bytes from `distance` bytes back; they may overlap what is being written. */
export function copyMatch(into: Uint8Array, position: number, distance: number, length: number): void {
  if (length > SHORT_COPY && distance >= length) {
    into.copyWithin(position, position - distance, position - distance + length);
    return;
  }
  for (let i = position; i < position + length; i++) into[i] = into[i - distance]!;
}

/** Copies `length` bytes from `start` of `from`; all of them are there, and so is the room for them. */
export function copyLiterals(
  from: Uint8Array,
  start: number,
  { into, position, length }: { into: Uint8Array; position: number; length: number },
): void {
  if (length > SHORT_COPY) {
    into.set(from.subarray(start, start + length), position);
    return;
  }
  for (let i = 0; i < length; i++) into[position + i] = from[start + i]!;
}

function matchLength(block: Uint8Array, candidate: number, position: number): number {
  const end = block.length - LITERAL_TAIL;
  let length = MATCH_MIN;
  while (position + length < end && block[candidate + length] === block[position + length]) length++;
  return length;
}
