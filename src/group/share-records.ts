import type { MachineRecord } from '../model/machine.ts';
import { encodeMessage, readMessage } from '../wire/codec.ts';
import { typed } from '../wire/coordinator-record.ts';
import type { Reader } from '../wire/reader.ts';
import {
  array,
  int32,
  int64,
  int64Exact,
  int8,
  type Message,
  message,
  type MessageOf,
  nullableString,
  string,
  uuid,
} from '../wire/schema.ts';

/*
 * Records of a share group (KIP-932), by type: 10 a member, 11 the group's epoch, 12 the epoch of the assignment, 13 a
 * member's part of it, 14 what a member has now, 15 of which partitions the group has a state.
 */

const topicPartitions = { topicId: uuid('0+'), partitions: array('0+', int32('0+')) };
const namedPartitions = {
  topicId: uuid('0+'),
  topicName: string('0+'),
  partitions: array('0+', int32('0+')),
};

export const shareGroupMemberMetadataValue = value('ShareGroupMemberMetadataValue', {
  rackId: nullableString('0+'),
  clientId: string('0+'),
  clientHost: string('0+'),
  subscribedTopicNames: array('0+', string('0+')),
});

export const shareGroupMetadataValue = value('ShareGroupMetadataValue', {
  epoch: int32('0+'),
  metadataHash: int64Exact('0+'),
});

export const shareGroupTargetAssignmentMetadataValue = value('ShareGroupTargetAssignmentMetadataValue', {
  assignmentEpoch: int32('0+'),
  assignmentTimestamp: int64('0+', { tag: 0 }),
});

export const shareGroupTargetAssignmentMemberValue = value('ShareGroupTargetAssignmentMemberValue', {
  topicPartitions: array('0+', topicPartitions),
});

export const shareGroupCurrentMemberAssignmentValue = value('ShareGroupCurrentMemberAssignmentValue', {
  memberEpoch: int32('0+'),
  previousMemberEpoch: int32('0+'),
  state: int8('0+'),
  assignedPartitions: array('0+', topicPartitions),
});

export const shareGroupStatePartitionMetadataValue = value('ShareGroupStatePartitionMetadataValue', {
  initializingTopics: array('0+', namedPartitions),
  initializedTopics: array('0+', namedPartitions),
  deletingTopics: array('0+', { topicId: uuid('0+'), topicName: string('0+') }),
});

const groupKey = key('ShareGroupMetadataKey', { groupId: string('0+') });
const memberKey = key('ShareGroupMemberMetadataKey', { groupId: string('0+'), memberId: string('0+') });

export type StoredShareMember = MessageOf<typeof shareGroupMemberMetadataValue>;
export type StoredShareCurrent = MessageOf<typeof shareGroupCurrentMemberAssignmentValue>;
export type StoredShareStates = MessageOf<typeof shareGroupStatePartitionMetadataValue>;
type StoredEpoch = MessageOf<typeof shareGroupMetadataValue>;
type StoredTargetEpoch = MessageOf<typeof shareGroupTargetAssignmentMetadataValue>;
type StoredTarget = MessageOf<typeof shareGroupTargetAssignmentMemberValue>;

/** A null value is a tombstone. */
export type ShareGroupRecord =
  | { type: 'shareMember'; group: string; memberId: string; value: StoredShareMember | null }
  | { type: 'shareEpoch'; group: string; value: StoredEpoch | null }
  | { type: 'shareTargetEpoch'; group: string; value: StoredTargetEpoch | null }
  | { type: 'shareTarget'; group: string; memberId: string; value: StoredTarget | null }
  | { type: 'shareCurrent'; group: string; memberId: string; value: StoredShareCurrent | null }
  | { type: 'shareStates'; group: string; value: StoredShareStates | null };

type RecordType = ShareGroupRecord['type'];

const KINDS = {
  shareMember: { keyType: 10, key: memberKey, value: shareGroupMemberMetadataValue },
  shareEpoch: { keyType: 11, key: groupKey, value: shareGroupMetadataValue },
  shareTargetEpoch: { keyType: 12, key: groupKey, value: shareGroupTargetAssignmentMetadataValue },
  shareTarget: { keyType: 13, key: memberKey, value: shareGroupTargetAssignmentMemberValue },
  shareCurrent: { keyType: 14, key: memberKey, value: shareGroupCurrentMemberAssignmentValue },
  shareStates: { keyType: 15, key: groupKey, value: shareGroupStatePartitionMetadataValue },
} as const satisfies Record<RecordType, { keyType: number; key: Message; value: Message }>;

const TYPES = new Map<number, RecordType>(
  Object.entries(KINDS).map(([type, { keyType }]) => [keyType, type as RecordType]),
);

export function encodeShareGroupRecord(record: ShareGroupRecord): MachineRecord {
  const kind = KINDS[record.type];
  const named = { ...record, groupId: record.group };
  const encodedKey = typed(kind.keyType, encodeMessage<Message>(kind.key, 0, named as never));
  if (record.value === null) return { key: encodedKey, value: null };
  return { key: encodedKey, value: typed(0, encodeMessage<Message>(kind.value, 0, record.value as never)) };
}

/**
 * Undefined when `keyType` is none of these.
 * @param keyReader behind the type.
 * @param valueReader undefined for a tombstone.
 */
export function readShareGroupRecord(
  keyType: number,
  keyReader: Reader,
  valueReader: Reader | undefined,
): ShareGroupRecord | undefined {
  const type = TYPES.get(keyType);
  if (type === undefined) return undefined;
  const kind = KINDS[type];
  const { groupId: group, ...read } = readMessage<Message>(kind.key, 0, keyReader) as { groupId: string };
  const found = valueReader && readMessage<Message>(kind.value, valueReader.int16(), valueReader);
  return { type, group, ...read, value: found ?? null } as unknown as ShareGroupRecord;
}

function value<const F extends Message['fields']>(name: string, fields: F): Message<F> {
  return message({ name, versions: '0', flexible: '0+', fields });
}

function key<const F extends Message['fields']>(name: string, fields: F): Message<F> {
  return message({ name, versions: '0', flexible: 'none', fields });
}
