import { createRecordsBatch, readRecordsBatch, Reader } from '@platformatic/kafka';
import type { MessageRecord } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { ErrorCode, KafkaError } from '../../src/model/errors.ts';
import { type Record, records } from '../../src/records/batch.ts';
import { buildBatch, recompress } from '../../src/records/builder.ts';
import { CODEC } from '../../src/records/codecs.ts';
import type { CodecName } from '../../src/records/codecs.ts';
import { BatchHeader, forEachBatch, HEADER_SIZE } from '../../src/records/header.ts';
import { bytesOf, kafkajs, plain, sampleRecords, text } from './clients.ts';
import type { PlainRecord } from './clients.ts';

const kernels = new TwinKernels();
const codecs = nodeCodecs(kernels);
const NAMES = Object.keys(CODEC) as CodecName[];
const SAMPLE = sampleRecords(300);

/** Ours, packed by one codec. */
async function ours(sample: readonly PlainRecord[], codec: CodecName): Promise<Uint8Array> {
  const batch = buildBatch(kernels, {
    records: sample.map((record) => ({
      timestamp: record.timestamp,
      key: bytesOf(record.key),
      value: bytesOf(record.value),
      headers: record.headers.map(({ key, value }) => ({ key, value: bytesOf(value) })),
    })),
  });
  return recompress({ kernels, codecs }, batch, CODEC[codec]);
}

async function read(batch: Uint8Array): Promise<PlainRecord[]> {
  expect(kernels.validateBatch(batch)).toBe(0);
  return Array.from(await records(batch, kernels, codecs), plain);
}

test('texts are the same batch as their bytes', () => {
  const unit = fc.constantFrom('a', 'Z', '0', ' ', 'é', '漢', '😀', '\ud83d', '\ude00');
  const text = fc.option(fc.oneof(fc.string({ unit }), fc.string()));
  const given = fc.array(fc.record({ key: text, value: text }), { minLength: 1, maxLength: 20 });
  const utf8 = new TextEncoder();
  const encoded = (field: string | null) => (field === null ? null : utf8.encode(field));
  expect.hasAssertions();
  fc.assert(
    fc.property(given, (fields) => {
      const texts = fields.map((record) => ({ timestamp: 1, ...record }));
      const bytes = fields.map(({ key, value }) => ({
        timestamp: 1,
        key: encoded(key),
        value: encoded(value),
      }));
      expect(buildBatch(kernels, { records: texts })).toEqual(buildBatch(kernels, { records: bytes }));
    }),
  );
});

describe('what other clients write, we read', () => {
  test.each(['none', 'gzip'] as const)('kafkajs, %s', async (codec) => {
    const baseTimestamp = SAMPLE[0]!.timestamp;
    const encoder = await kafkajs.RecordBatch({
      compression: CODEC[codec],
      firstTimestamp: baseTimestamp,
      maxTimestamp: baseTimestamp + 999,
      lastOffsetDelta: SAMPLE.length - 1,
      records: SAMPLE.map((record) =>
        kafkajs.Record({
          offsetDelta: record.offset,
          timestampDelta: record.timestamp - baseTimestamp,
          key: record.key,
          value: record.value,
          headers: Object.fromEntries(record.headers.map(({ key, value }) => [key, value])),
        }),
      ),
    });
    expect(await read(encoder.buffer)).toEqual(SAMPLE);
  });

  test.each(NAMES)('@platformatic/kafka, %s', async (codec) => {
    const messages = SAMPLE.map((record) => ({
      topic: 't',
      key: record.key === null ? undefined : Buffer.from(record.key),
      value: (record.value === null ? undefined : Buffer.from(record.value))!,
      timestamp: BigInt(record.timestamp),
      headers: new Map(record.headers.map(({ key, value }) => [Buffer.from(key), Buffer.from(value!)])),
    }));
    const batch = createRecordsBatch(messages as unknown as MessageRecord[], { compression: codec }).buffer;
    expect(await read(batch)).toEqual(SAMPLE);
  });
});

describe('what we write, other clients read', () => {
  test.each(['none', 'gzip'] as const)('kafkajs, %s', async (codec) => {
    const decoded = await kafkajs.decodeBatch(new kafkajs.Decoder(await framedForKafkajs(codec)));
    const seen = decoded.records.map(({ offset, timestamp, key, value, headers }) => ({
      offset: Number(offset),
      timestamp: Number(timestamp),
      key: text(key),
      value: text(value),
      headers: Object.entries(headers).map(([name, held]) => ({ key: name, value: text([held].flat()[0]) })),
    }));
    expect(seen).toEqual(SAMPLE);
  });

  test.each(NAMES)('@platformatic/kafka, %s', async (codec) => {
    const batch = readRecordsBatch(Reader.from(Buffer.from(await ours(SAMPLE, codec))));
    const seen = batch.records.map((record) => ({
      offset: record.offsetDelta,
      timestamp: Number(batch.firstTimestamp + record.timestampDelta),
      key: text(record.key),
      value: text(record.value),
      headers: record.headers.map(([key, value]) => ({ key: text(key), value: text(value) })),
    }));
    expect(seen).toEqual(SAMPLE);
  });

  async function framedForKafkajs(codec: CodecName): Promise<Buffer> {
    return Buffer.from(await ours(SAMPLE, codec));
  }
});

