import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { JoinGroupRequest } from '../wire/apis/11-join-group.ts';
import type { HeartbeatRequest } from '../wire/apis/12-heartbeat.ts';
import type { SyncGroupRequest, SyncGroupResponse } from '../wire/apis/14-sync-group.ts';
import { CONSUMER_PROTOCOL, readSubscription, type SubscriptionMessage } from '../wire/consumer-protocol.ts';
import { joinError, syncError } from './classic.ts';
import { type Consumer, isClassic, MemberState, NO_CONSUMER, rebalanceTimeoutOf } from './consumer-member.ts';
import {
  type Claim,
  knownMember,
  reconcileMember,
  removeMembers,
  replaceStatic,
  restartSession,
  updateMember,
} from './consumer-members.ts';
import type { StoredConsumer } from './consumer-records.ts';
import type { ConsumerTurn } from './consumer-replay.ts';
import { assignIfDue, refreshEpoch, topicIdsOf } from './consumer-target.ts';
import type { Asked } from './context.ts';
import { classicAssignment, sharedProtocols } from './downgrade.ts';
import { copyProtocols, MEMBER_ID_REQUIRED_VERSION, makeMemberId, NO_BYTES } from './member.ts';
import type { TopicPartitions } from './partitions.ts';

/*
 * Members that speak the classic protocol in a group of KIP-848. JoinGroup is what a heartbeat is to the others: it
 * says what the member wants and has, and answers at once; SyncGroup tells what it has now; a heartbeat sends it to
 * join again when there is more to do. Its generation is its member epoch, and nobody leads.
 */

type Join = Asked<JoinGroupRequest>;
type Sync = Asked<SyncGroupRequest>;

export function joinAsClassic(at: ConsumerTurn, asked: Join): void {
  const { turn } = at;
  const { body, apiVersion, from } = asked;
  try {
    join(at, asked);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    turn.reply(from, joinError(error.code, body.memberId, apiVersion));
  }
}

/** @throws KafkaError */
function join(at: ConsumerTurn, { body, apiVersion, caller, from }: Join): void {
  const { context, turn, consumer } = at;
  const { groupInstanceId: instanceId } = body;
  const isNew = body.memberId === '';
  if (consumer.members.size >= context.config.consumerMaxSize && !consumer.members.has(body.memberId))
    throw new KafkaError(ErrorCode.GROUP_MAX_SIZE_REACHED);
  const subscription = subscriptionOf(at, body);
  const memberId = isNew ? makeMemberId(context.newId, instanceId ?? caller.clientId) : body.memberId;
  if (isNew && instanceId === null && apiVersion >= MEMBER_ID_REQUIRED_VERSION)
    return turn.reply(from, joinError(ErrorCode.MEMBER_ID_REQUIRED, memberId, apiVersion));
  const before = joining(at, { memberId, instanceId, isNew });
  const facts = factsOf(subscription, { body, caller });
  const isSubscribedAnew = updateMember(at, memberId, { before, facts });
  refreshEpoch(at, isSubscribedAnew);
  assignIfDue(at);
  const owned = ownedIn(at, subscription);
  const known = consumer.members.get(memberId) as Consumer;
  const member = reconcileMember(at, known, { owned, isSubscribedAnew });
  restartSession(at, member);
  mustCome(at, member);
  turn.reply(from, {
    ...joinError(ErrorCode.NONE, memberId, apiVersion),
    generationId: member.memberEpoch,
    protocolType: CONSUMER_PROTOCOL,
    protocolName: body.protocols[0]?.name ?? '',
  });
}

/** @throws KafkaError INCONSISTENT_GROUP_PROTOCOL */
function subscriptionOf({ consumer }: ConsumerTurn, body: JoinGroupRequest): SubscriptionMessage {
  const { memberId, protocolType, protocols } = body;
  const others = [...consumer.members.values()].filter(
    (member) => isClassic(member) && member.memberId !== memberId,
  );
  const shared = sharedProtocols(others);
  const isShared = others.length === 0 || protocols.some(({ name }) => shared.has(name));
  const subscription = readSubscription(protocols[0]?.metadata ?? NO_BYTES);
  if (protocolType === CONSUMER_PROTOCOL && isShared && subscription !== undefined) return subscription;
  throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
}

/** Who joins already; undefined for a new member. @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID */
function joining(
  at: ConsumerTurn,
  { memberId, instanceId, isNew }: { memberId: string; instanceId: string | null; isNew: boolean },
): Consumer | undefined {
  const { consumer } = at;
  if (instanceId === null) return consumer.members.get(memberId);
  const before = consumer.staticMember(instanceId);
  // It goes on where its last run was: no rebalance if it wants the same.
  if (isNew && before !== undefined)
    return replaceStatic(at, before, { memberId, memberEpoch: consumer.assignmentEpoch });
  return isNew ? undefined : knownMember(consumer, claimOf(memberId, instanceId));
}

function claimOf(memberId: string, instanceId: string | null): Claim {
  return { memberId, instanceId, memberEpoch: 0, owned: null };
}

