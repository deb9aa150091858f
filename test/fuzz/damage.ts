import type { SeededRandom } from '../support/random.ts';

/** Bytes that mean something somewhere: signs, limits, the ends of varints. */
const TELLING = [0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xfe, 0xff];
/** Numbers that lengths and counts must not be. */
const LENGTHS = [-1, -2, 0, 1, 0x7f, 0x7fff, 0x8000, 0xffff, 0x10_0000, 0x7fff_ffff, -0x8000_0000];
const HURTS_MAX = 4;
const RUN_MAX = 64;

/** The same bytes with a few things wrong with them. */
export function damage(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  let hurt = bytes;
  for (let left = random.integer(1, HURTS_MAX); left > 0; left--) hurt = random.pick(HURTS)(hurt, random);
  return hurt;
}

type Hurt = (bytes: Uint8Array, random: SeededRandom) => Uint8Array;

const HURTS: readonly Hurt[] = [flip, set, setLength, cut, insert, drop, repeat];

function place(bytes: Uint8Array, random: SeededRandom): number {
  return bytes.length === 0 ? 0 : random.integer(0, bytes.length - 1);
}

function changed(bytes: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  if (bytes.length === 0) return bytes;
  const copy = bytes.slice();
  change(copy);
  return copy;
}

function flip(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  return changed(bytes, (copy) => {
    const at = place(copy, random);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.integer(0, 7));
  });
}

function set(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  return changed(bytes, (copy) => (copy[place(copy, random)] = random.pick(TELLING)));
}

function setLength(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  if (bytes.length < 4) return set(bytes, random);
  return changed(bytes, (copy) => {
    const at = random.integer(0, copy.length - 4);
    const view = new DataView(copy.buffer);
    if (random.chance(0.5)) view.setInt32(at, random.pick(LENGTHS));
    else view.setInt16(at, random.pick(LENGTHS));
  });
}

function cut(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  return bytes.slice(0, place(bytes, random));
}

function insert(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const run = randomBytes(random, random.integer(1, RUN_MAX));
  return splice(bytes, { at: place(bytes, random), gone: 0, run });
}

function drop(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  return splice(bytes, {
    at: place(bytes, random),
    gone: random.integer(1, RUN_MAX),
    run: new Uint8Array(0),
  });
}

function repeat(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const from = place(bytes, random);
  const run = bytes.subarray(from, from + random.integer(1, RUN_MAX));
  return splice(bytes, { at: place(bytes, random), gone: 0, run });
}

function splice(
  bytes: Uint8Array,
  { at, gone, run }: { at: number; gone: number; run: Uint8Array },
): Uint8Array {
  return new Uint8Array(Buffer.concat([bytes.subarray(0, at), run, bytes.subarray(at + gone)]));
}

export function randomBytes(random: SeededRandom, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(0, 255));
}

/** Bytes that repeat near and far, with stretches that do not: what codecs are good and bad at. */
export function texture(random: SeededRandom, maxBytes: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let left = random.integer(0, 8); left > 0 && size < maxBytes; left--) {
    const part = randomBytes(random, random.integer(0, random.chance(0.2) ? 300 : 12));
    const times = random.chance(0.5) ? 1 : random.integer(1, 40);
    for (let time = 0; time < times && size < maxBytes; time++) {
      parts.push(part);
      size += part.length;
    }
  }
  return new Uint8Array(Buffer.concat(parts)).subarray(0, maxBytes);
}