const owned = (bytes: Uint8Array | null) => bytes && new Uint8Array(bytes);

function copied({ offset, timestamp, key, value, headers }: Record) {
  return {
    offset,
    timestamp,
    key: owned(key),
    value: owned(value),
    headers: headers.map((header) => ({ ...header, value: owned(header.value) })),
  };
}

describe('a batch of ours', () => {
  test('reads back what was built, whatever it holds', () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 40 }));
    const headers = fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytes }), {
      maxLength: 4,
    });
    const timestamp = fc.integer({ min: -1, max: 2 ** 45 });
    const record = fc.record({ timestamp, key: bytes, value: bytes, headers });
    const baseOffset = fc.maxSafeNat().map((offset) => Math.floor(offset / 2));
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), baseOffset, (built, base) => {
        const batch = buildBatch(kernels, { records: built, baseOffset: base });
        const seen = [...syncRecords(batch)].map(copied);
        expect(seen).toEqual(built.map((expected, index) => ({ offset: base + index, ...expected })));
        const cursor = syncRecords(batch).cursor();
        for (const record of seen) {
          expect(cursor.next()).toBe(true);
          expect(copied(cursor)).toEqual(record);
          expect([cursor.keyLength, cursor.valueLength]).toEqual([
            record.key?.length ?? -1,
            record.value?.length ?? -1,
          ]);
        }
        expect(cursor.next()).toBe(false);
      }),
    );
  });

  test('keeps header keys as they are, a byte order mark included', () => {
    const headers = [
      { key: '\ufeffa', value: null },
      { key: 'a', value: Uint8Array.of() },
      { key: 'a', value: Uint8Array.of(1) },
    ];
    const seen = syncRecords(buildBatch(kernels, { records: [{ timestamp: 1, headers }] })).at(0).headers;
    expect(seen.map(({ key, value }) => [key, value && [...value]])).toEqual([
      ['\ufeffa', null],
      ['a', []],
      ['a', [1]],
    ]);
  });

  test('keeps its header when it is repacked, and is itself again when unpacked', async () => {
    const spec = {
      records: [{ timestamp: 5, value: bytesOf('x'.repeat(500)) }],
      baseOffset: 9,
      leaderEpoch: 3,
    };
    const batch = buildBatch(kernels, { ...spec, producerId: 7, producerEpoch: 2, baseSequence: 11 });
    for (const name of NAMES) {
      const packed = await recompress({ kernels, codecs }, batch, CODEC[name]);
      const header = new BatchHeader(packed);
      expect(header).toMatchObject({
        baseOffset: 9,
        partitionLeaderEpoch: 3,
        producerId: 7,
        baseSequence: 11,
      });
      expect(header.codec).toBe(CODEC[name]);
      expect(kernels.validateBatch(packed)).toBe(0);
      expect(await recompress({ kernels, codecs }, packed, CODEC.none)).toEqual(batch);
    }
  });

  test('gives the broker time to every record once stamped with it', () => {
    const batch = buildBatch(kernels, { records: [{ timestamp: 5 }, { timestamp: 6 }] });
    const header = new BatchHeader(batch);
    header.setLogAppendTime(1234);
    header.seal(kernels);
    expect(kernels.validateBatch(batch)).toBe(0);
    expect([...syncRecords(batch)].map(({ timestamp }) => timestamp)).toEqual([1234, 1234]);
  });

  test('a compressed batch that lies about its count is refused, not believed', async () => {
    const batch = new Uint8Array(await ours(SAMPLE, 'lz4'));
    for (const count of [0, 299, 301, 0x7fff_ffff, -1]) {
      new DataView(batch.buffer).setInt32(57, count);
      expect(() => records(batch, kernels, codecs)).toThrow(KafkaError);
    }
  });

  test('an unknown codec is an error of its own', () => {
    const batch = buildBatch(kernels, { records: [{ timestamp: 1 }] });
    new BatchHeader(batch).attributes = 6;
    const code = ErrorCode.UNSUPPORTED_COMPRESSION_TYPE;
    expect(() => records(batch, kernels, codecs)).toThrow(expect.objectContaining({ code }));
  });

  test('the walk over batches stops at the first cut one', () => {
    const one = buildBatch(kernels, { records: [{ timestamp: 1 }], baseOffset: 4 });
    const bytes = Buffer.concat([one, one, one.subarray(0, HEADER_SIZE)]);
    const seen: number[] = [];
    forEachBatch(bytes, ({ position }) => seen.push(position));
    expect(seen).toEqual([0, one.length]);
  });
});

function syncRecords(batch: Uint8Array) {
  const found = records(batch, kernels, codecs);
  if (found instanceof Promise) throw new Error('expected to be sync');
  return found;
}
