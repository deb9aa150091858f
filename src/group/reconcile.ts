import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { Uuid } from '../model/ids.ts';
import { type CurrentAssignment, MemberState } from './consumer-member.ts';
import {
  type EpochPartitions,
  type Partitions,
  samePartitions,
  type TopicPartitions,
  touches,
} from './partitions.ts';

/*
 * How a member comes from what it has to what it is to have (KIP-848). It keeps its epoch until it has given up what
 * others are to have; what others still have it gets later.
 *
 *                        to give up, and not yet given up
 *     STABLE ────────────────────────────────────────────> UNREVOKED_PARTITIONS
 *      ^   │                                                 │ a heartbeat no longer owns what was to be given up
 *      │   │ wanted, and another has it yet                  │
 *      │   └──────────────> UNRELEASED_PARTITIONS <──────────┤
 *      │                          │ all is free              │
 *      └──────────────────────────┴──────────────────────────┘
 */

export interface Aim {
  /** Epoch of the assignment that is aimed at. */
  readonly epoch: number;
  /** This member's part of it, of topics that are there and that it subscribes to. */
  readonly partitions: Partitions;
  /** Whether a topic may stay with the member, whatever the assignment says. */
  readonly mayKeep: (topicId: Uuid) => boolean;
  /** Whether any member has it, or has yet to give it up. */
  readonly isTaken: (topicId: Uuid, partition: number) => boolean;
  /** What the member says it owns; null when it does not say. */
  readonly owned: readonly TopicPartitions[] | null;
}

/** @returns the same object when there is nothing to do. @throws KafkaError FENCED_MEMBER_EPOCH */
export function reconcile(current: CurrentAssignment, aim: Aim): CurrentAssignment {
  switch (current.state) {
    case MemberState.STABLE:
      return current.memberEpoch === aim.epoch && keepsAll(current, aim) ? current : next(current, aim);
    case MemberState.UNREVOKED_PARTITIONS:
      if (stillOwns(current.pendingRevocation, aim))
        return keepsAll(current, aim) ? current : strip(current, aim);
      return next(current, aim);
    case MemberState.UNRELEASED_PARTITIONS:
      return changed(current, next(current, aim));
    default:
      // A newer Kafka wrote it: who owns nothing can begin anew.
      if (aim.owned === null || aim.owned.length > 0)
        throw new KafkaError(
          ErrorCode.FENCED_MEMBER_EPOCH,
          'The member is in an unknown state: it must abandon all its partitions and rejoin.',
        );
      return next(current, aim);
  }
}

function keepsAll({ assigned }: CurrentAssignment, { mayKeep }: Aim): boolean {
  for (const topicId of assigned.keys()) if (!mayKeep(topicId)) return false;
  return true;
}

/** A member that does not say what it owns is taken to own all it was given. */
function stillOwns(partitions: EpochPartitions, { owned }: Aim): boolean {
  return owned === null || touches(owned, partitions);
}

/** While it gives up, it stops to subscribe to more: that goes too. */
function strip(current: CurrentAssignment, { mayKeep }: Aim): CurrentAssignment {
  const assigned = new Map(current.assigned);
  const pendingRevocation = new Map(current.pendingRevocation);
  for (const [topicId, partitions] of current.assigned) {
    if (mayKeep(topicId)) continue;
    assigned.delete(topicId);
    pendingRevocation.set(topicId, new Map([...(pendingRevocation.get(topicId) ?? []), ...partitions]));
  }
  return { ...current, previousMemberEpoch: current.memberEpoch, assigned, pendingRevocation };
}

function next(current: CurrentAssignment, aim: Aim): CurrentAssignment {
  const kept = new Map<Uuid, Map<number, number>>();
  const toRevoke = new Map<Uuid, Map<number, number>>();
  for (const [topicId, partitions] of current.assigned) {
    const target = aim.mayKeep(topicId) ? aim.partitions.get(topicId) : undefined;
    for (const [partition, epoch] of partitions)
      put(target?.has(partition) === true ? kept : toRevoke, topicId, partition, epoch);
  }
  const previousMemberEpoch = current.memberEpoch;
  if (toRevoke.size > 0 && stillOwns(toRevoke, aim)) {
    const state = MemberState.UNREVOKED_PARTITIONS;
    return { ...current, previousMemberEpoch, state, assigned: kept, pendingRevocation: toRevoke };
  }
  let isWaiting = false;
  for (const [topicId, partitions] of aim.partitions)
    for (const partition of partitions) {
      if (kept.get(topicId)?.has(partition) === true) continue;
      // What it has just given up itself is free.
      const isOwn = has(toRevoke, topicId, partition) || has(current.pendingRevocation, topicId, partition);
      if (aim.isTaken(topicId, partition) && !isOwn) isWaiting = true;
      else put(kept, topicId, partition, aim.epoch);
    }
  return {
    memberEpoch: aim.epoch,
    previousMemberEpoch,
    state: isWaiting ? MemberState.UNRELEASED_PARTITIONS : MemberState.STABLE,
    assigned: kept,
    pendingRevocation: new Map(),
  };
}

/** What it waits for is not free yet, and nothing else is new: no record is worth it. */
function changed(before: CurrentAssignment, after: CurrentAssignment): CurrentAssignment {
  const isSame =
    after.state === before.state &&
    after.memberEpoch === before.memberEpoch &&
    samePartitions(after.assigned, before.assigned);
  return isSame ? before : after;
}

function has(partitions: EpochPartitions, topicId: Uuid, partition: number): boolean {
  return partitions.get(topicId)?.has(partition) === true;
}

function put(to: Map<Uuid, Map<number, number>>, topicId: Uuid, partition: number, epoch: number): void {
  const some = to.get(topicId);
  if (some === undefined) to.set(topicId, new Map([[partition, epoch]]));
  else some.set(partition, epoch);
}
