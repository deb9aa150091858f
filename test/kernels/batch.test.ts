import { createRecordsBatch, type CreateRecordsBatchOptions } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEADER_SIZE, LAST_OFFSET_DELTA, RECORDS_COUNT } from '../../src/kernels/batch-layout.ts';
import { BatchFault, type EncodeRecord, type Kernels, ROW } from '../../src/kernels/kernels.ts';
import { batch, damaged, header, join, records, seal, text, unaligned } from './generate.ts';
import { each, twin, wasm } from './instances.ts';
import { encodeBatch as kafkajsBatch } from './kafkajs.ts';

const HEADER = {
  baseOffset: 0,
  partitionLeaderEpoch: -1,
  attributes: 0,
  baseTimestamp: 1_700_000_000_000,
  maxTimestamp: 1_700_000_000_005,
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
};
const RECORDS: EncodeRecord<Uint8Array>[] = [
  { timestampDelta: 0, offsetDelta: 0, key: text('k'), value: text('v'), headers: [] },
  { timestampDelta: 5, offsetDelta: 1, key: null, value: null, headers: [{ key: text('h'), value: null }] },
];
const GOOD = twin.encodeBatch(HEADER, RECORDS);

/** `GOOD` with the record block replaced, sealed. */
function withRecords(count: number, ...block: number[]): Uint8Array {
  const whole = join(GOOD.subarray(0, HEADER_SIZE), Uint8Array.from(block));
  const view = new DataView(whole.buffer);
  view.setInt32(LAST_OFFSET_DELTA, count - 1);
  view.setInt32(RECORDS_COUNT, count);
  return seal(whole);
}

function withCounts(recordsCount: number, lastOffsetDelta: number): Uint8Array {
  const whole = GOOD.slice();
  const view = new DataView(whole.buffer);
  view.setInt32(LAST_OFFSET_DELTA, lastOffsetDelta);
  view.setInt32(RECORDS_COUNT, recordsCount);
  return seal(whole);
}

const set = (at: number, value: number): Uint8Array => seal(GOOD.map((byte, i) => (i === at ? value : byte)));

