import { unreachable } from '../model/assert.ts';
import type { Millis, Uuid } from '../model/ids.ts';
import type { MachineRecord } from '../model/machine.ts';
import type { Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import { collected, listed } from './partitions.ts';
import { shareSessionTimeoutMs } from './share-config.ts';
import { NO_SHARE_MEMBER, ShareGroup, type SharedTopic, type ShareMember } from './share-group.ts';
import { SHARE_RECORDS, type ShareGroupRecord, type StoredShareStates } from './share-records.ts';

/** A share group in one decision. */
export interface ShareTurn {
  readonly context: Context;
  readonly turn: Turn;
  readonly group: Group;
  readonly share: ShareGroup;
}

/** Kafka's MemberState.STABLE: members of share groups know no other. */
const STABLE = 1;

/** Writes a record and makes it true at once: what the decision does next builds on it. */
export function recordShare({ context, turn, group }: ShareTurn, what: ShareGroupRecord): void {
  const encoded = SHARE_RECORDS.encode(what);
  turn.write(encoded);
  context.applied.add(encoded);
  applyShare(context, group, what, turn.nowMs);
}

/** Makes a record true. Those of a member may come in any order: a compacted log keeps the last of each kind. */
export function applyShare(context: Context, group: Group, what: ShareGroupRecord, nowMs: Millis): void {
  if (group.share === undefined && what.value === null) return;
  const share = (group.share ??= new ShareGroup());
  group.version++;
  switch (what.type) {
    case 'shareEpoch':
      share.epoch = what.value?.epoch ?? 0;
      share.metadataHash = what.value?.metadataHash ?? 0n;
      break;
    case 'shareTargetEpoch':
      share.assignmentEpoch = what.value?.assignmentEpoch ?? 0;
      share.assignedAtMs = what.value?.assignmentTimestamp ?? 0;
      break;
    case 'shareTarget':
      if (what.value) share.targets.set(what.memberId, collected(what.value.topicPartitions));
      else share.targets.delete(what.memberId);
      break;
    case 'shareMember':
      if (what.value) setMember(context, group, { ...memberOf(share, what.memberId), ...what.value }, nowMs);
      else removeMember(context, share, what.memberId);
      break;
    case 'shareCurrent':
      applyCurrent(context, group, what, nowMs);
      break;
    case 'shareStates':
      share.initialized = topicsOf(what.value?.initializedTopics ?? []);
      share.deleting = new Map(
        what.value?.deletingTopics.map(({ topicId, topicName }) => [topicId, topicName]),
      );
      break;
    default:
      unreachable(what);
  }
}

function topicsOf(topics: StoredShareStates['initializedTopics']): Map<Uuid, SharedTopic> {
  return new Map(
    topics.map(({ topicId, topicName, partitions }) => [
      topicId,
      { topicName, partitions: new Set(partitions) },
    ]),
  );
}

type CurrentRecord = Extract<ShareGroupRecord, { type: 'shareCurrent' }>;

function applyCurrent(
  context: Context,
  group: Group,
  { memberId, value }: CurrentRecord,
  nowMs: Millis,
): void {
  const { share } = group;
  if (share === undefined || (value === null && !share.members.has(memberId))) return;
  const member = memberOf(share, memberId);
  const { memberEpoch = 0, previousMemberEpoch = 0, assignedPartitions = [] } = value ?? {};
  const assigned = collected(assignedPartitions);
  setMember(context, group, { ...member, memberEpoch, previousMemberEpoch, assigned }, nowMs);
}

function memberOf(share: ShareGroup, memberId: string): ShareMember {
  return share.members.get(memberId) ?? { ...NO_SHARE_MEMBER, memberId };
}

function setMember(context: Context, group: Group, member: ShareMember, nowMs: Millis): void {
  const { share } = group;
  if (share === undefined) return;
  const { memberId } = member;
  share.members.set(memberId, member);
  if (share.sessions.has(memberId)) return;
  const session = context.deadlines.create({ type: 'shareSession', group, memberId });
  share.sessions.set(memberId, session);
  context.deadlines.set(session, nowMs + shareSessionTimeoutMs(context, group.groupId));
}

function removeMember(context: Context, share: ShareGroup, memberId: string): void {
  share.members.delete(memberId);
  const session = share.sessions.get(memberId);
  if (session !== undefined) context.deadlines.clear(session);
  share.sessions.delete(memberId);
}

export function statesValue(share: Pick<ShareGroup, 'initialized' | 'deleting'>): StoredShareStates {
  return {
    initializingTopics: [],
    initializedTopics: [...share.initialized].map(([topicId, { topicName, partitions }]) => ({
      topicId,
      topicName,
      partitions: [...partitions].sort((a, b) => a - b),
    })),
    deletingTopics: [...share.deleting].map(([topicId, topicName]) => ({ topicId, topicName })),
  };
}

export function currentValue({ memberEpoch, previousMemberEpoch, assigned }: ShareMember) {
  return { memberEpoch, previousMemberEpoch, state: STABLE, assignedPartitions: listed(assigned) };
}

/** What the log holds of a group, each thing once. */
export function* shareSnapshot(group: string, share: ShareGroup): Iterable<MachineRecord> {
  const { epoch, metadataHash, assignmentEpoch, assignedAtMs: assignmentTimestamp } = share;
  for (const { memberId, ...value } of share.members.values())
    yield SHARE_RECORDS.encode({ type: 'shareMember', group, memberId, value });
  yield SHARE_RECORDS.encode({ type: 'shareEpoch', group, value: { epoch, metadataHash } });
  for (const [memberId, partitions] of share.targets) {
    const value = { topicPartitions: listed(partitions) };
    yield SHARE_RECORDS.encode({ type: 'shareTarget', group, memberId, value });
  }
  const value = { assignmentEpoch, assignmentTimestamp };
  yield SHARE_RECORDS.encode({ type: 'shareTargetEpoch', group, value });
  for (const member of share.members.values()) {
    const { memberId } = member;
    yield SHARE_RECORDS.encode({ type: 'shareCurrent', group, memberId, value: currentValue(member) });
  }
  if (share.initialized.size > 0 || share.deleting.size > 0)
    yield SHARE_RECORDS.encode({ type: 'shareStates', group, value: statesValue(share) });
}

/** What removes all of a group from the log; its epoch last, so that no prefix leaves less than a group. */
export function* shareTombstones(group: string, share: ShareGroup): Iterable<ShareGroupRecord> {
  for (const memberId of share.members.keys()) yield* shareMemberTombstones(group, memberId);
  yield { type: 'shareTargetEpoch', group, value: null };
  yield { type: 'shareStates', group, value: null };
  yield { type: 'shareEpoch', group, value: null };
}

export function* shareMemberTombstones(group: string, memberId: string): Iterable<ShareGroupRecord> {
  yield { type: 'shareCurrent', group, memberId, value: null };
  yield { type: 'shareTarget', group, memberId, value: null };
  yield { type: 'shareMember', group, memberId, value: null };
}
