import { KafkaError } from '../model/errors.ts';
import { ZERO_UUID } from '../model/ids.ts';
import type { Millis } from '../model/ids.ts';
import type { MachineRecord } from '../model/machine.ts';
import { encodeMessage, readMessage } from '../wire/codec.ts';
import { keyReader, typed, valueBytes, valueReader } from '../wire/coordinator-record.ts';
import { Reader } from '../wire/reader.ts';
import {
  array,
  bytes,
  int32,
  int64,
  literal,
  message,
  nullableString,
  string,
  uuid,
} from '../wire/schema.ts';
import type { MessageOf } from '../wire/schema.ts';
import { type ConsumerRecord, CONSUMER_RECORDS } from './consumer-records.ts';
import type { Group } from './group.ts';
import { SHARE_RECORDS, type ShareGroupRecord } from './share-records.ts';
import { metadataOf, NO_BYTES } from './member.ts';
import { PACKED_KEY_TYPE, type PackedPositions, readPacked } from './packed-positions.ts';
import { isPosition, readOffsetKey, readOffsetValue } from './read-position.ts';

/** Key of a committed position. Types 0 (older clients) and 1 are the same. */
export const offsetCommitKey = message({
  name: 'OffsetCommitKey',
  versions: '0-1',
  flexible: 'none',
  fields: literal({ group: string('0+'), topic: string('0+'), partition: int32('0+') }, (read, from) => ({
    group: read.group(from),
    topic: read.topic(from),
    partition: read.partition(from),
  })),
});

/** v1 has the client's own expiry (OffsetCommit 2-4), v3 leader epochs (KIP-320), v4 the topic id. */
export const offsetCommitValue = message({
  name: 'OffsetCommitValue',
  versions: '0-4',
  flexible: '4+',
  fields: literal(
    {
      offset: int64('0+'),
      leaderEpoch: int32('3+', { default: -1 }),
      metadata: string('0+'),
      commitTimestamp: int64('0+'),
      expireTimestamp: int64('1', { default: -1 }),
      topicId: uuid('4+', { tag: 0 }),
    },
    (read, from) => ({
      offset: read.offset(from),
      leaderEpoch: read.leaderEpoch(from),
      metadata: read.metadata(from),
      commitTimestamp: read.commitTimestamp(from),
      expireTimestamp: read.expireTimestamp(from),
      topicId: read.topicId(from),
    }),
  ),
});

export const groupMetadataKey = message({
  name: 'GroupMetadataKey',
  versions: '2',
  flexible: 'none',
  fields: { group: string('0+') },
});

/** v1 has rebalance timeouts, v2 the time of the state, v3 static members (KIP-345). */
export const groupMetadataValue = message({
  name: 'GroupMetadataValue',
  versions: '0-4',
  flexible: '4+',
  fields: {
    protocolType: string('0+'),
    generation: int32('0+'),
    protocol: nullableString('0+'),
    leader: nullableString('0+'),
    currentStateTimestamp: int64('2+', { default: -1 }),
    members: array('0+', {
      memberId: string('0+'),
      groupInstanceId: nullableString('3+', { default: null }),
      clientId: string('0+'),
      clientHost: string('0+'),
      rebalanceTimeout: int32('1+', { default: -1 }),
      sessionTimeout: int32('0+'),
      subscription: bytes('0+'),
      assignment: bytes('0+'),
    }),
  },
});

export type OffsetAndMetadata = MessageOf<typeof offsetCommitValue>;
export type GroupMetadata = MessageOf<typeof groupMetadataValue>;

export interface OffsetKey {
  group: string;
  topic: string;
  partition: number;
}

/** A record of the coordinator's log, read. A null value is a tombstone. */
export type GroupRecord =
  | { type: 'offset'; key: OffsetKey; value: OffsetAndMetadata | null }
  | { type: 'group'; group: string; value: GroupMetadata | null }
  | PackedPositions
  | ConsumerRecord
  | ShareGroupRecord;

const OFFSET_KEY_TYPE = 1;
const GROUP_KEY_TYPE = 2;
const GROUP_VALUE_VERSION = 3;

export function offsetRecord(key: OffsetKey, value: OffsetAndMetadata | null): MachineRecord {
  const encodedKey = typed(OFFSET_KEY_TYPE, encodeMessage(offsetCommitKey, 1, key));
  if (value === null) return { key: encodedKey, value: null };
  const version = offsetValueVersion(value);
  return { key: encodedKey, value: typed(version, encodeMessage(offsetCommitValue, version, value)) };
}

/** As Kafka: the version that has what the value needs, so that older tools read all they can. */
function offsetValueVersion({ expireTimestamp, topicId }: OffsetAndMetadata): number {
  if (expireTimestamp !== -1) return 1;
  return topicId === ZERO_UUID ? 3 : 4;
}

export function groupRecord(group: string, value: GroupMetadata | null): MachineRecord {
  const key = typed(GROUP_KEY_TYPE, encodeMessage(groupMetadataKey, 2, { group }));
  if (value === null) return { key, value: null };
  return {
    key,
    value: typed(GROUP_VALUE_VERSION, encodeMessage(groupMetadataValue, GROUP_VALUE_VERSION, value)),
  };
}

/**
 * The group as it is now, in its state since `stateAtMs`, with what each member is assigned; who is not named
 * is assigned nothing.
 */
export function groupMetadataRecord(
  group: Group,
  assignments: ReadonlyMap<string, Uint8Array>,
  stateAtMs: Millis,
): MachineRecord {
  return groupRecord(group.groupId, {
    protocolType: group.protocolType,
    generation: group.generationId,
    protocol: group.protocol,
    leader: group.leader,
    currentStateTimestamp: stateAtMs,
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: metadataOf(member, group.protocol),
      assignment: assignments.get(member.memberId) ?? NO_BYTES,
    })),
  });
}

/**
 * Undefined for what is not ours to read: streams groups, versions of the future, keys of no coordinator.
 */
export function decodeRecord(record: MachineRecord): GroupRecord | undefined {
  const { span } = record;
  if (span !== undefined && isPosition(span)) {
    const { bytes, keyAt, valueAt } = span;
    return { type: 'offset', key: readOffsetKey(bytes, keyAt), value: readOffsetValue(bytes, valueAt) };
  }
  try {
    const key = keyReader(record);
    return key && decodeTyped(key, record);
  } catch (error) {
    if (error instanceof KafkaError) return undefined;
    throw error;
  }
}

function decodeTyped(key: Reader, record: MachineRecord): GroupRecord | undefined {
  const type = key.int16();
  if (type === 0 || type === OFFSET_KEY_TYPE) {
    const value = valueReader(record);
    const position = value ? readMessage(offsetCommitValue, value.int16(), value) : null;
    return { type: 'offset', key: readMessage(offsetCommitKey, type, key), value: position };
  }
  if (type === PACKED_KEY_TYPE) return readPacked(key, valueBytes(record));
  // Copied, for the bytes of members to outlive the batch they came in.
  const copy = record.value && new Reader(record.value.slice());
  if (type !== GROUP_KEY_TYPE) {
    const value = copy ?? undefined;
    return CONSUMER_RECORDS.read(type, key, value) ?? SHARE_RECORDS.read(type, key, value);
  }
  const { group } = readMessage(groupMetadataKey, type, key);
  return { type: 'group', group, value: copy && readMessage(groupMetadataValue, copy.int16(), copy) };
}
