import { Reader, readRecordsBatch } from '@platformatic/kafka';
import { BatchFault, type EncodeRecord } from '../../../src/kernels/kernels.ts';
import { twin, wasm } from '../../kernels/instances.ts';
import * as kafkajs from '../../kernels/kafkajs.ts';
import { randomBytes } from '../damage.ts';
import { type Target, mustHold, sameBytes } from '../target.ts';

type Field = Uint8Array | string;

const HEADER = {
  baseOffset: 5,
  partitionLeaderEpoch: 1,
  attributes: 0,
  baseTimestamp: 1_700_000_000_000,
  maxTimestamp: 1_700_000_000_900,
  producerId: 7,
  producerEpoch: 1,
  baseSequence: 3,
};
const INPUT_BYTES_MAX = 90;
const RECORDS_MAX = 7;
/** Seven records of eight fields, of 700 characters that have a byte, and one that has four; twice where it grows. */
const BATCH_MAX_BYTES = 2 * 7 * 8 * 800;
/** Lengths about which something changes: a byte copied alone, a block of 16, what is joined, a bulk copy. */
const LENGTHS = [0, 1, 5, 8, 9, 16, 24, 25, 63, 64, 255, 256, 257, 511, 512, 700];
const HEADER_KEYS = ['trace', '', 'é', Uint8Array.of(1, 2, 3)];
const HEADER_VALUES = [null, 'json', '', 'é', Uint8Array.of(4, 5)];
/** The others read a batch in far more time than it takes to make it. */
const ORACLE_EVERY = 16;
let made = 0;

/** Records that the input spells out: WASM and twin make the same batch, and others read from it what went in. */
export const encodes: Target = {
  name: 'encodes',
  share: 4,
  bufferMaxBytes: BATCH_MAX_BYTES,
  make: (random) => randomBytes(random, random.integer(0, INPUT_BYTES_MAX)),
  async check(input) {
    const list = new Speller(input).records();
    const batch = wasm.encodeBatch(HEADER, list);
    mustHold(sameBytes(batch, twin.encodeBatch(HEADER, list)), () => 'encodes otherwise than its twin');
    mustHold(wasm.validateBatch(batch) === BatchFault.none, () => 'encodes what is not valid');
    if (made++ % ORACLE_EVERY !== 0 || list.length === 0) return [`${list.length} records`];
    const buffer = Buffer.from(batch);
    sameAs('@platformatic/kafka', list, readRecordsBatch(Reader.from(buffer)).records);
    sameAs('kafkajs', list, await kafkajs.decode(batch));
    return [`${list.length} records`];
  },
};

interface Read {
  key?: Uint8Array | null;
  value?: Uint8Array | null;
}

function sameAs(who: string, list: readonly EncodeRecord[], read: readonly Read[]): void {
  mustHold(read.length === list.length, () => `${who} reads ${read.length} of ${list.length} records`);
  list.forEach((record, index) => {
    const { key = null, value = null } = read[index]!;
    const isSame = hex(key) === hex(record.key) && hex(value) === hex(record.value);
    mustHold(isSame, () => `${who} reads record ${index} otherwise`);
  });
}

function hex(field: Field | null): string | null {
  return field === null ? null : Buffer.from(field).toString('hex');
}

/** Takes bytes for choices, each a byte; after the last they are all 0. */
class Speller {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  records(): EncodeRecord[] {
    return Array.from({ length: this.#choice(RECORDS_MAX + 1) }, (_, offsetDelta) => ({
      timestampDelta: (this.#choice(256) - 40) * 10 ** this.#choice(5),
      offsetDelta,
      key: this.#field(),
      value: this.#field(),
      headers: Array.from({ length: this.#choice(4) }, () => ({
        key: HEADER_KEYS[this.#choice(5)] ?? this.#text(),
        value: this.#headerValue(),
      })),
    }));
  }

  #headerValue(): Field | null {
    const number = this.#choice(8);
    return number < HEADER_VALUES.length ? HEADER_VALUES[number]! : this.#field();
  }

  #choice(count: number): number {
    return (this.#bytes[this.#at++] ?? 0) % count;
  }

  #field(): Field | null {
    const kind = this.#choice(6);
    if (kind === 0) return null;
    return kind < 3 ? new Uint8Array(this.#length()).fill(this.#choice(256)) : this.#text();
  }

  #text(): string {
    const last = ['', '', '', 'é', '€', '😀', '\ud800'][this.#choice(7)]!;
    return String.fromCharCode(0x20 + this.#choice(95)).repeat(this.#length()) + last;
  }

  #length(): number {
    return LENGTHS[this.#choice(LENGTHS.length)]!;
  }
}
