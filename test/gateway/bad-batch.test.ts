import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { crc32c } from '../../src/kernels/twins/crc32c.ts';
import { type RawClient, TestBroker, batch, fetchOne, produce } from './harness.ts';
import { Witness } from './witness.ts';

let server: TestBroker;
let witness: Witness;
let client: RawClient;
beforeAll(async () => {
  server = await TestBroker.start();
  witness = await Witness.start(server);
  client = await server.client();
});
afterEach(() => witness.isWell());
afterAll(() => server.close());

/** Field positions of a batch: see src/records/header.ts. */
const AT = {
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  producerId: 43,
  count: 57,
} as const;

/** A good batch, changed; the CRC is made right again unless the test is about it. */
function changed(change: (bytes: Buffer) => void, { reseal = true } = {}): Uint8Array {
  const bytes = Buffer.from(batch(['one', 'two']));
  change(bytes);
  if (reseal) bytes.writeUInt32BE(crc32c(bytes.subarray(AT.attributes)), AT.crc);
  return bytes;
}

/** Kafka's message formats before batches: offset, size, CRC, magic, attributes, (time,) key, value. */
function oldMessage(magic: 0 | 1, valueBytes: number): Uint8Array {
  const head = magic === 0 ? 14 : 22;
  const bytes = Buffer.alloc(12 + head + valueBytes);
  bytes.writeInt32BE(head + valueBytes, AT.length);
  bytes.writeInt8(magic, AT.magic);
  bytes.writeInt32BE(-1, 12 + head - 8);
  bytes.writeInt32BE(valueBytes, 12 + head - 4);
  return bytes;
}

const { CORRUPT_MESSAGE, INVALID_RECORD } = ErrorCode;

test.each<[what: string, records: Uint8Array | null, code: number]>([
  ['a wrong CRC', changed((bytes) => bytes.writeUInt32BE(1, AT.crc), { reseal: false }), CORRUPT_MESSAGE],
  [
    'a flipped bit in a record',
    changed((bytes) => bytes.writeUInt8(0xff, bytes.length - 2), { reseal: false }),
    CORRUPT_MESSAGE,
  ],
  [
    'more records than there are',
    changed((bytes) => {
      bytes.writeInt32BE(3, AT.count);
      bytes.writeInt32BE(2, AT.lastOffsetDelta);
    }),
    INVALID_RECORD,
  ],
  [
    'fewer records than there are',
    changed((bytes) => {
      bytes.writeInt32BE(1, AT.count);
      bytes.writeInt32BE(0, AT.lastOffsetDelta);
    }),
    INVALID_RECORD,
  ],
  ['2^31-1 records', changed((bytes) => bytes.writeInt32BE(0x7fff_ffff, AT.count)), INVALID_RECORD],
  ['a negative count', changed((bytes) => bytes.writeInt32BE(-1, AT.count)), INVALID_RECORD],
  ['no records', changed((bytes) => bytes.writeInt32BE(0, AT.count)), INVALID_RECORD],
  [
    'a last offset that is not the count',
    changed((bytes) => bytes.writeInt32BE(9, AT.lastOffsetDelta)),
    INVALID_RECORD,
  ],
  ['two batches', Buffer.concat([batch(['a']), batch(['b'])]), INVALID_RECORD],
  ['a batch and a byte', Buffer.concat([batch(['a']), new Uint8Array(1)]), INVALID_RECORD],
  ['a batch cut short', batch(['a', 'b']).subarray(0, -1), CORRUPT_MESSAGE],
  ['a header cut short', batch(['a']).subarray(0, 40), CORRUPT_MESSAGE],
  [
    'a length over all bytes',
    changed((bytes) => bytes.writeInt32BE(0x7fff_ffff, AT.length)),
    CORRUPT_MESSAGE,
  ],
  ['magic 0', oldMessage(0, 100), INVALID_RECORD],
  ['magic 1', oldMessage(1, 100), INVALID_RECORD],
  ['magic 3', changed((bytes) => bytes.writeInt8(3, AT.magic)), INVALID_RECORD],
  ['a control batch', batch(['a'], { isControl: true }), INVALID_RECORD],
  [
    'a codec nobody has',
    changed((bytes) => bytes.writeInt16BE(7, AT.attributes)),
    ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
  ],
  ['no batch', new Uint8Array(0), INVALID_RECORD],
  ['null', null, INVALID_RECORD],
])('%s', async (_, records, code) => {
  const topic = await server.topic(client);
  const refused = await produce(client, topic, records);
  expect([refused.errorCode, refused.baseOffset]).toEqual([code, -1]);
  expect((await fetchOne(client, { topic })).highWatermark).toBe(0);
});

test('a bad batch does not harm the good one beside it', async () => {
  const topic = await server.topic(client, { partitions: 2 });
  const [good, bad] = await Promise.all([
    produce(client, topic, batch(['good']), { partition: 0 }),
    produce(
      client,
      topic,
      changed((bytes) => bytes.writeUInt32BE(1, AT.crc), { reseal: false }),
      { partition: 1 },
    ),
  ]);
  expect([good.errorCode, bad.errorCode]).toEqual([0, CORRUPT_MESSAGE]);
});

test('a batch over max.message.bytes', async () => {
  const topic = await server.topic(client, { configs: { 'max.message.bytes': '1000' } });
  const refused = await produce(client, topic, batch([new Uint8Array(1_000)]));
  expect(refused.errorCode).toBe(ErrorCode.MESSAGE_TOO_LARGE);
});
