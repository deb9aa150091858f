import {
  array,
  int32,
  int64,
  int64Exact,
  int8,
  type MessageOf,
  nullableString,
  string,
  uuid,
} from '../wire/schema.ts';
import { keyMessage, RecordKinds, valueMessage } from './record-kinds.ts';

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

export const shareGroupMemberMetadataValue = valueMessage('ShareGroupMemberMetadataValue', {
  rackId: nullableString('0+'),
  clientId: string('0+'),
  clientHost: string('0+'),
  subscribedTopicNames: array('0+', string('0+')),
});

export const shareGroupMetadataValue = valueMessage('ShareGroupMetadataValue', {
  epoch: int32('0+'),
  metadataHash: int64Exact('0+'),
});

export const shareGroupTargetAssignmentMetadataValue = valueMessage(
  'ShareGroupTargetAssignmentMetadataValue',
  {
    assignmentEpoch: int32('0+'),
    assignmentTimestamp: int64('0+', { tag: 0 }),
  },
);

export const shareGroupTargetAssignmentMemberValue = valueMessage('ShareGroupTargetAssignmentMemberValue', {
  topicPartitions: array('0+', topicPartitions),
});

export const shareGroupCurrentMemberAssignmentValue = valueMessage('ShareGroupCurrentMemberAssignmentValue', {
  memberEpoch: int32('0+'),
  previousMemberEpoch: int32('0+'),
  state: int8('0+'),
  assignedPartitions: array('0+', topicPartitions),
});

export const shareGroupStatePartitionMetadataValue = valueMessage('ShareGroupStatePartitionMetadataValue', {
  initializingTopics: array('0+', namedPartitions),
  initializedTopics: array('0+', namedPartitions),
  deletingTopics: array('0+', { topicId: uuid('0+'), topicName: string('0+') }),
});

const groupKey = keyMessage('ShareGroupMetadataKey', { group: string('0+') });
const memberKey = keyMessage('ShareGroupMemberMetadataKey', { group: string('0+'), memberId: string('0+') });

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

export const SHARE_RECORDS = new RecordKinds<ShareGroupRecord>({
  shareMember: { keyType: 10, key: memberKey, value: shareGroupMemberMetadataValue },
  shareEpoch: { keyType: 11, key: groupKey, value: shareGroupMetadataValue },
  shareTargetEpoch: { keyType: 12, key: groupKey, value: shareGroupTargetAssignmentMetadataValue },
  shareTarget: { keyType: 13, key: memberKey, value: shareGroupTargetAssignmentMemberValue },
  shareCurrent: { keyType: 14, key: memberKey, value: shareGroupCurrentMemberAssignmentValue },
  shareStates: { keyType: 15, key: groupKey, value: shareGroupStatePartitionMetadataValue },
});
