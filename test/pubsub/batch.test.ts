import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { checkedRecords, type Record as StoredRecord } from '../../src/records/batch.ts';
import { buildBatch, recompress } from '../../src/records/builder.ts';
import { CODEC, type CodecName } from '../../src/records/codecs.ts';
import { BatchHeader, CONTROL } from '../../src/records/header.ts';
import type { MilenaError } from '../../src/client/milena-error.ts';
import { encodeBatch, type EncodedRecord, type ReadBatch, readBatches } from '../../src/web/batch.ts';
import type { TopicRecord } from '../../src/web/topic-record.ts';
import { unpack } from '../../src/web/unpack.ts';

/** The codec of pages against that of `src/records`, which is held against Kafka's own. */

const kernels = new TwinKernels();
const codecs = nodeCodecs(kernels);
const PLACE = { topic: 'orders', partition: 3 };

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(63, 64, 127, 128, 8191, 8192, 20_000).map((length) => new Uint8Array(length).fill(length)),
);
const record: fc.Arbitrary<EncodedRecord> = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: fc.option(bytes) }), {
    maxLength: 3,
  }),
  timestamp: fc.oneof(fc.nat(2 ** 40), fc.integer({ min: 1_767_225_600_000, max: 1_767_225_700_000 })),
});
const list = fc.array(record, { minLength: 1, maxLength: 30 });
const stamp = fc.record({
  producerId: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
  producerEpoch: fc.integer({ min: -1, max: 0x7fff }),
  baseSequence: fc.integer({ min: -1, max: 0x7fff_ffff }),
});

async function all(batches: Iterable<ReadBatch>): Promise<TopicRecord[]> {
  const records: TopicRecord[] = [];
  for (const batch of batches) records.push(...(await batch.records));
  return records;
}

function facts({ offset, timestamp, keyBytes, value, headers }: TopicRecord) {
  return { offset, timestamp, key: keyBytes, value, headers };
}

/** Getters do not spread. */
function stored(one: StoredRecord) {
  const { offset, timestamp, key, value } = one;
  const headers = one.headers.map((header) => ({ key: header.key, value: plain(header.value) }));
  return { offset, timestamp, key: plain(key), value: plain(value), headers };
}

/** Of codecs of Node it is a Buffer. */
function plain(field: Uint8Array | null): Uint8Array | null {
  return field && new Uint8Array(field);
}

test('what it writes is what src/records writes, byte for byte', () => {
  fc.assert(
    fc.property(list, stamp, (records, numbers) => {
      expect(encodeBatch(records, numbers)).toEqual(buildBatch(kernels, { records, ...numbers }));
    }),
  );
});

test('it reads what src/records reads, whatever it is packed by', async () => {
  const names = (Object.keys(CODEC) as CodecName[]).filter((name) => name !== 'zstd');
  await fc.assert(
    fc.asyncProperty(list, fc.constantFrom(...names), fc.nat(2 ** 40), async (records, name, baseOffset) => {
      const plain = buildBatch(kernels, { records, baseOffset, leaderEpoch: 5 });
      const batch = await recompress({ kernels, codecs }, plain, CODEC[name]);
      const [read, ...others] = readBatches(batch, PLACE, unpack);
      expect(others).toEqual([]);
      expect(read).toMatchObject({ nextOffset: baseOffset + records.length, leaderEpoch: 5 });
      const oracle = Array.from(await checkedRecords(batch, kernels, codecs), stored);
      expect((await read?.records)?.map(facts)).toEqual(oracle);
      for (const one of (await read?.records) ?? []) expect(one).toMatchObject(PLACE);
    }),
    { numRuns: 60 },
  );
});

test('zstd where the platform has it; else it says so, and what to do', async () => {
  const plain = buildBatch(kernels, { records: [{ value: 'hello', timestamp: 1 }] });
  const batch = await recompress({ kernels, codecs }, plain, CODEC.zstd);
  const read = () => all(readBatches(batch, PLACE, unpack));
  const known = vi.spyOn(globalThis, 'DecompressionStream');
  known.mockImplementation(function refusing() {
    throw new TypeError('no such format');
  });
  await expect(read()).rejects.toMatchObject({
    code: 'UNSUPPORTED_COMPRESSION_TYPE',
    retriable: false,
    message: expect.stringContaining('zstd') as string,
    hint: expect.stringContaining('gzip') as string,
  });
  // One that has it: the codec of Node in its place.
  known.mockImplementation(function unpacking(format) {
    expect(format).toBe('zstd');
    const transform = async (bytes: Uint8Array, to: { enqueue(unpacked: unknown): void }) =>
      to.enqueue(await codecs.get(CODEC.zstd)?.decompress(bytes, 1_000));
    return new TransformStream({ transform }) as unknown as DecompressionStream;
  });
  expect((await read()).map((one) => one.text())).toEqual(['hello']);
  known.mockRestore();
});

