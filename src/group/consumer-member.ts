import type { Millis, Uuid } from '../model/ids.ts';
import type { StoredConsumer, StoredCurrent } from './consumer-records.ts';
import { type EpochPartitions, listed, NO_PARTITIONS } from './partitions.ts';

/** As its record says it. An unknown number is a state of a Kafka to come. */
export const MemberState = { STABLE: 1, UNREVOKED_PARTITIONS: 2, UNRELEASED_PARTITIONS: 3 } as const;

/** Epochs a heartbeat says to go: for good, or as a static member that may be back. */
export const LEAVE_EPOCH = -1;
export const STATIC_LEAVE_EPOCH = -2;

/** What a member has, and is to give up: the record of type 8. */
export interface CurrentAssignment {
  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  readonly state: number;
  readonly assigned: EpochPartitions;
  readonly pendingRevocation: EpochPartitions;
}

/** A member of a KIP-848 group as its records say: replaced, never changed. */
export interface Consumer extends CurrentAssignment, StoredConsumer {
  readonly memberId: string;
}

export const NOTHING_ASSIGNED: CurrentAssignment = {
  memberEpoch: 0,
  previousMemberEpoch: 0,
  state: MemberState.STABLE,
  assigned: NO_PARTITIONS,
  pendingRevocation: NO_PARTITIONS,
};

export const NO_CONSUMER: StoredConsumer = {
  instanceId: null,
  rackId: null,
  clientId: '',
  clientHost: '',
  subscribedTopicNames: [],
  subscribedTopicRegex: null,
  rebalanceTimeoutMs: -1,
  serverAssignor: null,
  classicMemberMetadata: null,
};

/** It speaks JoinGroup, SyncGroup and Heartbeat. */
export function isClassic({ classicMemberMetadata }: Consumer): boolean {
  return classicMemberMetadata !== null;
}

export function rebalanceTimeoutOf({ rebalanceTimeoutMs }: Consumer): Millis {
  return Math.max(rebalanceTimeoutMs, 0);
}

export function storedCurrent(current: CurrentAssignment): StoredCurrent {
  return {
    memberEpoch: current.memberEpoch,
    previousMemberEpoch: current.previousMemberEpoch,
    state: current.state,
    assignedPartitions: storedPartitions(current.assigned),
    partitionsPendingRevocation: storedPartitions(current.pendingRevocation),
  };
}

function storedPartitions(partitions: EpochPartitions): StoredCurrent['assignedPartitions'] {
  return listed(partitions).map(({ topicId, partitions: some }) => {
    const epochs = partitions.get(topicId);
    return { topicId, partitions: some, assignmentEpochs: some.map((one) => epochs?.get(one) ?? 0) };
  });
}

/** Records before KIP-1251 know no epochs of single partitions: the member's own stands for them. */
export function currentOf(stored: StoredCurrent): CurrentAssignment {
  const { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation } = stored;
  const read = (lists: StoredCurrent['assignedPartitions']): Map<Uuid, Map<number, number>> =>
    new Map(
      lists.map(({ topicId, partitions, assignmentEpochs }) => [
        topicId,
        new Map(partitions.map((partition, i) => [partition, assignmentEpochs?.[i] ?? memberEpoch])),
      ]),
    );
  return {
    memberEpoch,
    previousMemberEpoch,
    state,
    assigned: read(assignedPartitions),
    pendingRevocation: read(partitionsPendingRevocation),
  };
}
