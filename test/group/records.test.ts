import { expect, test } from 'vitest';
import { GroupMachine } from '../../src/group/index.ts';
import { decodeRecord, groupRecord, offsetRecord } from '../../src/group/records.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import type { MachineRecord } from '../../src/model/machine.ts';
import { records } from '../../src/records/batch.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { bytes, OTHERS, text } from './coordinator.ts';

function hex({ key, value }: MachineRecord): [string, string] {
  return [Buffer.from(key ?? []).toString('hex'), Buffer.from(value ?? []).toString('hex')];
}

/** Written by hand from Kafka's schemas: a string is an int16 length and UTF-8. */
const KEY = '0001' + '000167' + '000174' + '00000002';

test('a position is written as Kafka writes it', () => {
  const key = { group: 'g', topic: 't', partition: 2 };
  const value = {
    offset: 258,
    leaderEpoch: 7,
    metadata: 'm',
    commitTimestamp: 1_000,
    expireTimestamp: -1,
    topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
  };
  const plain = '0003' + '0000000000000102' + '00000007' + '00016d' + '00000000000003e8';
  expect(hex(offsetRecord(key, value))).toEqual([KEY, plain]);
  const expiring = '0001' + '0000000000000102' + '00016d' + '00000000000003e8' + '00000000000007d0';
  expect(hex(offsetRecord(key, { ...value, expireTimestamp: 2_000 }))).toEqual([KEY, expiring]);
  const ofTopic =
    '0004' +
    '0000000000000102' +
    '00000007' +
    '026d' +
    '00000000000003e8' +
    '010010' +
    '00'.repeat(15) +
    '41';
  expect(hex(offsetRecord(key, { ...value, topicId: 'AAAAAAAAAAAAAAAAAAAAQQ' }))).toEqual([KEY, ofTopic]);
  expect(offsetRecord(key, null).value).toBeNull();
});

test('a group is written as Kafka writes it', () => {
  const member = {
    memberId: 'c-1',
    groupInstanceId: null,
    clientId: 'c',
    clientHost: '/h',
    rebalanceTimeout: 2,
    sessionTimeout: 1,
    subscription: bytes('S'),
    assignment: bytes('A'),
  };
  const record = groupRecord('g', {
    protocolType: 'consumer',
    generation: 3,
    protocol: 'range',
    leader: 'c-1',
    currentStateTimestamp: 9,
    members: [member],
  });
  const header =
    '0003' + '0008636f6e73756d6572' + '00000003' + '000572616e6765' + '0003632d31' + '0000000000000009';
  const first =
    '0003632d31' + 'ffff' + '000163' + '00022f68' + '00000002' + '00000001' + '0000000153' + '0000000141';
  expect(hex(record)).toEqual(['0002' + '000167', header + '00000001' + first]);
  const decoded = decodeRecord(record);
  expect(decoded?.type === 'group' && text(decoded.value?.members[0]?.assignment ?? new Uint8Array())).toBe(
    'A',
  );
});

test('a record is read in its batch as it is apart', async () => {
  const key = { group: 'g', topic: 'orders', partition: 2 };
  const value = {
    offset: 2 ** 40,
    leaderEpoch: -1,
    metadata: 'ü',
    commitTimestamp: 1_700_000_000_000,
    expireTimestamp: -1,
    topicId: 'AAECAwQFBgcICQoLDA0ODw',
  };
  const unreadable = { key: Buffer.from('0001ffff', 'hex'), value: null };
  const written: MachineRecord[] = [
    offsetRecord(key, value),
    offsetRecord({ ...key, partition: 3 }, null),
    groupRecord('g', null),
    unreadable,
    { key: null, value: Buffer.from('00') },
    offsetRecord(key, { ...value, expireTimestamp: 5 }),
  ];
  const kernels = await loadKernels();
  const batch = buildBatch(kernels, { records: written.map((record) => ({ ...record, timestamp: 0 })) });
  const read = [...(await records(batch, kernels, new Map()))];
  expect(read.map((record) => decodeRecord(record))).toEqual(written.map((record) => decodeRecord(record)));
  expect(decodeRecord(read[0]!)).toEqual({ type: 'offset', key, value });
});

/** As it lies in a batch, between bytes that are others'. */
function inBatch({ key, value }: MachineRecord): MachineRecord {
  const parts = [
    Buffer.alloc(3, 0xff),
    key ?? Buffer.alloc(0),
    Buffer.alloc(2, 0xff),
    value ?? Buffer.alloc(0),
  ];
  const valueAt = 5 + (key?.length ?? 0);
  const lengths = { keyLength: key?.length ?? -1, valueLength: value?.length ?? -1 };
  return { key, value, span: { bytes: Buffer.concat([...parts, parts[0]!]), keyAt: 3, valueAt, ...lengths } };
}

