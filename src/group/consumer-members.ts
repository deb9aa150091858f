import { ErrorCode, KafkaError } from '../model/errors.ts';
import { sessionTimeoutMs } from './consumer-config.ts';
import { type Consumer, MemberState, STATIC_LEAVE_EPOCH, storedCurrent } from './consumer-member.ts';
import type { StoredConsumer } from './consumer-records.ts';
import { type ConsumerTurn, memberTombstones, record } from './consumer-replay.ts';
import { hasSameTopics, keepPatterns, topicIdsOf } from './consumer-target.ts';
import type { Context, Turn } from './context.ts';
import { downgrade, mayDowngrade } from './downgrade.ts';
import type { Group } from './group.ts';
import type { Leased } from './leases.ts';
import { isWithin, listed, NO_PARTITIONS, type TopicPartitions } from './partitions.ts';
import { reconcile } from './reconcile.ts';
import { metadataHash } from './topics.ts';

/** What a request says of who sends it. */
export interface Claim {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly memberEpoch: number;
  /** Null when it does not say. */
  readonly owned: readonly TopicPartitions[] | null;
}

/** @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID */
export function knownMember(consumer: ConsumerTurn['consumer'], { memberId, instanceId }: Claim): Consumer {
  const member = instanceId === null ? consumer.members.get(memberId) : consumer.staticMember(instanceId);
  if (member === undefined) {
    const who =
      instanceId === null
        ? `Member ${memberId} is not a member of the group.`
        : `Instance id ${instanceId} is unknown.`;
    throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, who);
  }
  if (member.memberId === memberId) return member;
  throw new KafkaError(
    ErrorCode.FENCED_INSTANCE_ID,
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.memberId}.`,
  );
}

/**
 * An epoch that is behind is that of a lost answer, if the member owns no more than it was given; one that begins anew
 * (0) owns nothing.
 * @throws KafkaError FENCED_MEMBER_EPOCH
 */
export function checkEpoch(member: Consumer, { memberEpoch, owned }: Claim): void {
  if (memberEpoch === member.memberEpoch || memberEpoch === 0) return;
  const isOfLostAnswer =
    memberEpoch < member.memberEpoch &&
    memberEpoch === member.previousMemberEpoch &&
    owned !== null &&
    isWithin(owned, member.assigned);
  if (isOfLostAnswer) return;
  const than = memberEpoch > member.memberEpoch ? 'greater' : 'smaller';
  throw new KafkaError(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The consumer group member has a ${than} member epoch (${memberEpoch}) than the one known by the group ` +
      `coordinator (${member.memberEpoch}). The member must abandon all its partitions and rejoin.`,
  );
}

/** The same instance under a new id: it is to have what the last run had. @returns the new one. */
export function replaceStatic(
  at: ConsumerTurn,
  before: Consumer,
  { memberId, memberEpoch }: { memberId: string; memberEpoch: number },
): Consumer {
  const group = at.group.groupId;
  const target = at.consumer.target(before.memberId);
  const { assigned } = before;
  for (const tombstone of memberTombstones(group, before.memberId)) record(at, tombstone);
  const value = storedFacts(before);
  record(at, { type: 'consumerMember', group, memberId, value });
  record(at, { type: 'consumerTarget', group, memberId, value: { topicPartitions: listed(target) } });
  const state = MemberState.STABLE;
  const current = { memberEpoch, previousMemberEpoch: 0, state, assigned, pendingRevocation: NO_PARTITIONS };
  record(at, { type: 'consumerCurrent', group, memberId, value: storedCurrent(current) });
  return { ...before, ...current, memberId };
}

function storedFacts(member: Consumer): StoredConsumer {
  const { instanceId, rackId, clientId, clientHost, subscribedTopicNames, subscribedTopicRegex } = member;
  const { rebalanceTimeoutMs, serverAssignor, classicMemberMetadata } = member;
  return {
    instanceId,
    rackId,
    clientId,
    clientHost,
    subscribedTopicNames,
    subscribedTopicRegex,
    rebalanceTimeoutMs,
    serverAssignor,
    classicMemberMetadata,
  };
}

/** Writes what a member says of itself, if it is new. @returns whether it subscribes to other topics than before. */
export function updateMember(
  at: ConsumerTurn,
  memberId: string,
  { before, facts }: { before: Consumer | undefined; facts: StoredConsumer },
): boolean {
  if (before !== undefined && areSame(before, facts)) return false;
  record(at, { type: 'consumerMember', group: at.group.groupId, memberId, value: facts });
  const isNewPattern = (before?.subscribedTopicRegex ?? null) !== facts.subscribedTopicRegex;
  if (isNewPattern) keepPatterns(at);
  return (
    before === undefined ||
    isNewPattern ||
    !areSameNames(before.subscribedTopicNames, facts.subscribedTopicNames)
  );
}

