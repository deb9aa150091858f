import { compressionsAlgorithms } from '@platformatic/kafka';
import { nodeCodecs } from '../../../src/hosts/node/codecs.ts';
import { KafkaError } from '../../../src/model/errors.ts';
import { CODEC, decompress } from '../../../src/records/codecs.ts';
import { wasm } from '../../kernels/instances.ts';
import { damage, texture } from '../damage.ts';
import { type Target, kindOf, mustHold, sameBytes } from '../target.ts';

const NAMES = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const codecs = nodeCodecs(wasm);
const RAW_MAX_BYTES = 20_000;
const GROWTHS_MAX = 8;
const BOUND_BYTES = 64 * 1024;
/** What is unpacked, its bound doubled while it grows. */
const BUFFER_MAX_BYTES = 4 * BOUND_BYTES;

function pack(name: (typeof NAMES)[number], bytes: Uint8Array): Uint8Array {
  const packed = codecs.get(CODEC[name])?.compress(bytes);
  if (!(packed instanceof Uint8Array)) throw new Error('Node codecs are sync');
  return packed;
}

function unpack(name: (typeof NAMES)[number], bytes: Uint8Array, maxBytes: number): Uint8Array {
  const unpacked = decompress(codecs, { codec: CODEC[name], bytes, maxBytes });
  if (!(unpacked instanceof Uint8Array)) throw new Error('Node codecs are sync');
  return unpacked;
}

/**
 * The other's codec. Its WASM memory may grow while it writes its answer, and then its view of the memory is gone: it
 * throws a TypeError, again while it grows on, and for nothing (no bytes) until it was given some.
 */
function foreign(
  name: (typeof NAMES)[number],
  what: 'compressSync' | 'decompressSync',
  bytes: Uint8Array,
): Uint8Array {
  for (let growths = 0; ; growths++) {
    try {
      return new Uint8Array(compressionsAlgorithms[name][what](Buffer.from(bytes)) as Buffer);
    } catch (error) {
      if (!(error instanceof TypeError) || growths === GROWTHS_MAX) throw error;
      compressionsAlgorithms[name].compressSync(Buffer.of(0));
    }
  }
}

/** A record block of the codec that the first byte says: it unpacks within its bound, or is refused. */
export const packedBlocks: Target = {
  name: 'packed',
  share: 8,
  bufferMaxBytes: BUFFER_MAX_BYTES,
  make(random) {
    const codec = random.integer(0, NAMES.length - 1);
    const name = NAMES[codec] ?? 'gzip';
    const raw = texture(random, RAW_MAX_BYTES);
    const packed = random.chance(0.5) ? pack(name, raw) : foreign(name, 'compressSync', raw);
    return new Uint8Array(Buffer.concat([Uint8Array.of(codec), damage(packed, random)]));
  },
  check(input) {
    const name = NAMES[(input[0] ?? 0) % NAMES.length] ?? 'gzip';
    try {
      const { length } = unpack(name, input.subarray(1), BOUND_BYTES);
      mustHold(length <= BOUND_BYTES, () => `${name} gave ${length} bytes, beyond its bound`);
      return [`${name} unpacked`];
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      return [`${name}: ${kindOf(error.message)}`];
    }
  },
};

/** Any bytes, packed by each codec of ours and of another: both unpack what the other has packed. */
export const rawBlocks: Target = {
  name: 'raw',
  share: 2,
  bufferMaxBytes: BUFFER_MAX_BYTES,
  make: (random) => texture(random, RAW_MAX_BYTES),
  check(raw) {
    const bound = Math.max(1, raw.length);
    for (const name of NAMES) {
      const packed = pack(name, raw);
      mustHold(sameBytes(unpack(name, packed, bound), raw), () => `${name} does not give back its own`);
      if (raw.length === 0) continue;
      mustHold(
        sameBytes(foreign(name, 'decompressSync', packed), raw),
        () => `@platformatic/kafka reads our ${name} otherwise`,
      );
      const other = foreign(name, 'compressSync', raw);
      mustHold(sameBytes(unpack(name, other, bound), raw), () => `their ${name} reads otherwise here`);
    }
    return ['the same'];
  },
};
