/** Both formats reach back at most 64 KiB - 1, so a block of 64 KiB never looks too far. */
export const LZ_BLOCK_MAX_BYTES = 0x1_0000;

const HASH_BITS = 14;
const MATCH_MIN_BYTES = 4;
/** LZ4 wants the last match to start 12 bytes before a block's end and the last 5 bytes to be literals. */
const MATCH_START_MARGIN = 12;
const LITERAL_TAIL = 5;
/** Steps grow by one every 64 misses, so that bytes that do not repeat are passed quickly. */
const SKIP_SHIFT = 6;

/** Called with the literals before a match, and the match. Offsets and lengths in bytes. */
export type MatchSink = (literalStart: number, matchStart: number, offset: number, length: number) => void;

/**
 * The repetitions in one block, greedily: what LZ4 and Snappy write in two different ways.
 * @param block at most {@link LZ_BLOCK_MAX_BYTES}.
 * @returns where the literals after the last match start.
 */
export function forEachMatch(block: Uint8Array, sink: MatchSink): number {
  const lastSeen = new Uint16Array(1 << HASH_BITS);
  const lastStart = block.length - MATCH_START_MARGIN;
  let literalStart = 0;
  let misses = 1 << SKIP_SHIFT;
  for (let position = 1; position <= lastStart;) {
    const word = wordAt(block, position);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const candidate = lastSeen[slot] ?? 0;
    lastSeen[slot] = position;
    if (candidate >= position || wordAt(block, candidate) !== word) {
      position += misses++ >> SKIP_SHIFT;
      continue;
    }
    const length = matchLength(block, candidate, position);
    sink(literalStart, position, position - candidate, length);
    position += length;
    literalStart = position;
    misses = 1 << SKIP_SHIFT;
  }
  return literalStart;
}

/** Up to here a loop beats the call into the engine. */
const SHORT_COPY = 32;

/** Copies `length` bytes from `offset` bytes back; they may overlap what is being written. */
export function copyMatch(into: Uint8Array, position: number, offset: number, length: number): void {
  if (length > SHORT_COPY && offset >= length) {
    into.copyWithin(position, position - offset, position - offset + length);
    return;
  }
  for (let i = position; i < position + length; i++) into[i] = into[i - offset] ?? 0;
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
  for (let i = 0; i < length; i++) into[position + i] = from[start + i] ?? 0;
}

function matchLength(block: Uint8Array, candidate: number, position: number): number {
  const end = block.length - LITERAL_TAIL;
  let length = MATCH_MIN_BYTES;
  while (position + length < end && block[candidate + length] === block[position + length]) length++;
  return length;
}

function wordAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  return low | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
