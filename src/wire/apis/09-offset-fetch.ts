import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * A group's committed positions. From v2 null topics mean all, v5 adds leader epochs (KIP-320), v6 is
 * flexible, v7 can wait for pending transactions (KIP-447), v8 asks for many groups (KIP-709), v9 checks
 * KIP-848 member epochs, v10 has topic ids.
 */
export const offsetFetchApi = api({
  name: 'OffsetFetch',
  key: 9,
  versions: '0-10',
  flexible: '6+',
  request: {
    groupId: string('0-7'),
    topics: nullableArray(
      '0-7',
      { name: string('0-7'), partitionIndexes: array('0-7', int32('0+')) },
      { nullable: '2-7' },
    ),
    groups: array('8+', {
      groupId: string('8+'),
      memberId: nullableString('9+', { default: null }),
      memberEpoch: int32('9+', { default: -1 }),
      topics: nullableArray('8+', {
        name: string('8-9'),
        topicId: uuid('10+'),
        partitionIndexes: array('8+', int32('0+')),
      }),
    }),
    requireStable: bool('7+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('3+'),
    topics: array('0-7', {
      name: string('0-7'),
      partitions: array('0-7', {
        partitionIndex: int32('0-7'),
        committedOffset: int64('0-7'),
        committedLeaderEpoch: int32('5-7', { default: -1 }),
        metadata: nullableString('0-7'),
        errorCode: int16('0-7'),
      }),
    }),
    errorCode: int16('2-7', { default: 0 }),
    groups: array('8+', {
      groupId: string('8+'),
      topics: array('8+', {
        name: string('8-9'),
        topicId: uuid('10+'),
        partitions: array('8+', {
          partitionIndex: int32('8+'),
          committedOffset: int64('8+'),
          committedLeaderEpoch: int32('8+', { default: -1 }),
          metadata: nullableString('8+'),
          errorCode: int16('8+'),
        }),
      }),
      errorCode: int16('8+', { default: 0 }),
    }),
  },
});

export type OffsetFetchRequest = RequestOf<typeof offsetFetchApi>;
export type OffsetFetchResponse = ResponseOf<typeof offsetFetchApi>;
