import { expect, test } from 'vitest';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type MetadataRecordInit,
} from '../../src/metadata/records.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const TOPIC_ID = 'AAECAwQFBgcICQoLDA0ODw';
const TOPIC_ID_HEX = '000102030405060708090a0b0c0d0e0f';
const ZEROS_HEX = '00'.repeat(16);

/**
 * Frame version, type, version; then the body by hand, from the schema: compact lengths are one more than
 * the count.
 */
const golden: [string, MetadataRecordInit, string][] = [
  ['topic', { type: 'topic', name: 'foo', topicId: TOPIC_ID }, `01 02 00  04 666f6f ${TOPIC_ID_HEX} 00`],
  [
    'partition, with only what it must have',
    {
      type: 'partition',
      partitionId: 3,
      topicId: TOPIC_ID,
      replicas: [1, 2],
      isr: [1],
      removingReplicas: [],
      addingReplicas: [],
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [TOPIC_ID],
    },
    `01 03 02  00000003 ${TOPIC_ID_HEX} 03 00000001 00000002 02 00000001 01 01
     00000001 00000000 00000000 02 ${TOPIC_ID_HEX} 00`,
  ],
  [
    'a change of leader: two tagged fields, in the order of their tags',
    { type: 'partitionChange', partitionId: 0, topicId: TOPIC_ID, leader: 7, isr: [7] },
    `01 05 02  00000000 ${TOPIC_ID_HEX} 02  00 05 02 00000007  01 04 00000007`,
  ],
  [
    'config',
    { type: 'config', resourceType: 2, resourceName: 't', name: 'a', value: 'b' },
    '01 04 00  02 02 74 02 61 02 62 00',
  ],
  [
    'config removed',
    { type: 'config', resourceType: 2, resourceName: 't', name: 'a', value: null },
    '01 04 00  02 02 74 02 61 00 00',
  ],
  ['remove topic', { type: 'removeTopic', topicId: TOPIC_ID }, `01 09 00 ${TOPIC_ID_HEX} 00`],
  ['feature level', { type: 'featureLevel', name: 'f', featureLevel: 30 }, '01 0c 00  02 66 001e 00'],
  [
    'producer ids',
    { type: 'producerIds', brokerId: 1, brokerEpoch: 2, nextProducerId: 1000 },
    '01 0f 00  00000001 0000000000000002 00000000000003e8 00',
  ],
  [
    'SCRAM credential',
    {
      type: 'userScramCredential',
      name: 'a',
      mechanism: 1,
      salt: unhex('0102'),
      storedKey: unhex('03'),
      serverKey: unhex('04'),
      iterations: 4096,
    },
    '01 0b 00  02 61 01 03 01 02 02 03 02 04 00001000 00',
  ],
  [
    'SCRAM credential removed',
    { type: 'removeUserScramCredential', name: 'a', mechanism: 2 },
    '01 16 00  02 61 02 00',
  ],
  [
    'quota of all users that have none of their own',
    {
      type: 'clientQuota',
      entity: [{ entityType: 'user', entityName: null }],
      key: 'k',
      value: 1.5,
      remove: false,
    },
    '01 0e 00  02 05 75736572 00 00 02 6b 3ff8000000000000 00 00',
  ],
  [
    'ACL',
    {
      type: 'accessControlEntry',
      id: TOPIC_ID,
      resourceType: 2,
      resourceName: 't',
      patternType: 3,
      principal: 'U:a',
      host: '*',
      operation: 4,
      permissionType: 3,
    },
    `01 12 00  ${TOPIC_ID_HEX} 02 02 74 03 04 55 3a 61 02 2a 04 03 00`,
  ],
  ['ACL removed', { type: 'removeAccessControlEntry', id: TOPIC_ID }, `01 13 00 ${TOPIC_ID_HEX} 00`],
  ['no-op', { type: 'noOp' }, '01 14 00  00'],
  ['begin of a transaction, named', { type: 'beginTransaction', name: 'x' }, '01 17 00  01 00 02 02 78'],
  ['end of a transaction', { type: 'endTransaction' }, '01 18 00  00'],
  [
    'broker',
    {
      type: 'registerBroker',
      brokerId: 1,
      incarnationId: TOPIC_ID,
      brokerEpoch: 5,
      endPoints: [{ name: 'P', host: 'h', port: 9092, securityProtocol: 0 }],
      features: [{ name: 'f', minSupportedVersion: 1, maxSupportedVersion: 2 }],
      rack: null,
      fenced: false,
      logDirs: [TOPIC_ID],
    },
    `01 00 04  00000001 00 ${TOPIC_ID_HEX} 0000000000000005 02 02 50 02 68 2384 0000 00
     02 02 66 0001 0002 00 00 00 00 01 00 11 02 ${TOPIC_ID_HEX}`,
  ],
];

test.each(golden)('the bytes of %s', (_name, record, text) => {
  expect(hex(encodeMetadataRecord(record))).toBe(hex(unhex(text.replaceAll(/\s/g, ''))));
  expect(decodeMetadataRecord(unhex(text.replaceAll(/\s/g, '')))).toMatchObject(record);
});

test.each([
  ['a type of a newer Kafka', '01 7f 00 00'],
  ['a type that is not built here (a delegation token)', '01 0a 00 00'],
  ['a version that is newer than ours', '01 02 09 00'],
  ['a frame of another version', '02 02 00 00'],
])('%s is read over', (_name, text) => {
  expect(decodeMetadataRecord(unhex(text))).toBeUndefined();
});

test('an older version of a record is read with the defaults of what it lacks', () => {
  const v0 = `01 03 00  00000000 ${ZEROS_HEX} 02 00000001 02 00000001 01 01 00000001 00000004 00000005 00`;
  expect(decodeMetadataRecord(unhex(v0))).toMatchObject({
    type: 'partition',
    leaderEpoch: 4,
    partitionEpoch: 5,
    directories: [],
    eligibleLeaderReplicas: null,
  });
});
