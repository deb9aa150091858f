import { AssignerProtocol } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/client/group/consumer-protocol.ts';
import { KafkaError } from '../../../src/model/errors.ts';

const OWNED = [
  { topic: 'a', partition: 1 },
  { topic: 'a', partition: 3 },
  { topic: 'b', partition: 0 },
];
const SUBSCRIPTION = {
  topics: ['a', 'b'],
  owned: OWNED,
  generationId: 7,
  rackId: 'r1',
  userData: Uint8Array.of(1, 2),
};

describe('subscriptions', () => {
  test('come back as they were', () => {
    expect(decodeSubscription(encodeSubscription(SUBSCRIPTION))).toEqual(SUBSCRIPTION);
  });

  test('kafkajs reads ours, and we read its', () => {
    const { MemberMetadata } = AssignerProtocol;
    const read = MemberMetadata.decode(Buffer.from(encodeSubscription(SUBSCRIPTION)));
    expect(read).toMatchObject({ version: 3, topics: ['a', 'b'], userData: Buffer.of(1, 2) });
    const theirs = MemberMetadata.encode({ version: 0, topics: ['x'], userData: Buffer.of(9) });
    expect(decodeSubscription(theirs)).toEqual({
      topics: ['x'],
      owned: [],
      generationId: -1,
      rackId: null,
      userData: Uint8Array.of(9),
    });
  });

  test('one that says a later version than it is written in is read all the same', () => {
    const theirs = AssignerProtocol.MemberMetadata.encode({
      version: 1,
      topics: ['x'],
      userData: Buffer.of(),
    });
    expect(decodeSubscription(theirs)).toMatchObject({ topics: ['x'], owned: [] });
  });

  test('of a version to come, what we know of it', () => {
    const bytes = encodeSubscription(SUBSCRIPTION);
    bytes[1] = 9;
    expect(decodeSubscription(Uint8Array.from([...bytes, 1, 2, 3]))).toEqual(SUBSCRIPTION);
  });

  test('anything else is none', () => {
    expect(decodeSubscription(Uint8Array.of(0, 0, 255, 255, 255, 3))).toBeUndefined();
    expect(decodeSubscription(new Uint8Array(0))).toBeUndefined();
  });

  /** As Java's ConsumerProtocol writes it: version, topics, user data, owned partitions, generation, rack. */
  test('byte for byte as in Kafka', () => {
    const bytes = encodeSubscription({
      topics: ['t'],
      owned: [{ topic: 't', partition: 2 }],
      generationId: 5,
      rackId: null,
      userData: null,
    });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      [
        '0003',
        '00000001',
        '000174',
        'ffffffff',
        '00000001',
        '000174',
        '00000001',
        '00000002',
        '00000005',
        'ffff',
      ].join(''),
    );
  });
});

describe('assignments', () => {
  test('come back as they were; none is nothing', () => {
    expect(decodeAssignment(encodeAssignment(OWNED))).toEqual(OWNED);
    expect(decodeAssignment(encodeAssignment([]))).toEqual([]);
    expect(decodeAssignment(new Uint8Array(0))).toEqual([]);
  });

  test('kafkajs reads ours, and we read its', () => {
    const { MemberAssignment } = AssignerProtocol;
    const read = MemberAssignment.decode(Buffer.from(encodeAssignment(OWNED)));
    expect(read?.assignment).toEqual({ a: [1, 3], b: [0] });
    const theirs = { version: 0, assignment: { a: [1, 3], b: [0] }, userData: Buffer.of() };
    expect(decodeAssignment(MemberAssignment.encode(theirs))).toEqual(OWNED);
  });

  test('what is none is an error: the leader is no consumer', () => {
    expect(() => decodeAssignment(Uint8Array.of(0, 0, 127, 1))).toThrow(KafkaError);
  });
});
