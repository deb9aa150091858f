import type { Millis, Uuid } from '../model/ids.ts';
import type { Due } from './context.ts';
import type { Deadline } from './deadlines.ts';
import { NO_PARTITIONS, type Partitions } from './partitions.ts';
import type { StoredShareMember } from './share-records.ts';

/** As ShareGroupDescribe and ListGroups print them. */
export type ShareGroupState = 'Empty' | 'Stable';

/** A member as its records say: replaced, never changed. */
export interface ShareMember extends StoredShareMember {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  readonly assigned: Partitions;
}

export const NO_SHARE_MEMBER: Omit<ShareMember, 'memberId'> = {
  rackId: null,
  clientId: '',
  clientHost: '',
  subscribedTopicNames: [],
  memberEpoch: 0,
  previousMemberEpoch: 0,
  assigned: NO_PARTITIONS,
};

/** A topic of which the group has, or is getting, states. */
export interface SharedTopic {
  readonly topicName: string;
  readonly partitions: ReadonlySet<number>;
}

/**
 * A share group: what its records say, and what follows from it. Changed by records alone, live as on replay. Its
 * members are given partitions, several the same one; nothing has to be given up first.
 */
export class ShareGroup {
  epoch = 0;
  /** Of the topics its members subscribe to. */
  metadataHash = 0n;
  /** The target assignment is of this epoch of the group. */
  assignmentEpoch = 0;
  assignedAtMs: Millis = 0;
  readonly members = new Map<string, ShareMember>();
  readonly sessions = new Map<string, Deadline<Due>>();
  readonly targets = new Map<string, Partitions>();
  /** Topics with states at the share coordinators. */
  initialized: ReadonlyMap<Uuid, SharedTopic> = new Map();
  /** Topics whose states are being deleted. */
  deleting: ReadonlyMap<Uuid, string> = new Map();
  /** `<topic id>/<partition>` of states that are being made; not in the log. */
  readonly underWay = new Set<string>();
  /** Version of the cluster's metadata the group was last compared with; not in the log. */
  lookedAtVersion = -1;

  get state(): ShareGroupState {
    return this.members.size === 0 ? 'Empty' : 'Stable';
  }

  /** Nothing of it is in the log. */
  get isBlank(): boolean {
    const counts = [this.members.size, this.targets.size, this.initialized.size, this.deleting.size];
    return this.epoch === 0 && this.assignmentEpoch === 0 && counts.every((count) => count === 0);
  }

  get subscribedTopics(): ReadonlySet<string> {
    const all = new Set<string>();
    for (const { subscribedTopicNames } of this.members.values())
      for (const name of subscribedTopicNames) all.add(name);
    return all;
  }

  isInitialized(topicId: Uuid, partition: number): boolean {
    return this.initialized.get(topicId)?.partitions.has(partition) === true;
  }
}