describe.each(each)('validateBatch ($name)', ({ kernels }) => {
  test.each<[string, BatchFault, Uint8Array]>([
    ['a good batch', BatchFault.none, GOOD],
    ['no records', BatchFault.none, withRecords(0)],
    ['no bytes', BatchFault.truncated, new Uint8Array(0)],
    ['a header cut short', BatchFault.truncated, GOOD.subarray(0, HEADER_SIZE - 1)],
    ['a batch cut short', BatchFault.truncated, GOOD.subarray(0, -1)],
    ['a length of 0', BatchFault.truncated, GOOD.map((byte, i) => (i >= 8 && i < 12 ? 0 : byte))],
    ['a length of -1', BatchFault.truncated, GOOD.map((byte, i) => (i >= 8 && i < 12 ? 0xff : byte))],
    ['a length of 2 GiB', BatchFault.truncated, GOOD.map((byte, i) => (i === 8 ? 0x7f : byte))],
    ['two batches', BatchFault.trailing, join(GOOD, GOOD)],
    ['an old message', BatchFault.magic, set(16, 1)],
    ['an old message, short', BatchFault.magic, set(16, 0).subarray(0, 30)],
    ['a wrong CRC', BatchFault.crc, GOOD.map((byte, i) => (i === 17 ? byte ^ 1 : byte))],
    ['a wrong byte', BatchFault.crc, GOOD.map((byte, i) => (i === GOOD.length - 1 ? byte ^ 1 : byte))],
    ['a negative count', BatchFault.count, withCounts(-1, -2)],
    ['a count that is not lastOffsetDelta + 1', BatchFault.count, withCounts(2, 2)],
    ['a count that wraps', BatchFault.count, withCounts(-0x8000_0000, 0x7fff_ffff)],
    ['a count too low', BatchFault.count, withCounts(1, 0)],
    ['a count too high', BatchFault.count, withCounts(3, 2)],
    ['a count of 2 billion', BatchFault.count, withCounts(0x7fff_ffff, 0x7fff_fffe)],
    ['a record of 7 bytes', BatchFault.none, withRecords(1, 12, 0, 0, 0, 1, 1, 0)],
    ['a record longer than the batch', BatchFault.record, withRecords(1, 14, 0, 0, 0, 1, 1, 0)],
    ['a record of negative length', BatchFault.record, withRecords(1, 11, 0, 0, 0, 1, 1, 0)],
    ['a record with a byte too many', BatchFault.record, withRecords(1, 14, 0, 0, 0, 1, 1, 0, 0)],
    ['a key longer than the record', BatchFault.record, withRecords(1, 12, 0, 0, 0, 8, 1, 0)],
    ['a key of length -2', BatchFault.record, withRecords(1, 12, 0, 0, 0, 3, 1, 0)],
    ['a value of length -2', BatchFault.record, withRecords(1, 12, 0, 0, 0, 1, 3, 0)],
    ['a negative number of headers', BatchFault.record, withRecords(1, 12, 0, 0, 0, 1, 1, 1)],
    ['headers that are not there', BatchFault.record, withRecords(1, 12, 0, 0, 0, 1, 1, 2)],
    ['a header with a null key', BatchFault.record, withRecords(1, 16, 0, 0, 0, 1, 1, 2, 1, 1)],
    ['a header with null value', BatchFault.none, withRecords(1, 16, 0, 0, 0, 1, 1, 2, 0, 1)],
    ['an offset delta that is not its place', BatchFault.record, withRecords(1, 12, 0, 0, 2, 1, 1, 0)],
    [
      'a varint of 6 bytes',
      BatchFault.record,
      withRecords(1, 0x8c, 0x80, 0x80, 0x80, 0x80, 0, 0, 0, 0, 1, 1, 0),
    ],
    ['a varint of 5 bytes', BatchFault.none, withRecords(1, 0x8c, 0x80, 0x80, 0x80, 0, 0, 0, 0, 1, 1, 0)],
    [
      'a varlong of 10 bytes',
      BatchFault.none,
      withRecords(1, 30, 0, ...Array<number>(9).fill(0x80), 0, 0, 1, 1, 0),
    ],
    [
      'a varlong of 11 bytes',
      BatchFault.record,
      withRecords(1, 32, 0, ...Array<number>(10).fill(0x80), 0, 0, 1, 1, 0),
    ],
    ['a compressed block, whatever it is', BatchFault.none, seal(set(22, 1).fill(0xee, HEADER_SIZE))],
    ['a compressed block with a lying count', BatchFault.count, seal(withCounts(2, 2).fill(2, 22, 23))],
  ])('%s', (_, fault, bytes) => {
    expect(kernels.validateBatch(bytes)).toBe(fault);
    const isReadable = fault === BatchFault.none && (bytes[22]! & 7) === 0;
    const rows = isReadable ? twin.indexRecords(bytes.subarray(HEADER_SIZE), countOf(bytes)) : fault;
    expect(kernels.indexBatch(bytes)).toEqual(rows);
  });

  test('finds batches good that other clients made', async () => {
    expect(kernels.validateBatch(await kafkajsBatch(HEADER, kafkajsRecords()))).toBe(BatchFault.none);
    expect(kernels.validateBatch(platformaticBatch())).toBe(BatchFault.none);
  });

  test('is not held to the size of kernel memory', () => {
    const value = new Uint8Array(1_500_000).fill(7);
    const large = twin.encodeBatch(
      HEADER,
      [0, 1, 2, 3].map((offsetDelta) => ({ ...RECORDS[0]!, offsetDelta, value })),
    );
    expect(kernels.validateBatch(large)).toBe(BatchFault.none);
    expect(kernels.validateBatch(large.subarray(1))).toBe(BatchFault.magic);
    expect(kernels.indexBatch(large)).toHaveLength(4 * ROW.size);
    large[4_000_000]! ^= 1;
    expect(kernels.indexBatch(large)).toBe(BatchFault.crc);
    expect(kernels.validateBatch(large)).toBe(BatchFault.crc);
    expect(kernels.validateBatch(GOOD)).toBe(BatchFault.none);
  });
});

const countOf = (whole: Uint8Array): number =>
  new DataView(whole.buffer, whole.byteOffset).getInt32(RECORDS_COUNT);

