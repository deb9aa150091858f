import { describe, expect, test } from 'vitest';
import { codecs, append, batch, kernels, kinds, NAME, NOW, openRig, sequenced } from './fixtures.ts';
import type { AppendOptions, AppendResult } from '../../src/log/append.ts';
import type { LogConfig } from '../../src/log/config.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { records } from '../../src/records/batch.ts';
import { buildBatch, recompress } from '../../src/records/builder.ts';
import { CODEC } from '../../src/records/codecs.ts';
import type { Codec } from '../../src/records/codecs.ts';
import {
  BatchHeader,
  CONTROL,
  DELETE_HORIZON,
  LOG_APPEND_TIME,
  TRANSACTIONAL,
} from '../../src/records/header.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/config.ts';
import { checkProduced } from '../../src/log/produce-checks.ts';

const HOUR = 3_600_000;

/** A batch with one field overwritten and the CRC made right again. */
function forged(change: (view: DataView) => void, whole = batch({ count: 2 })): Uint8Array {
  const bytes = new Uint8Array(whole);
  change(new DataView(bytes.buffer));
  new BatchHeader(bytes).seal(kernels, bytes.length);
  return bytes;
}

function withAttributes(attributes: number): Uint8Array {
  return forged((view) => view.setInt16(21, attributes));
}

function packed(codec: keyof typeof CODEC, whole = batch({ count: 3 })): Uint8Array {
  const bytes = recompress({ kernels, codecs }, whole, CODEC[codec]);
  if (bytes instanceof Promise) throw new Error('Node codecs are sync');
  return bytes;
}

function keyless(): Uint8Array {
  const record = { timestamp: NOW, value: Uint8Array.of(1) };
  return buildBatch(kernels, { records: [{ ...record, key: Uint8Array.of(1) }, record, record] });
}

function wrongCrc(): Uint8Array {
  const bytes = batch();
  bytes[bytes.length - 1]! ^= 1;
  return bytes;
}

interface Row {
  bytes: Uint8Array;
  code: keyof typeof ErrorCode;
  config?: Partial<LogConfig>;
  options?: Partial<AppendOptions>;
}

const compacted: Partial<LogConfig> = { cleanupPolicy: ['compact'] };
const HUGE = 0x0020_0000_0000_0000n;

const REFUSED: Record<string, Row> = {
  nothing: { bytes: new Uint8Array(), code: 'INVALID_RECORD' },
  'less than a header': { bytes: batch().subarray(0, 60), code: 'CORRUPT_MESSAGE' },
  'a cut batch': { bytes: batch().subarray(0, 64), code: 'CORRUPT_MESSAGE' },
  'a negative length': { bytes: forged(() => undefined).fill(255, 8, 12), code: 'CORRUPT_MESSAGE' },
  'two batches': { bytes: Buffer.concat([batch(), batch()]), code: 'INVALID_RECORD' },
  'magic 1': { bytes: forged((view) => view.setInt8(16, 1)), code: 'INVALID_RECORD' },
  'a wrong CRC': { bytes: wrongCrc(), code: 'CORRUPT_MESSAGE' },
  'a count of 3 for 2 records': { bytes: forged((view) => view.setInt32(57, 3)), code: 'INVALID_RECORD' },
  'a last offset that does not fit': {
    bytes: forged((view) => view.setInt32(23, 7)),
    code: 'INVALID_RECORD',
  },
  'no records': {
    bytes: forged((view) => (view.setInt32(57, 0), view.setInt32(23, -1)), batch().subarray(0, 61)),
    code: 'INVALID_RECORD',
  },
  'a record over its bounds': { bytes: forged((view) => view.setInt8(61, 120)), code: 'INVALID_RECORD' },
  'a base offset': { bytes: batch({ baseOffset: 5 }), code: 'INVALID_RECORD' },
  'a control batch': { bytes: withAttributes(CONTROL), code: 'INVALID_RECORD' },
  'a delete horizon': { bytes: withAttributes(DELETE_HORIZON), code: 'INVALID_RECORD' },
  'codec 5': { bytes: withAttributes(5), code: 'UNSUPPORTED_COMPRESSION_TYPE' },
  'zstd by Produce 6': {
    bytes: packed('zstd'),
    options: { apiVersion: 6 },
    code: 'UNSUPPORTED_COMPRESSION_TYPE',
  },
  'over max.message.bytes': {
    bytes: batch({ count: 9 }),
    config: { maxMessageBytes: 99 },
    code: 'MESSAGE_TOO_LARGE',
  },
  'over segment.bytes': {
    bytes: batch({ count: 9 }),
    config: { segmentBytes: 99 },
    code: 'RECORD_LIST_TOO_LARGE',
  },
  'LogAppendTime set by the client': { bytes: withAttributes(LOG_APPEND_TIME), code: 'INVALID_TIMESTAMP' },
  'over an hour ahead': { bytes: batch({ timestamp: NOW + HOUR + 1 }), code: 'INVALID_TIMESTAMP' },
  'too long ago': {
    bytes: batch({ timestamp: NOW - HOUR - 1 }),
    config: { timestampBeforeMaxMs: HOUR },
    code: 'INVALID_TIMESTAMP',
  },
  'too long ago, packed': {
    bytes: packed('gzip', batch({ timestamp: NOW - HOUR - 1 })),
    config: { timestampBeforeMaxMs: HOUR },
    code: 'INVALID_TIMESTAMP',
  },
  'a time before 1970': { bytes: batch({ timestamp: -2 }), code: 'INVALID_TIMESTAMP' },
  'a time over 2^53': {
    bytes: forged((view) => view.setBigInt64(35, HUGE)),
    config: { timestampAfterMaxMs: Infinity },
    code: 'INVALID_TIMESTAMP',
  },
  'a producer id over 2^53': { bytes: forged((view) => view.setBigInt64(43, HUGE)), code: 'INVALID_REQUEST' },
  'a producer id without sequence': {
    bytes: batch({ producerId: 4, producerEpoch: 0 }),
    code: 'INVALID_RECORD',
  },
  'a producer id without epoch': {
    bytes: batch({ producerId: 4, baseSequence: 0 }),
    code: 'INVALID_PRODUCER_EPOCH',
  },
  'transactional without producer id': { bytes: withAttributes(TRANSACTIONAL), code: 'INVALID_RECORD' },
  'keyless on a compacted topic': { bytes: keyless(), config: compacted, code: 'INVALID_RECORD' },
  'keyless and packed': { bytes: packed('lz4', keyless()), config: compacted, code: 'INVALID_RECORD' },
  'unreadable on a compacted topic': {
    bytes: withAttributes(CODEC.snappy),
    config: compacted,
    code: 'CORRUPT_MESSAGE',
  },
};

