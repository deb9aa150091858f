import { expect, test } from 'vitest';
import {
  decodeControlRecord,
  decodeQuorumState,
  encodeControlRecord,
  encodeQuorumState,
  type ControlRecordInit,
} from '../../src/metadata/control-records.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const ID = 'AAECAwQFBgcICQoLDA0ODw';
const ID_HEX = '000102030405060708090a0b0c0d0e0f';

const golden: [string, ControlRecordInit, string, string][] = [
  [
    'leader change without directories',
    {
      type: 'leaderChange',
      version: 0,
      leaderId: 1,
      voters: [{ voterId: 1 }],
      grantingVoters: [{ voterId: 1 }],
    },
    '00000002',
    '0000 00000001 02 00000001 00 02 00000001 00 00',
  ],
  [
    'leader change of a quorum that may change',
    {
      type: 'leaderChange',
      version: 1,
      leaderId: 1,
      voters: [{ voterId: 1, voterDirectoryId: ID }],
      grantingVoters: [],
    },
    '00000002',
    `0001 00000001 02 00000001 ${ID_HEX} 00 01 00`,
  ],
  [
    'snapshot header',
    { type: 'snapshotHeader', version: 0, lastContainedLogTimestamp: 255 },
    '00000003',
    '0000 00000000000000ff 00',
  ],
  ['snapshot footer', { type: 'snapshotFooter', version: 0 }, '00000004', '0000 00'],
  ['kraft version', { type: 'kraftVersion', version: 0, kRaftVersion: 1 }, '00000005', '0000 0001 00'],
  [
    'voters',
    {
      type: 'kraftVoters',
      version: 0,
      voters: [
        {
          voterId: 1,
          voterDirectoryId: ID,
          endpoints: [{ name: 'C', host: 'h', port: 9093 }],
          kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
        },
      ],
    },
    '00000006',
    `0000 02 00000001 ${ID_HEX} 02 02 43 02 68 2385 00 0000 0001 00 00 00`,
  ],
];

test.each(golden)('the bytes of a %s', (_name, record, key, value) => {
  const encoded = encodeControlRecord(record);
  expect([hex(encoded.key), hex(encoded.value)]).toEqual([key, value.replaceAll(' ', '')]);
  expect(decodeControlRecord(encoded)).toMatchObject(record);
});

test.each([
  ['no key', null, '0000'],
  ['a marker of a transaction', '00000001', '000000000000'],
  ['a version that is newer', '00000004', '000900'],
  ['a key cut short', '0000', '0000'],
])('%s is read over', (_name, key, value) => {
  const bytes = (text: string | null) => (text === null ? null : new Uint8Array(Buffer.from(text, 'hex')));
  expect(decodeControlRecord({ key: bytes(key), value: bytes(value) })).toBeUndefined();
});

test('the quorum state is written as Kafka does and read in both versions', () => {
  const state = { leaderId: 1, leaderEpoch: 4, votedId: 1, votedDirectoryId: ID };
  const text = encodeQuorumState(state);
  expect(text).toBe(`{"leaderId":1,"leaderEpoch":4,"votedId":1,"votedDirectoryId":"${ID}","data_version":1}`);
  expect(decodeQuorumState(text)).toEqual(state);
  const v0 =
    '{"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,' +
    '"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}';
  expect(decodeQuorumState(v0)).toEqual({
    leaderId: 1,
    leaderEpoch: 2,
    votedId: -1,
    votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA',
  });
});

test.each([
  '',
  '{',
  'null',
  '[]',
  '{"leaderId":"1"}',
  '{"leaderId":1,"leaderEpoch":1,"votedId":1,"data_version":7}',
])('what is no quorum state is not taken for one: %s', (text) => {
  expect(decodeQuorumState(text)).toBeUndefined();
});
