import {
  array,
  bytes,
  int32,
  int64,
  int64Exact,
  int8,
  type MessageOf,
  nullableArray,
  nullableString,
  nullableStruct,
  string,
  uuid,
} from '../wire/schema.ts';
import { keyMessage, RecordKinds, valueMessage } from './record-kinds.ts';

/*
 * Records of a KIP-848 group, by type: 3 its epoch, 5 a member, 6 the epoch of the assignment that is aimed at, 7 a
 * member's part of it, 8 what a member has now, 16 the topics a pattern stands for. Type 4 (what topics looked like,
 * until Kafka 4.0) is not read: the hash in type 3 has taken its place.
 */

/** `metadataHash` is of the topics the members subscribe to: another one means that they changed. */
export const consumerGroupMetadataValue = valueMessage('ConsumerGroupMetadataValue', {
  epoch: int32('0+'),
  metadataHash: int64Exact('0+', { tag: 0 }),
});

/** `classicMemberMetadata` is of a member that speaks JoinGroup. */
export const consumerGroupMemberMetadataValue = valueMessage('ConsumerGroupMemberMetadataValue', {
  instanceId: nullableString('0+'),
  rackId: nullableString('0+'),
  clientId: string('0+'),
  clientHost: string('0+'),
  subscribedTopicNames: array('0+', string('0+')),
  subscribedTopicRegex: nullableString('0+'),
  rebalanceTimeoutMs: int32('0+', { default: -1 }),
  serverAssignor: nullableString('0+'),
  classicMemberMetadata: nullableStruct(
    '0+',
    {
      sessionTimeoutMs: int32('0+'),
      supportedProtocols: array('0+', { name: string('0+'), metadata: bytes('0+') }),
    },
    { default: null, tag: 0 },
  ),
});

export const consumerGroupTargetAssignmentMetadataValue = valueMessage(
  'ConsumerGroupTargetAssignmentMetadataValue',
  {
    assignmentEpoch: int32('0+'),
    assignmentTimestamp: int64('0+', { tag: 0 }),
  },
);

export const consumerGroupTargetAssignmentMemberValue = valueMessage(
  'ConsumerGroupTargetAssignmentMemberValue',
  {
    topicPartitions: array('0+', { topicId: uuid('0+'), partitions: array('0+', int32('0+')) }),
  },
);

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: array('0+', int32('0+')),
  assignmentEpochs: nullableArray('0+', int32('0+'), { default: null, tag: 0 }),
};

/** `state` is of `MemberState`. */
export const consumerGroupCurrentMemberAssignmentValue = valueMessage(
  'ConsumerGroupCurrentMemberAssignmentValue',
  {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', topicPartitions),
    partitionsPendingRevocation: array('0+', topicPartitions),
  },
);

/** `version` is of the metadata it was resolved by, `timestamp` when. */
export const consumerGroupRegularExpressionValue = valueMessage('ConsumerGroupRegularExpressionValue', {
  topics: array('0+', string('0+')),
  version: int64('0+'),
  timestamp: int64('0+'),
});

const groupKey = keyMessage('ConsumerGroupMetadataKey', { group: string('0+') });
const memberKey = keyMessage('ConsumerGroupMemberMetadataKey', {
  group: string('0+'),
  memberId: string('0+'),
});
const regexKey = keyMessage('ConsumerGroupRegularExpressionKey', {
  group: string('0+'),
  regex: string('0+'),
});

export type StoredEpoch = MessageOf<typeof consumerGroupMetadataValue>;
export type StoredConsumer = MessageOf<typeof consumerGroupMemberMetadataValue>;
export type StoredTargetEpoch = MessageOf<typeof consumerGroupTargetAssignmentMetadataValue>;
export type StoredTarget = MessageOf<typeof consumerGroupTargetAssignmentMemberValue>;
export type StoredCurrent = MessageOf<typeof consumerGroupCurrentMemberAssignmentValue>;
export type StoredRegex = MessageOf<typeof consumerGroupRegularExpressionValue>;

/** A null value is a tombstone. */
export type ConsumerRecord =
  | { type: 'consumerEpoch'; group: string; value: StoredEpoch | null }
  | { type: 'consumerMember'; group: string; memberId: string; value: StoredConsumer | null }
  | { type: 'consumerTargetEpoch'; group: string; value: StoredTargetEpoch | null }
  | { type: 'consumerTarget'; group: string; memberId: string; value: StoredTarget | null }
  | { type: 'consumerCurrent'; group: string; memberId: string; value: StoredCurrent | null }
  | { type: 'consumerRegex'; group: string; regex: string; value: StoredRegex | null };

export const CONSUMER_RECORDS = new RecordKinds<ConsumerRecord>({
  consumerEpoch: { keyType: 3, key: groupKey, value: consumerGroupMetadataValue },
  consumerMember: { keyType: 5, key: memberKey, value: consumerGroupMemberMetadataValue },
  consumerTargetEpoch: { keyType: 6, key: groupKey, value: consumerGroupTargetAssignmentMetadataValue },
  consumerTarget: { keyType: 7, key: memberKey, value: consumerGroupTargetAssignmentMemberValue },
  consumerCurrent: { keyType: 8, key: memberKey, value: consumerGroupCurrentMemberAssignmentValue },
  consumerRegex: { keyType: 16, key: regexKey, value: consumerGroupRegularExpressionValue },
});
