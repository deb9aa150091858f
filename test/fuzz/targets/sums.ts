import { crc32c as native } from '@node-rs/crc32';
import type { SeededRandom } from '../../support/random.ts';
import { twin, wasm } from '../../kernels/instances.ts';
import { guarded, raw } from '../guarded.ts';
import { type Target, mustHold } from '../target.ts';

/** Where the bytes lie, and (two bytes) where their sum is taken in two parts. */
const HEAD_BYTES = 3;
/** About where nibbles begin, where folding does, where one of its rounds ends, and where shortening begins. */
const EDGES = [80, 512, 6735, 8496];

/** The checksum of any bytes, at any place, at once and in two parts: WASM, its twin and a native one agree. */
export const sums: Target = {
  name: 'sums',
  share: 4,
  bufferMaxBytes: 0,
  make(random) {
    const near = random.pick(EDGES) + random.integer(-20, 40);
    const length = random.chance(0.02)
      ? near
      : random.chance(0.4)
        ? Math.min(near, 600)
        : random.integer(0, 1500);
    return noise(random, HEAD_BYTES + length);
  },
  check(input) {
    const bytes = input.subarray(HEAD_BYTES);
    const [offset = 0, high = 0, low = 0] = input;
    const expected = native(bytes);
    mustHold(twin.crc32c(bytes) === expected, () => 'the twin sums otherwise than the native one');
    mustHold(wasm.crc32c(bytes) === expected, () => 'the kernel sums otherwise than the native one');
    const cut = ((high << 8) | low) % (bytes.length + 1);
    const areas = { input: bytes, offset: offset & 15, isSpent: true };
    guarded(areas, (at) => {
      const whole = raw.crc32cSpent(0, at, bytes.length) >>> 0;
      mustHold(whole === expected, () => `another sum at ${areas.offset} beyond a multiple of 16`);
      return whole;
    });
    guarded(areas, (at) => {
      const parts = raw.crc32cSpent(raw.crc32cSpent(0, at, cut), at + cut, bytes.length - cut) >>> 0;
      mustHold(parts === expected, () => `another sum in two parts, of ${cut} bytes and the rest`);
      return parts;
    });
    if (bytes.length < 80) return ['sliced'];
    return [bytes.length < 512 ? 'nibbles' : bytes.length < 6735 ? 'folded' : 'shortened'];
  },
};

/** Of no short period, and quick to make. */
function noise(random: SeededRandom, length: number): Uint8Array {
  const words = new Int32Array((length + 3) >> 2);
  let state = random.integer(0, 0x7fff_ffff);
  for (let at = 0; at < words.length; at++) words[at] = state = Math.imul(state, 1_664_525) + 1_013_904_223;
  const bytes = new Uint8Array(words.buffer, 0, length);
  // The low bits of such a generator hardly change.
  for (let at = 0; at < length; at++) bytes[at]! ^= (at * 0x9e) & 0xff;
  return bytes;
}