describe.each(each)('validateBatches ($name)', ({ kernels }) => {
  test.each<[string, number, BatchFault, Uint8Array]>([
    ['no bytes', 0, BatchFault.none, new Uint8Array(0)],
    ['one', 1, BatchFault.none, GOOD],
    ['three', 3, BatchFault.none, join(GOOD, GOOD, GOOD)],
    ['two, and a third that is cut', 2, BatchFault.truncated, join(GOOD, GOOD, GOOD.subarray(0, -1))],
    ['one, and a few bytes more', 1, BatchFault.truncated, join(GOOD, Uint8Array.of(0, 0))],
    ['one before an old message', 1, BatchFault.magic, join(GOOD, set(16, 1), GOOD)],
    ['one before a wrong byte', 1, BatchFault.crc, join(GOOD, GOOD.with(-1, 0x7f), GOOD)],
    ['one before a lying count', 1, BatchFault.count, join(GOOD, withCounts(3, 2), GOOD)],
    ['none before a length of 0', 0, BatchFault.truncated, join(new Uint8Array(16), GOOD.subarray(16))],
  ])('%s', (_, count, fault, bytes) => {
    expect(kernels.validateBatches(bytes)).toEqual({ end: count * GOOD.length, fault });
  });

  test('are not held to the size of kernel memory, one or all', () => {
    const value = new Uint8Array(400_000).fill(7);
    const lists = [1, 2, 1, 30, 1].map((count) =>
      Array.from({ length: count }, (_, offsetDelta) => ({ ...RECORDS[0]!, offsetDelta, value })),
    );
    const batches = lists.map((list) => twin.encodeBatch(HEADER, list));
    const whole = join(...batches);
    expect(kernels.validateBatches(whole)).toEqual({ end: whole.length, fault: BatchFault.none });
    whole[whole.length - 1_000_000]! ^= 1; // In the fourth.
    const end = batches.slice(0, 3).reduce((size, { length }) => size + length, 0);
    expect(kernels.validateBatches(whole)).toEqual({ end, fault: BatchFault.crc });
    expect(kernels.validateBatches(whole.subarray(0, -1_000_000))).toEqual({
      end,
      fault: BatchFault.truncated,
    });
  });

  test('any end at a piece of 1 MiB', () => {
    const sizes = [1_048_576 - GOOD.length, 1_048_576 - 2 * GOOD.length, 1_048_576 - GOOD.length + 1];
    for (const size of sizes) {
      const value = new Uint8Array(size - GOOD.length);
      const long = twin.encodeBatch(HEADER, [{ ...RECORDS[0]!, value }]);
      const whole = join(long, GOOD, GOOD, GOOD);
      expect(kernels.validateBatches(whole)).toEqual({ end: whole.length, fault: BatchFault.none });
    }
  });
});

function kafkajsRecords(): EncodeRecord<Uint8Array>[] {
  return RECORDS.map((record) => ({
    ...record,
    headers: [{ key: text('name'), value: text('x'.repeat(70)) }],
  }));
}

function platformaticBatch(): Uint8Array {
  const messages = [
    { topic: 't', key: Buffer.from('a'), value: Buffer.alloc(300, 1), timestamp: 1_700_000_000_000n },
    {
      topic: 't',
      value: Buffer.from('b'),
      headers: new Map([[Buffer.from('h'), Buffer.from('v')]]),
      timestamp: 1_700_000_000_007n,
    },
  ];
  const options: Partial<CreateRecordsBatchOptions> = { compression: 'none' };
  return new Uint8Array(createRecordsBatch(messages, options).buffer);
}

interface Read {
  timestampDelta: bigint;
  offsetDelta: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
}

function read(kernels: Kernels, block: Uint8Array, count: number): Read[] {
  const rows = kernels.indexRecords(block, count);
  if (typeof rows === 'number') throw new Error(`fault ${rows}`);
  expect(rows.length).toBe(count * ROW.size);
  const slice = (at: number, length: number) => (length === -1 ? null : block.slice(at, at + length));
  return Array.from({ length: count }, (_, index) => {
    const row = rows.subarray(index * ROW.size, (index + 1) * ROW.size);
    return {
      timestampDelta: BigInt(
        new Float64Array(rows.buffer, 4 * (index * ROW.size + ROW.timestampDelta), 1)[0]!,
      ),
      offsetDelta: row[ROW.offsetDelta]!,
      key: slice(row[ROW.keyPosition]!, row[ROW.keyLength]!),
      value: slice(row[ROW.valuePosition]!, row[ROW.valueLength]!),
    };
  });
}