function factsOf(
  { topics, rackId }: SubscriptionMessage,
  { body, caller }: Pick<Join, 'body' | 'caller'>,
): StoredConsumer {
  const { groupInstanceId: instanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = body;
  return {
    ...NO_CONSUMER,
    instanceId,
    rackId,
    clientId: caller.clientId,
    clientHost: caller.clientHost,
    subscribedTopicNames: [...new Set(topics)].sort(),
    rebalanceTimeoutMs: rebalanceTimeoutMs >= 0 ? rebalanceTimeoutMs : sessionTimeoutMs,
    classicMemberMetadata: { sessionTimeoutMs, supportedProtocols: copyProtocols(protocols) },
  };
}

/** Eager members have given up all they had before they join, and say that they own nothing. */
function ownedIn({ context }: ConsumerTurn, { ownedPartitions }: SubscriptionMessage): TopicPartitions[] {
  return ownedPartitions.flatMap(({ topic, partitions }) => {
    const topicId = context.cluster.topic(topic)?.id;
    return topicId === undefined ? [] : [{ topicId, partitions }];
  });
}

export function syncAsClassic(at: ConsumerTurn, { body, from }: Sync): void {
  const { context, turn } = at;
  try {
    const member = classicMember(at, body);
    const names = member.classicMemberMetadata?.supportedProtocols.map(({ name }) => name) ?? [];
    const { protocolType, protocolName } = body;
    if (
      (protocolType !== null && protocolType !== CONSUMER_PROTOCOL) ||
      (protocolName !== null && protocolName !== names[0])
    )
      throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    if (at.consumer.epoch > member.memberEpoch && member.state !== MemberState.UNREVOKED_PARTITIONS) {
      mustComeOnce(at, member);
      throw new KafkaError(ErrorCode.REBALANCE_IN_PROGRESS);
    }
    restartSession(at, member);
    clearCome(at, member);
    turn.reply(from, {
      ...syncError(ErrorCode.NONE),
      protocolType,
      protocolName,
      assignment: classicAssignment(context, member, member.assigned),
    } satisfies SyncGroupResponse);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    turn.reply(from, syncError(error.code));
  }
}

/** @returns the error code of the answer. */
export function beatAsClassic(at: ConsumerTurn, body: HeartbeatRequest): number {
  try {
    const member = classicMember(at, body);
    restartSession(at, member);
    if (!hasMoreToDo(at, member)) return ErrorCode.NONE;
    mustComeOnce(at, member);
    return ErrorCode.REBALANCE_IN_PROGRESS;
  } catch (error) {
    if (error instanceof KafkaError) return error.code;
    throw error;
  }
}

/** The group has gone on, or something is to be given up, or what it waited for is free. */
function hasMoreToDo(at: ConsumerTurn, member: Consumer): boolean {
  const { consumer } = at;
  // Topics may have come or grown: no other member need be there to notice.
  refreshEpoch(at, false);
  if (member.memberEpoch < consumer.epoch || member.state === MemberState.UNREVOKED_PARTITIONS) return true;
  if (member.state !== MemberState.UNRELEASED_PARTITIONS) return false;
  const wanted = topicIdsOf(at, member);
  return [...consumer.target(member.memberId)].some(
    ([topicId, partitions]) =>
      wanted.has(topicId) &&
      [...partitions].some(
        (one) => member.assigned.get(topicId)?.has(one) !== true && !consumer.isTaken(topicId, one),
      ),
  );
}

/** Administrators remove members of either protocol; `memberId` is empty for an instance. @returns an error code. */
export function leaveAsClassic(
  at: ConsumerTurn,
  leaving: readonly { memberId: string; groupInstanceId: string | null }[],
): number[] {
  const found = new Map<string, Consumer>();
  const codes = leaving.map(({ memberId, groupInstanceId: instanceId }) => {
    try {
      const id =
        memberId === '' && instanceId !== null ? at.consumer.staticMember(instanceId)?.memberId : memberId;
      const member = knownMember(at.consumer, claimOf(id ?? '', instanceId));
      found.set(member.memberId, member);
      return ErrorCode.NONE;
    } catch (error) {
      if (error instanceof KafkaError) return error.code;
      throw error;
    }
  });
  removeMembers(at, [...found.values()]);
  return codes;
}

/** @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION */
function classicMember(
  { consumer }: ConsumerTurn,
  {
    memberId,
    groupInstanceId,
    generationId,
  }: { memberId: string; groupInstanceId: string | null; generationId: number },
): Consumer {
  const member = knownMember(consumer, claimOf(memberId, groupInstanceId));
  if (!isClassic(member)) throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID);
  if (generationId !== member.memberEpoch) throw new KafkaError(ErrorCode.ILLEGAL_GENERATION);
  return member;
}

/** It has so long for its next step, or is out: to join again once it was told to, to sync once it has joined. */
function mustCome({ context, turn, consumer }: ConsumerTurn, member: Consumer): void {
  const due = consumer.deadlines(member.memberId);
  if (due !== undefined) context.deadlines.set(due.rebalance, turn.nowMs + rebalanceTimeoutOf(member));
}

function mustComeOnce(at: ConsumerTurn, member: Consumer): void {
  if (at.consumer.deadlines(member.memberId)?.rebalance.atMs === Infinity) mustCome(at, member);
}

function clearCome({ context, consumer }: ConsumerTurn, member: Consumer): void {
  const due = consumer.deadlines(member.memberId);
  if (due !== undefined) context.deadlines.clear(due.rebalance);
}