function* damaged(bytesOfRecord: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytesOfRecord.length; at++) {
    yield bytesOfRecord.subarray(0, at);
    for (const byte of [0, 1, 2, 3, 4, 0x1f, 0x20, 0x7f, 0x80, 0xff])
      yield Uint8Array.from(bytesOfRecord).fill(byte, at, at + 1);
  }
  yield Buffer.concat([bytesOfRecord, Buffer.alloc(1)]);
}

test.each([
  { what: 'an id and a text', topicId: 'AAECAwQFBgcICQoLDA0ODw', metadata: 'seen' },
  { what: 'a long text', topicId: 'AAECAwQFBgcICQoLDA0ODw', metadata: 'é'.repeat(63) },
  {
    what: 'a text too long for one byte of length',
    topicId: 'AAECAwQFBgcICQoLDA0ODw',
    metadata: 'x'.repeat(127),
  },
  { what: 'no id', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', metadata: '' },
])('a position with $what, and whatever is left of it, is read in its batch as it is apart', (about) => {
  const key = { group: 'g', topic: 'orders', partition: -3 };
  const times = { commitTimestamp: 2 ** 53 - 1, expireTimestamp: -1 };
  const value = {
    offset: 2 ** 31 + 7,
    leaderEpoch: -1,
    ...times,
    topicId: about.topicId,
    metadata: about.metadata,
  };
  const written = offsetRecord(key, value);
  expect(decodeRecord(inBatch(written))).toEqual({ type: 'offset', key, value });
  const records = [
    ...[...damaged(written.key!)].map((damagedKey) => ({ ...written, key: damagedKey })),
    ...[...damaged(written.value!)].map((damagedValue) => ({ ...written, value: damagedValue })),
  ];
  for (const record of records) expect(decodeRecord(inBatch(record))).toEqual(decodeRecord(record));
});

test.each([
  { what: 'no group', key: '0001fffd' + '00'.repeat(514) },
  { what: 'a topic of a negative length', key: '0001' + '0002' + '6767' + 'fffe' + '0000' },
  { what: 'no metadata', value: '00' + '00'.repeat(7) + '010010' + '41'.repeat(16) },
  {
    what: 'a length of two bytes',
    value: '80' + '78'.repeat(127) + '00'.repeat(8) + '010010' + '41'.repeat(16),
  },
])(
  '$what is no position, in a batch neither',
  ({ key = KEY, value = '01' + '00'.repeat(8) + '010010' + '41'.repeat(16) }) => {
    const begin = '0004' + '0000000000000102' + '00000007';
    const record = { key: Buffer.from(key, 'hex'), value: Buffer.from(begin + value, 'hex') };
    expect(decodeRecord(record)).toBeUndefined();
    expect(decodeRecord(inBatch(record))).toBeUndefined();
  },
);

test('what other coordinators write, and what is not readable, changes nothing', () => {
  const machine = new GroupMachine({ ...OTHERS, id: () => 'none' });
  const unread = ['0003000167', '000f000167', 'ffff', '00', '', '0001', '0001ffff', KEY].map((key) => ({
    key: Buffer.from(key, 'hex'),
    value: Buffer.from('7fff00', 'hex'),
  }));
  for (const record of [...unread, { key: null, value: null }]) machine.apply(record, 0);
  expect([...machine.snapshot()]).toEqual([]);
  expect(machine.wakeAtMs).toBe(Infinity);
});

test('a group of an old version comes back', () => {
  const machine = new GroupMachine({ ...OTHERS, id: () => 'none' });
  const member = '0003632d31' + '000163' + '00022f68' + '00002710' + '0000000153' + '0000000141';
  const value =
    '0000' + '0008636f6e73756d6572' + '00000003' + '000572616e6765' + '0003632d31' + '00000001' + member;
  machine.apply({ key: Buffer.from('0002000167', 'hex'), value: Buffer.from(value, 'hex') }, 100);
  expect(machine.wakeAtMs).toBe(10_100);
  const [record] = machine.snapshot();
  expect(record && decodeRecord(record)).toMatchObject({
    group: 'g',
    value: { generation: 3, members: [{ memberId: 'c-1', rebalanceTimeout: -1, sessionTimeout: 10_000 }] },
  });
});