function areSame(member: Consumer, facts: StoredConsumer): boolean {
  const { subscribedTopicNames, classicMemberMetadata, ...rest } = facts;
  return (
    member.classicMemberMetadata === classicMemberMetadata &&
    areSameNames(member.subscribedTopicNames, subscribedTopicNames) &&
    Object.entries(rest).every(([name, value]) => member[name as keyof Consumer] === value)
  );
}

/** Mostly the very list: a heartbeat says nothing of what has not changed. */
function areSameNames(left: readonly string[], right: readonly string[]): boolean {
  return left === right || left.join() === right.join();
}

/** One step of the member towards its target, as far as the others let it. @returns it as it is then. */
export function reconcileMember(
  at: ConsumerTurn,
  member: Consumer,
  { owned, isSubscribedAnew }: { owned: Claim['owned']; isSubscribedAnew: boolean },
): Consumer {
  const { group, consumer } = at;
  const { memberId, state, memberEpoch } = member;
  const epoch = consumer.assignmentEpoch;
  if (state === MemberState.STABLE && memberEpoch === epoch && !isSubscribedAnew) return member;
  const wanted = topicIdsOf(at, member);
  const partitions = new Map([...consumer.target(memberId)].filter(([topicId]) => wanted.has(topicId)));
  const current = reconcile(member, {
    epoch,
    partitions,
    owned,
    mayKeep: (topicId) => wanted.has(topicId),
    isTaken: (topicId, partition) => consumer.isTaken(topicId, partition),
  });
  if (current === member) return member;
  record(at, { type: 'consumerCurrent', group: group.groupId, memberId, value: storedCurrent(current) });
  return consumer.members.get(memberId) ?? member;
}

/** They are out: what they had is free, and the others are to have it. */
export function removeMembers(at: ConsumerTurn, members: readonly Consumer[]): void {
  if (members.length === 0) return;
  if (mayDowngrade(at, members)) return downgrade(at, members);
  const { context, group, consumer } = at;
  for (const { memberId } of members)
    for (const tombstone of memberTombstones(group.groupId, memberId)) record(at, tombstone);
  keepPatterns(at);
  const hash = metadataHash(context.cluster, consumer.subscribedTopics);
  const value = { epoch: consumer.epoch + 1, metadataHash: hash };
  record(at, { type: 'consumerEpoch', group: group.groupId, value });
}

/** It may be back before its session ends, and has its partitions until then (KIP-345). */
export function leaveStatic(at: ConsumerTurn, member: Consumer): void {
  const { memberId, assigned, memberEpoch } = member;
  const value = storedCurrent({
    memberEpoch: STATIC_LEAVE_EPOCH,
    previousMemberEpoch: memberEpoch,
    state: MemberState.STABLE,
    assigned,
    pendingRevocation: NO_PARTITIONS,
  });
  record(at, { type: 'consumerCurrent', group: at.group.groupId, memberId, value });
}

export function restartSession({ context, turn, group, consumer }: ConsumerTurn, member: Consumer): void {
  const due = consumer.deadlines(member.memberId);
  const timeoutMs = sessionTimeoutMs(context, group.groupId, member);
  if (due !== undefined) context.startSession(due.session, turn.nowMs, timeoutMs);
}

/** Where nothing moves a member but what others do, or topics: its heartbeats would be answered alike. */
export function leasableConsumer(
  { context, group, consumer }: ConsumerTurn,
  { memberId, memberEpoch }: Pick<Claim, 'memberId' | 'memberEpoch'>,
  moved: Leased['moved'],
): Leased | undefined {
  const member = consumer.members.get(memberId);
  const session = consumer.deadlines(memberId)?.session;
  if (member?.memberEpoch !== memberEpoch || session === undefined || consumer.state !== 'Stable')
    return undefined;
  if (!hasSameTopics({ context, consumer })) return undefined;
  return { group, session, timeoutMs: sessionTimeoutMs(context, group.groupId, member), moved };
}

/** Its session is over, or it did not give up in time, or (a classic one) not rejoin or sync. */
export function expireConsumer(context: Context, turn: Turn, group: Group, memberId: string): void {
  const { consumer } = group;
  const member = consumer?.members.get(memberId);
  if (consumer !== undefined && member !== undefined)
    removeMembers({ context, turn, group, consumer }, [member]);
}