describe('a client is refused', () => {
  test.each(Object.entries(REFUSED))('%s', async (_, { bytes, code, config, options }) => {
    const rig = await openRig(config);
    const result = await append(rig, bytes, options);
    expect(result).toMatchObject({ type: 'refused', errorCode: ErrorCode[code] });
    expect(rig.log.logEndOffset).toBe(0);
  });

  test('with the records that are to blame', async () => {
    const keys = await append(await openRig(compacted), keyless());
    expect(indexes(keys)).toEqual([1, 2]);
    const late = buildBatch(kernels, {
      records: [NOW, NOW + 2 * HOUR, NOW].map((timestamp) => ({ timestamp })),
    });
    expect(indexes(await append(await openRig(), late))).toEqual([1]);
  });

  test('on a compacted topic where its codec cannot be read at once', () => {
    const later: Codec = {
      compress: async () => new Uint8Array(),
      decompress: async () => Promise.reject(new Error()),
    };
    const config = { ...DEFAULT_LOG_CONFIG, ...compacted };
    const context = { kernels, codecs: new Map([[CODEC.gzip, later]]), config, nowMs: NOW };
    const errorCode = ErrorCode.UNSUPPORTED_COMPRESSION_TYPE;
    const bytes = packed('gzip');
    expect(checkProduced(bytes, new BatchHeader(bytes), context)).toMatchObject({ errorCode });
  });

  function indexes(result: AppendResult): number[] {
    return result.type === 'refused' ? result.recordErrors.map(({ batchIndex }) => batchIndex) : [];
  }
});

describe('a client is let through', () => {
  test.each([
    ['without timestamps', batch({ timestamp: -1 }), {}],
    ['up to an hour ahead', batch({ timestamp: NOW + HOUR }), {}],
    ['from long ago', batch({ timestamp: 0 }), {}],
    [
      'any time where the broker stamps its own',
      batch({ timestamp: NOW + 99 * HOUR }),
      { timestampType: 'LogAppendTime' },
    ],
    ['zstd by Produce 7', packed('zstd'), {}],
    ['with keys on a compacted topic, packed', packed('snappy'), compacted],
    ['as large as may be', batch(), { maxMessageBytes: batch().length, segmentBytes: batch().length }],
  ] as [string, Uint8Array, Partial<LogConfig>][])('%s', async (_, bytes, config) => {
    expect(await append(await openRig(config), bytes, { apiVersion: 7 })).toMatchObject({ type: 'appended' });
  });
});