test('times that the broker gave; marks of transactions are passed over; a cut batch at the end waits', async () => {
  const batch = buildBatch(kernels, { records: [{ value: 'a', timestamp: 1 }], baseOffset: 7 });
  const header = new BatchHeader(batch);
  header.setLogAppendTime(99);
  header.seal(kernels, batch.length);
  const mark = buildBatch(kernels, { records: [{ value: 'mark', timestamp: 1 }], isControl: true });
  expect(new BatchHeader(mark).attributes & CONTROL).toBe(CONTROL);
  const bytesOfAll = Buffer.concat([mark, batch, batch.subarray(0, batch.length - 1)]);
  const read = await all(readBatches(bytesOfAll, PLACE, unpack));
  expect(read.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([[7, 99]]);
});

describe('damage', () => {
  test('any byte that the checksum covers', async () => {
    const batch = encodeBatch(
      [{ key: Uint8Array.of(1), value: new Uint8Array(40), headers: [], timestamp: 5 }],
      { producerId: 1, producerEpoch: 0, baseSequence: 0 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 17, max: batch.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const damaged = batch.slice();
          damaged[at] = (damaged[at] ?? 0) ^ by;
          await expect(all(readBatches(damaged, PLACE, unpack))).rejects.toMatchObject({
            code: 'CORRUPT_MESSAGE',
            message: expect.stringContaining('orders-3') as string,
          });
        },
      ),
    );
  });

  test('a checksum that is right over records that are none', async () => {
    await fc.assert(
      fc.asyncProperty(list, fc.nat(), fc.integer({ min: 1, max: 255 }), async (records, where, by) => {
        const batch = buildBatch(kernels, { records });
        const at = 61 + (where % (batch.length - 61));
        batch[at] = (batch[at] ?? 0) ^ by;
        new BatchHeader(batch).seal(kernels, batch.length);
        const outcome = await all(readBatches(batch, PLACE, unpack)).then(
          ({ length }) => length,
          (error: MilenaError) => error.code,
        );
        // What still has the form of records is records: with the checksum right nobody can know better.
        expect(['CORRUPT_MESSAGE', records.length]).toContain(outcome);
      }),
    );
  });

  test('a length that does not end', async () => {
    const value = new Uint8Array(400).fill(0xff);
    const batch = buildBatch(kernels, { records: [{ value, timestamp: 1 }] });
    batch.fill(0xff, 61 + 6, 61 + 8);
    new BatchHeader(batch).seal(kernels, batch.length);
    await expect(all(readBatches(batch, PLACE, unpack))).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' });
  });

  test('a batch of before Kafka 0.11', () => {
    const batch = buildBatch(kernels, { records: [{ value: 'a', timestamp: 1 }] });
    batch[16] = 1;
    expect(() => Array.from(readBatches(batch, PLACE, unpack))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_FOR_MESSAGE_FORMAT' }) as Error,
    );
  });

  test('a packed block that is none, or hides a gigabyte', async () => {
    for (const codec of [CODEC.gzip, CODEC.snappy, CODEC.lz4])
      await expect(
        unpack(
          codec,
          Uint8Array.from({ length: 40 }, (_, at) => 7 * at),
        ),
      ).rejects.toMatchObject({
        code: 'CORRUPT_MESSAGE',
      });
    const bomb = await codecs.get(CODEC.gzip)?.compress(new Uint8Array(80 * 1024 * 1024));
    await expect(unpack(CODEC.gzip, bomb ?? new Uint8Array(0))).rejects.toMatchObject({
      message: expect.stringContaining('unpacks to more than') as string,
    });
  });
});

test('what a record holds is its own: it keeps no answer alive', async () => {
  const batch = encodeBatch([{ key: Uint8Array.of(1), value: Uint8Array.of(2), headers: [], timestamp: 5 }], {
    producerId: 1,
    producerEpoch: 0,
    baseSequence: 0,
  });
  const [one] = await all(readBatches(Buffer.concat([batch, batch.subarray(0, 60)]), PLACE, unpack));
  expect(one?.value?.buffer.byteLength).toBe(1);
  expect(one?.keyBytes?.buffer.byteLength).toBe(1);
});