describe.each(each)('indexRecords ($name)', ({ kernels }) => {
  test('finds the parts of each record', () => {
    fc.assert(
      fc.property(records, fc.nat(7), (list, offset) => {
        const block = unaligned(twin.encodeRecords(list), offset);
        const expected = list.map(({ timestampDelta, offsetDelta, key, value }) => ({
          timestampDelta: BigInt(timestampDelta),
          offsetDelta,
          key,
          value,
        }));
        expect(read(kernels, block, list.length)).toEqual(expected);
      }),
    );
  });

  test('says where the headers begin', () => {
    const rows = kernels.indexRecords(twin.encodeRecords(RECORDS), 2);
    // Offset delta, headers, two words of a float64, key and value, position and length each.
    expect(rows).toEqual(Int32Array.of(0, 8, 0, 0, 5, 1, 7, 1, 1, 15, 0, 0x4014_0000, 14, -1, 15, -1));
  });

  test('reads what kafkajs and @platformatic/kafka wrote', async () => {
    const list = kafkajsRecords();
    const fromKafkajs = read(kernels, (await kafkajsBatch(HEADER, list)).subarray(HEADER_SIZE), 2);
    expect(fromKafkajs.map(({ key, value }) => ({ key, value }))).toEqual(
      list.map(({ key, value }) => ({ key, value })),
    );
    expect(read(kernels, platformaticBatch().subarray(HEADER_SIZE), 2)).toEqual([
      { timestampDelta: 0n, offsetDelta: 0, key: text('a'), value: new Uint8Array(300).fill(1) },
      { timestampDelta: 7n, offsetDelta: 1, key: null, value: text('b') },
    ]);
  });

  test('takes gaps between offsets, which compaction leaves', () => {
    const block = twin.encodeRecords(
      RECORDS.map((record) => ({ ...record, offsetDelta: record.offsetDelta * 10 + 3 })),
    );
    expect(read(kernels, block, 2).map((record) => record.offsetDelta)).toEqual([3, 13]);
  });

  test.each([-1, 1.5, NaN, Infinity, 3, 1, 0, 0x7fff_ffff])('refuses a count of %d', (count) => {
    expect(kernels.indexRecords(twin.encodeRecords(RECORDS), count)).toBe(BatchFault.count);
  });

  test('is not held to the size of kernel memory', () => {
    const list = Array.from({ length: 200_000 }, (_, offsetDelta) => ({ ...RECORDS[0]!, offsetDelta }));
    expect(kernels.indexRecords(twin.encodeRecords(list), 200_000)).toHaveLength(200_000 * ROW.size);
  });
});

describe('wasm and twin agree', () => {
  test('on batches, whole and damaged', () => {
    let faults = 0;
    fc.assert(
      fc.property(damaged(batch), fc.nat(16), (bytes, offset) => {
        const input = unaligned(bytes, offset);
        const fault = twin.validateBatch(input);
        if (fault !== BatchFault.none) faults++;
        expect(wasm.validateBatch(input)).toBe(fault);
      }),
      { numRuns: 2000 },
    );
    expect(faults).toBeGreaterThan(200);
  });

  test('on record blocks, whole and damaged', () => {
    const block = records.map((list) => twin.encodeRecords(list));
    fc.assert(
      fc.property(damaged(block), fc.nat(14), fc.nat(16), (bytes, count, offset) => {
        const input = unaligned(bytes, offset);
        expect(wasm.indexRecords(input, count)).toEqual(twin.indexRecords(input, count));
      }),
      { numRuns: 2000 },
    );
  });

  test('on arbitrary bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const plausible = fc
      .tuple(batch, bytes)
      .map(([whole, tail]) => seal(join(whole.subarray(0, HEADER_SIZE), tail)));
    fc.assert(
      fc.property(fc.oneof(bytes, plausible), fc.nat(30), (input, count) => {
        expect(wasm.validateBatch(input)).toBe(twin.validateBatch(input));
        expect(wasm.indexRecords(input, count)).toEqual(twin.indexRecords(input, count));
      }),
      { numRuns: 2000 },
    );
  });

  test('that what they encode is valid', () => {
    fc.assert(
      fc.property(header, records, (fields, list) => {
        expect(twin.validateBatch(wasm.encodeBatch(fields, list))).toBe(BatchFault.none);
        expect(wasm.validateBatch(twin.encodeBatch(fields, list))).toBe(BatchFault.none);
      }),
    );
  });
});