describe('an accepted batch', () => {
  test('gets its offset and leader epoch, outside the CRC, and is stored as it came', async () => {
    const rig = await openRig();
    await append(rig, batch({ count: 5 }), { leaderEpoch: 3 });
    const sent = packed('gzip');
    const result = await append(rig, new Uint8Array(sent), { leaderEpoch: 3 });
    expect(result).toMatchObject({ baseOffset: 5, lastOffset: 7, logAppendTimeMs: -1, logStartOffset: 0 });
    const stored = await rig.log.read({ fromOffset: 5, endOffset: 8, maxBytes: 1 })!;
    expect(new BatchHeader(stored)).toMatchObject({ baseOffset: 5, partitionLeaderEpoch: 3 });
    expect(stored.subarray(16)).toEqual(sent.subarray(16));
  });

  test('carries the broker time where the topic says so', async () => {
    const rig = await openRig({ timestampType: 'LogAppendTime' });
    const result = await append(rig, batch({ count: 2, timestamp: 5 }), { nowMs: NOW + 77 });
    expect(result).toMatchObject({ type: 'appended', logAppendTimeMs: NOW + 77 });
    const stored = await rig.log.read({ fromOffset: 0, endOffset: 2, maxBytes: 1 })!;
    expect(kernels.validateBatch(stored)).toBe(0);
    expect(Array.from(await records(stored, kernels, codecs), ({ timestamp }) => timestamp)).toEqual([
      NOW + 77,
      NOW + 77,
    ]);
  });

  test('tells the store what changed and nothing else', async () => {
    const rig = await openRig();
    const first = rig.log.append(batch(), { leaderEpoch: 0, origin: 'client', nowMs: NOW });
    const second = rig.log.append(batch(), { leaderEpoch: 0, origin: 'client', nowMs: NOW });
    const third = rig.log.append(batch(), { leaderEpoch: 1, origin: 'client', nowMs: NOW });
    const writes = [first, second, third].map((result) =>
      result.type === 'appended' ? kinds(result.writes) : [],
    );
    expect(writes).toEqual([
      ['put leader-epoch-checkpoint', 'append'],
      ['append'],
      ['put leader-epoch-checkpoint', 'append'],
    ]);
    expect(rig.log.logEndOffset).toBe(3);
  });

  test('sent again by its producer keeps its first offsets and is not written', async () => {
    const rig = await openRig({ timestampType: 'LogAppendTime' });
    await append(rig, batch({ count: 4 }));
    await append(rig, sequenced(0, { count: 2 }), { nowMs: NOW + 1 });
    const again = await append(rig, sequenced(0, { count: 2 }), { nowMs: NOW + 2 });
    expect(again).toEqual({
      type: 'duplicate',
      baseOffset: 4,
      lastOffset: 5,
      logAppendTimeMs: NOW + 1,
      logStartOffset: 0,
    });
    expect(await append(rig, sequenced(9))).toMatchObject({
      errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    });
    expect(rig.log.logEndOffset).toBe(6);
  });

  test('of a coordinator may be control, keyless and of any time', async () => {
    const rig = await openRig(compacted);
    const control = batch({ isControl: true, timestamp: 0 });
    expect(await append(rig, control, { origin: 'coordinator' })).toMatchObject({
      type: 'appended',
      baseOffset: 0,
    });
    expect(await append(rig, keyless(), { origin: 'coordinator' })).toMatchObject({
      type: 'appended',
      baseOffset: 1,
    });
    expect(() => rig.log.append(wrongCrc(), { leaderEpoch: 0, origin: 'coordinator', nowMs: NOW })).toThrow(
      'whole',
    );
  });
});

describe('compression.type', () => {
  test('repacks what clients send, and leaves alone what is packed so', async () => {
    const rig = await openRig({ compressionType: 'zstd' });
    expect(rig.log.needsPrepare).toBe(true);
    const prepared = await rig.log.prepare(packed('gzip'));
    expect(prepared).toBeInstanceOf(Uint8Array);
    expect(await append(rig, prepared as Uint8Array)).toMatchObject({ type: 'appended', lastOffset: 2 });
    const stored = await rig.log.read({ fromOffset: 0, endOffset: 3, maxBytes: 1 })!;
    expect(new BatchHeader(stored).codec).toBe(CODEC.zstd);
    expect((await records(stored, kernels, codecs)).length).toBe(3);
    const same = packed('zstd');
    expect(await rig.log.prepare(same)).toBe(same);
  });

  test('a batch that cannot be unpacked is refused, one that is not whole is left for append', async () => {
    const rig = await openRig({ compressionType: 'uncompressed' });
    expect(await rig.log.prepare(withAttributes(CODEC.gzip))).toMatchObject({
      errorCode: ErrorCode.CORRUPT_MESSAGE,
    });
    const broken = wrongCrc();
    expect(await rig.log.prepare(broken)).toBe(broken);
  });

  test('the size that counts is the repacked one', async () => {
    const value = new Uint8Array(2000);
    const big = packed('gzip', buildBatch(kernels, { records: [{ timestamp: NOW, value }] }));
    const rig = await openRig({ compressionType: 'uncompressed', maxMessageBytes: 1000 });
    const prepared = await rig.log.prepare(big);
    expect(await append(rig, prepared as Uint8Array)).toMatchObject({
      errorCode: ErrorCode.MESSAGE_TOO_LARGE,
    });
  });

  test('is not needed by default', async () => {
    const rig = await openRig();
    expect(rig.log.needsPrepare).toBe(false);
    expect(rig.log.name).toBe(NAME);
  });
});
