import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEADER_SIZE } from '../../src/kernels/batch-layout.ts';
import { BatchFault, type BatchHeaderFields, type EncodeRecord } from '../../src/kernels/kernels.ts';
import { header, looseRecords, records, text, textRecords } from './generate.ts';
import { each, twin, wasm } from './instances.ts';
import { decode, encodeBatch as kafkajsBatch } from './kafkajs.ts';

/** What kafkajs can write: named headers with values, each name once, and no attributes but the transactional. */
const kafkajsRecords = records.map((list) =>
  list.map((record) => ({
    ...record,
    headers: record.headers.map(({ value }, index) => ({
      key: text(`header ${index}`),
      value: value ?? text(''),
    })),
  })),
);

describe.each(each)('encode ($name)', ({ kernels }) => {
  test("gives kafkajs's bytes", async () => {
    await fc.assert(
      fc.asyncProperty(header, kafkajsRecords, async (fields, list) => {
        const plain = { ...fields, attributes: fields.attributes & 0x10 };
        const expected = await kafkajsBatch(plain, list);
        expect(Buffer.compare(kernels.encodeBatch(plain, list), expected)).toBe(0);
        expect(Buffer.compare(kernels.encodeRecords(list), expected.subarray(HEADER_SIZE))).toBe(0);
      }),
    );
  });

  test('is read by kafkajs', async () => {
    const fields: BatchHeaderFields = {
      baseOffset: 9_007_199_254_740_000,
      partitionLeaderEpoch: 3,
      attributes: 0,
      baseTimestamp: 1_700_000_000_000,
      maxTimestamp: 1_700_000_000_001,
      producerId: 5_000_000_000,
      producerEpoch: 2,
      baseSequence: 77,
    };
    const headers = [{ key: text('é'), value: null }];
    const list: EncodeRecord[] = [
      { timestampDelta: 0, offsetDelta: 0, key: null, value: text('one'), headers: [] },
      { timestampDelta: 1, offsetDelta: 1, key: text('k'), value: null, headers },
    ];
    const [first, second] = await decode(kernels.encodeBatch(fields, list));
    expect(first).toMatchObject({
      offset: '9007199254740000',
      timestamp: '1700000000000',
      key: null,
      headers: {},
    });
    expect(first?.value?.toString()).toBe('one');
    expect(second).toMatchObject({
      offset: '9007199254740001',
      timestamp: '1700000000001',
      value: null,
      headers: { é: null },
    });
  });

  test('texts are as if encoded before', () => {
    const utf8 = new TextEncoder();
    const bytes = <T extends Uint8Array | string | null>(field: T) =>
      typeof field === 'string' ? utf8.encode(field) : field;
    fc.assert(
      fc.property(header, textRecords, (fields, list) => {
        const encoded = list.map((record) => ({
          ...record,
          key: bytes(record.key),
          value: bytes(record.value),
          headers: record.headers.map(({ key, value }) => ({ key: bytes(key), value: bytes(value) })),
        }));
        const expected = twin.encodeBatch(fields, encoded);
        expect(Buffer.compare(kernels.encodeBatch(fields, list), expected)).toBe(0);
        expect(Buffer.compare(kernels.encodeRecords(list), expected.subarray(HEADER_SIZE))).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test.each(['x', 'é', '€'])('a text that fits kernel memory only as ASCII: %s', (char) => {
    const value = char.repeat(1_000_000);
    const list = [{ timestampDelta: 0, offsetDelta: 0, key: 'key', value, headers: [] }];
    const expected = twin.encodeRecords([{ ...list[0]!, key: text('key'), value: text(value) }]);
    expect(Buffer.compare(kernels.encodeRecords(list), expected)).toBe(0);
  });

  test.each([10, 200])('a header key that is written once for %i records', (count) => {
    const headers = ['k'.repeat(100_000), text('k'.repeat(100_000))].map((key) => ({ key, value: null }));
    const list = Array.from({ length: count }, (_, offsetDelta) => {
      return { timestampDelta: 0, offsetDelta, key: null, value: 'v', headers };
    });
    expect(Buffer.compare(kernels.encodeRecords(list), twin.encodeRecords(list))).toBe(0);
  });

  test('returns memory of its own', () => {
    const list: EncodeRecord[] = [
      { timestampDelta: 0, offsetDelta: 0, key: text('a'), value: text('b'), headers: [] },
    ];
    const first = kernels.encodeRecords(list);
    const before = first.slice();
    kernels.encodeRecords([{ ...list[0]!, value: new Uint8Array(200_000).fill(9) }]);
    expect(first).toEqual(before);
  });
});

describe('wasm and twin encode the same', () => {
  test('on any records', () => {
    fc.assert(
      fc.property(header, looseRecords, (fields, list) => {
        expect(Buffer.compare(wasm.encodeRecords(list), twin.encodeRecords(list))).toBe(0);
        expect(Buffer.compare(wasm.encodeBatch(fields, list), twin.encodeBatch(fields, list))).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test.each([0, 1, 1000, 60_000, 1_000_000, 1_900_000, 2_200_000, 6_000_000])(
    'with a value of %i bytes',
    (length) => {
      const value = new Uint8Array(length).fill(length & 0xff);
      const list = [0, 1].map((offsetDelta) => ({
        timestampDelta: -1,
        offsetDelta,
        key: text('key'),
        value,
        headers: [],
      }));
      const fields = {
        baseOffset: 1,
        partitionLeaderEpoch: 0,
        attributes: 0,
        baseTimestamp: 1,
        maxTimestamp: 2,
      };
      const whole = { ...fields, producerId: 1, producerEpoch: 1, baseSequence: 0 };
      const batch = wasm.encodeBatch(whole, list);
      expect(Buffer.compare(batch, twin.encodeBatch(whole, list))).toBe(0);
      expect(wasm.validateBatch(batch)).toBe(BatchFault.none);
    },
  );
});
