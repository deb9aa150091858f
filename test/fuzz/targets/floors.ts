import { IndexEntries } from '../../../src/segments/index-entries.ts';
import { damage } from '../damage.ts';
import { type Target, mustHold } from '../target.ts';

/** Entry size, then the number that is looked for. */
const ASKED_BYTES = 9;
const ENTRIES_MAX = 300;
const NUMBER_MAX = 2 ** 53;

/** The bytes of an index file, and a number to look for: found is what is found by trying all, if they rise. */
export const floors: Target = {
  name: 'floors',
  share: 6,
  bufferMaxBytes: 1024,
  make(random) {
    const size = random.pick([8, 12]);
    const count = random.integer(0, ENTRIES_MAX);
    const bytes = Buffer.alloc(ASKED_BYTES + count * size);
    bytes[0] = size;
    let key = 0;
    for (let at = ASKED_BYTES; at < bytes.length; at += size) {
      key += random.pick([0, 1, 5, 1_000_000]);
      if (size === 8) bytes.writeInt32BE(key, at);
      else bytes.writeBigInt64BE(BigInt(key) * 1_000_000n, at);
    }
    const wanted = Math.floor(random.next() * (key + 2)) * (size === 8 ? 1 : 1_000_000);
    bytes.writeBigInt64BE(BigInt(wanted), 1);
    return random.chance(0.3) ? damage(new Uint8Array(bytes), random) : new Uint8Array(bytes);
  },
  check(input) {
    if (input.length < ASKED_BYTES) return ['nothing asked'];
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    const size = view.getUint8(0) === 12 ? 12 : 8;
    const wanted = Number(view.getBigInt64(1));
    if (Math.abs(wanted) >= NUMBER_MAX) return ['no number'];
    const entries = input.subarray(ASKED_BYTES);
    const found = new IndexEntries(entries, size).floor(wanted);
    const keys = keysOf(entries, size);
    mustHold(found >= -1 && found < keys.length, () => `entry ${found} of ${keys.length}`);
    if (keys.some((key, at) => key < (keys[at - 1] ?? 0n))) return [`${size}: damaged`];
    const expected = keys.findLastIndex((key) => key <= BigInt(wanted));
    mustHold(found === expected, () => `floor of ${wanted}: entry ${found}, it is ${expected}`);
    if (found === -1) return [`${size}: below all`];
    return [found === keys.length - 1 ? `${size}: the last` : `${size}: found`];
  },
};

function keysOf(entries: Uint8Array, size: 8 | 12): bigint[] {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  return Array.from({ length: Math.floor(entries.length / size) }, (_, number) =>
    size === 8 ? BigInt(view.getInt32(number * size)) : view.getBigInt64(number * size),
  );
}
