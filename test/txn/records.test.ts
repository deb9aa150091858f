import { expect, test } from 'vitest';
import type { MachineRecord } from '../../src/model/machine.ts';
import { decodeRecord, transactionRecord } from '../../src/txn/records.ts';
import { created, prepared, withPartitions } from '../../src/txn/transaction.ts';

function hex({ key, value }: MachineRecord): [string, string] {
  return [Buffer.from(key ?? []).toString('hex'), Buffer.from(value ?? []).toString('hex')];
}

/** Written by hand from Kafka's schemas: type, then a string as an int16 length and UTF-8. */
const KEY = '0000' + '000161';
const EMPTY = created(258, { timeoutMs: 60_000, nowMs: 1_000 });

test('an id without a transaction is written as Kafka writes it', () => {
  const value =
    '0001' + '0000000000000102' + '0000' + '0000ea60' + '00' + '00' + '00000000000003e8' + 'f'.repeat(16);
  expect(hex(transactionRecord('a', EMPTY))).toEqual([KEY, `${value}00`]);
  expect(transactionRecord('a', null).value).toBeNull();
});

test('a decided transaction is written as Kafka writes it, with the epoch before in a field of ours', () => {
  const open = withPartitions(EMPTY, new Map([['t', new Set([1, 0])]]), { clientVersion: 2, nowMs: 2_000 });
  const decided = prepared(open, { committed: true, clientVersion: 2, nextProducerId: 259, nowMs: 3_000 });
  const fields = '0000000000000102' + '0001' + '0000ea60' + '02';
  const partitions = '02' + '0274' + '03' + '00000001' + '00000000' + '00';
  const times = '0000000000000bb8' + '00000000000007d0';
  const tags =
    '04' + '0008' + '0000000000000102' + '0108' + '0000000000000103' + '0202' + '0002' + '904e02' + '0000';
  const record = transactionRecord('a', decided);
  expect(hex(record)).toEqual([KEY, '0001' + fields + partitions + times + tags]);
  expect(decodeRecord(record)).toEqual({ transactionalId: 'a', transaction: decided });
});

test('what an older coordinator wrote is read, and what is not ours is passed over', () => {
  const key = Buffer.from(KEY, 'hex');
  const v0 =
    '0000' +
    '0000000000000102' +
    '0003' +
    '0000ea60' +
    '04' +
    '00000000' +
    '0000000000000bb8' +
    '00000000000007d0';
  expect(decodeRecord({ key, value: Buffer.from(v0, 'hex') })?.transaction).toMatchObject({
    state: 'CompleteCommit',
    producerId: 258,
    producerEpoch: 3,
    previousProducerId: -1,
    clientVersion: 0,
  });
  expect(decodeRecord({ key, value: Buffer.from('0002', 'hex') })).toBeUndefined();
  expect(decodeRecord({ key: Buffer.from('000161', 'hex'), value: null })).toBeUndefined();
  expect(decodeRecord({ key: null, value: null })).toBeUndefined();
});
