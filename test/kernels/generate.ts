import fc from 'fast-check';
import {
  ATTRIBUTES,
  BATCH_LENGTH,
  CRC,
  HEADER_SIZE,
  LENGTH_OVERHEAD,
} from '../../src/kernels/batch-layout.ts';
import type { BatchHeaderFields, EncodeRecord } from '../../src/kernels/kernels.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';

const twin = new TwinKernels();
const safeInteger = fc.maxSafeInteger();
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
/** Lengths around which a varint grows, a copy changes its way, or a 16-byte move ends. */
const edgeLength = fc.constantFrom(63, 64, 255, 511, 512, 513, 8191, 8192);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.tuple(edgeLength, fc.nat(255)).map(([length, byte]) => new Uint8Array(length).fill(byte)),
);
const timestampDelta = fc.oneof(fc.integer({ min: -200, max: 200 }), int32, safeInteger);

export const header: fc.Arbitrary<BatchHeaderFields> = fc.record({
  baseOffset: safeInteger,
  partitionLeaderEpoch: int32,
  attributes: int16,
  baseTimestamp: safeInteger,
  maxTimestamp: safeInteger,
  producerId: safeInteger,
  producerEpoch: int16,
  baseSequence: int32,
});

/** Of headers: as a rule those of the record before, the same objects. */
const repeated = fc.constantFrom(
  ...['', 'trace', 'x'.repeat(20)].map((key) => new TextEncoder().encode(key)),
);
const headerKey = fc.oneof(repeated, fc.uint8Array({ maxLength: 70 }));
const headerValue = fc.option(fc.oneof({ weight: 2, arbitrary: repeated }, { weight: 1, arbitrary: bytes }));

const looseRecord: fc.Arbitrary<EncodeRecord<Uint8Array>> = fc.record({
  timestampDelta,
  offsetDelta: int32,
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ key: headerKey, value: headerValue }), { maxLength: 3 }),
});

const someText = fc.oneof(
  fc.string({ maxLength: 40 }),
  // Lone surrogates too.
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 40 }),
  edgeLength.map((length) => 'x'.repeat(length)),
  fc.tuple(edgeLength, fc.constantFrom('é', '€', '😀')).map(([length, last]) => 'x'.repeat(length) + last),
);
const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 400 });
const textRecordOf = (text: fc.Arbitrary<string>): fc.Arbitrary<EncodeRecord> => {
  const field = fc.option(fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: bytes }));
  const key = fc.oneof(fc.constantFrom('', 'trace', 'é'), text);
  const value = fc.oneof(fc.constantFrom('', 'json', 'é', null), field);
  const headers = fc.array(fc.record({ key, value }), { maxLength: 3 });
  return fc.record({ timestampDelta, offsetDelta: int32, key: field, value: field, headers });
};

/** Records of texts, bytes among them; all texts ASCII or any at all. */
export const textRecords = fc.oneof(
  fc.array(textRecordOf(ascii), { maxLength: 8 }),
  fc.array(textRecordOf(fc.oneof(ascii, someText)), { maxLength: 8 }),
);

/** Any records: what an encoder may be given. */
export const looseRecords = fc.array(looseRecord, { maxLength: 12 });
/** Offset deltas 0, 1, 2: what a producer sends. */
export const records = looseRecords.map((list) =>
  list.map((record, offsetDelta) => ({ ...record, offsetDelta })),
);

/** Plain attributes, so that validation walks the records too. */
export const batch = fc
  .tuple(header, records)
  .map(([fields, list]) => twin.encodeBatch({ ...fields, attributes: fields.attributes & ~7 }, list));

/** Batches one behind the other, now and then one alone. */
export const payload = fc
  .oneof(
    batch.map((one) => [one]),
    fc.array(batch, { maxLength: 4 }),
  )
  .map((list) => join(...list));

interface Damage {
  kind: 'flip' | 'set' | 'cut' | 'append' | 'drop';
  /** Where, as a part of the length. */
  place: number;
  value: number;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom('flip', 'flip', 'set', 'set', 'cut', 'append', 'drop'),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff)),
});

/** `from`, damaged a few times; often sealed again, so that the damage is found behind a right length and CRC. */
export function damaged(from: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(from, fc.array(damage, { maxLength: 4 }), fc.boolean()).map(([whole, hurts, reseal]) => {
    const hurt = hurts.reduce(apply, whole);
    return reseal ? seal(hurt) : hurt;
  });
}

function apply(whole: Uint8Array, { kind, place, value }: Damage): Uint8Array {
  const at = Math.min(Math.floor(place * whole.length), whole.length - 1);
  if (kind === 'append') return join(whole, Uint8Array.of(value));
  if (at < 0) return whole;
  if (kind === 'cut') return whole.slice(0, at);
  if (kind === 'drop') return join(whole.subarray(0, at), whole.subarray(at + 1));
  const copy = whole.slice();
  copy[at] = kind === 'set' ? value : copy[at]! ^ (1 << (value & 7));
  return copy;
}

export function join(...parts: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A copy of `whole` with the length and CRC its bytes ask for, when it can hold a header. */
export function seal(whole: Uint8Array): Uint8Array {
  if (whole.length < HEADER_SIZE) return whole;
  const copy = whole.slice();
  const view = new DataView(copy.buffer);
  view.setInt32(BATCH_LENGTH, copy.length - LENGTH_OVERHEAD);
  view.setUint32(CRC, twin.crc32c(copy.subarray(ATTRIBUTES)));
  return copy;
}

/** The same bytes at `offset` of a larger buffer that is otherwise full of 0xa5. */
export function unaligned(whole: Uint8Array, offset: number): Uint8Array {
  const buffer = new Uint8Array(whole.length + offset + 5).fill(0xa5);
  buffer.set(whole, offset);
  return buffer.subarray(offset, offset + whole.length);
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
