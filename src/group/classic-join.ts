import { ErrorCode } from '../model/errors.ts';
import type { JoinGroupRequest } from '../wire/apis/11-join-group.ts';
import {
  completeJoinIfAll,
  dropMember,
  joinError,
  joinReply,
  membersOf,
  parkJoin,
  prepareRebalance,
  rebalance,
  syncError,
} from './classic.ts';
import { joinAsClassic } from './consumer-classic.ts';
import type { Asked, Context, Turn } from './context.ts';
import { dissolve } from './downgrade.ts';
import type { Group } from './group.ts';
import { copyProtocols, MEMBER_ID_REQUIRED_VERSION, makeMemberId, sameProtocols } from './member.ts';
import type { Member } from './member.ts';
import { groupMetadataRecord } from './records.ts';
import { subscribesAnew } from './subscription.ts';

type Join = Asked<JoinGroupRequest>;

/** From this version on a returning static leader is told to skip the assignment (KIP-814). */
const SKIP_ASSIGNMENT_VERSION = 9;
export function decideJoinGroup(context: Context, turn: Turn, join: Join): void {
  const { memberId, groupId, sessionTimeoutMs } = join.body;
  const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = context.config;
  if (groupId === '') return refuse(turn, join, ErrorCode.INVALID_GROUP_ID, memberId);
  if (sessionTimeoutMs < groupMinSessionTimeoutMs || sessionTimeoutMs > groupMaxSessionTimeoutMs) {
    return refuse(turn, join, ErrorCode.INVALID_SESSION_TIMEOUT, memberId);
  }
  const known = context.groups.get(groupId);
  if (!known && memberId !== '') return refuse(turn, join, ErrorCode.UNKNOWN_MEMBER_ID, memberId);
  const group = known ?? context.getOrCreate(groupId, turn.nowMs);
  if (group.share !== undefined) return refuse(turn, join, ErrorCode.INCONSISTENT_GROUP_PROTOCOL, memberId);
  const { consumer } = group;
  if (consumer !== undefined && consumer.members.size > 0)
    return joinAsClassic({ context, turn, group, consumer }, join);
  // Empty, it is of either protocol; nobody's id is known there.
  if (consumer !== undefined && memberId === '') dissolve({ context, turn, group, consumer });
  if (!hasRoomFor(context, group, memberId)) refuseForSize(context, turn, group, join);
  else if (!group.supports(join.body.protocolType, join.body.protocols)) {
    refuse(turn, join, ErrorCode.INCONSISTENT_GROUP_PROTOCOL, memberId);
  } else if (memberId === '') joinNew(context, turn, group, join);
  else joinKnown(context, turn, group, join);
  context.dropIfBlank(group);
}

function refuse(turn: Turn, join: Join, errorCode: number, memberId: string): void {
  turn.reply(join.from, joinError(errorCode, memberId, join.apiVersion));
}

/** While a rebalance gathers members, the first to come have the places; later the members do. */
function hasRoomFor(context: Context, group: Group, memberId: string): boolean {
  const { groupMaxSize } = context.config;
  if (group.state === 'Empty') return true;
  if (group.state !== 'PreparingRebalance')
    return group.members.has(memberId) || group.members.size < groupMaxSize;
  return group.awaitingJoinCount < groupMaxSize || group.members.get(memberId)?.join !== undefined;
}

function refuseForSize(context: Context, turn: Turn, group: Group, join: Join): void {
  const member = group.members.get(join.body.memberId);
  if (member) dropMember(context, turn, group, member);
  context.removePending(group, join.body.memberId);
  refuse(turn, join, ErrorCode.GROUP_MAX_SIZE_REACHED, '');
  completeJoinIfAll(context, turn, group);
}

function joinNew(context: Context, turn: Turn, group: Group, join: Join): void {
  const { groupInstanceId, sessionTimeoutMs } = join.body;
  const newMemberId = makeMemberId(context.newId, groupInstanceId ?? join.caller.clientId);
  if (groupInstanceId !== null) {
    const member = group.members.get(group.staticMemberId(groupInstanceId) ?? '');
    if (member) replaceStatic(context, turn, group, member, newMemberId, join);
    else addMember(context, turn, group, newMemberId, join);
  } else if (join.apiVersion < MEMBER_ID_REQUIRED_VERSION) {
    addMember(context, turn, group, newMemberId, join);
  } else if (context.pendingCount >= context.config.pendingMembersMax) {
    refuse(turn, join, ErrorCode.COORDINATOR_NOT_AVAILABLE, '');
  } else {
    context.addPending(group, newMemberId, turn.nowMs + sessionTimeoutMs);
    refuse(turn, join, ErrorCode.MEMBER_ID_REQUIRED, newMemberId);
  }
}

function joinKnown(context: Context, turn: Turn, group: Group, join: Join): void {
  const { memberId, groupInstanceId } = join.body;
  if (groupInstanceId === null && group.pending.has(memberId)) {
    context.removePending(group, memberId);
    return addMember(context, turn, group, memberId, join);
  }
  const errorCode = group.validateMember(memberId, groupInstanceId);
  const member = group.members.get(memberId);
  if (errorCode !== ErrorCode.NONE || !member) return refuse(turn, join, errorCode, memberId);
  if (mustRebalance(group, member, join)) rejoin(context, turn, group, member, join);
  else turn.reply(join.from, joinReply(group, member, join.apiVersion));
}

/**
 * A member that asks again for the generation it is in gets it again: its answer was lost. A leader that
 * rejoins a stable group wants a new assignment, though its own metadata may not show why (partitions were
 * added).
 */
function mustRebalance(group: Group, member: Member, join: Join): boolean {
  if (group.state === 'PreparingRebalance') return true;
  if (!sameProtocols(member.protocols, join.body.protocols)) return true;
  return group.state === 'Stable' && group.leader === member.memberId;
}

function rejoin(context: Context, turn: Turn, group: Group, member: Member, join: Join): void {
  update(group, member, join);
  parkJoin(context, turn, member, join.from, join.apiVersion);
  rebalance(context, turn, group);
}

function update(group: Group, member: Member, join: Join): void {
  group.replaceProtocols(member, copyProtocols(join.body.protocols));
  member.sessionTimeoutMs = join.body.sessionTimeoutMs;
  member.rebalanceTimeoutMs = rebalanceTimeoutOf(join);
}

/** JoinGroup 0 has none: the session's was used for both. */
function rebalanceTimeoutOf({ body: { rebalanceTimeoutMs, sessionTimeoutMs } }: Join): number {
  return rebalanceTimeoutMs >= 0 ? rebalanceTimeoutMs : sessionTimeoutMs;
}

function addMember(context: Context, turn: Turn, group: Group, memberId: string, join: Join): void {
  const { body, caller } = join;
  const member = context.createMember(group, {
    memberId,
    groupInstanceId: body.groupInstanceId,
    clientId: caller.clientId,
    clientHost: caller.clientHost,
    rebalanceTimeoutMs: rebalanceTimeoutOf(join),
    sessionTimeoutMs: body.sessionTimeoutMs,
    protocols: copyProtocols(body.protocols),
  });
  member.isNew = true;
  group.newMemberAdded = true;
  if (group.members.size === 0) group.protocolType = body.protocolType;
  group.add(member);
  parkJoin(context, turn, member, join.from, join.apiVersion);
  context.restartSession(member, turn.nowMs, context.config.newMemberJoinTimeoutMs);
  rebalance(context, turn, group);
}

/**
 * The same instance starts again while its last run is still a member: it takes over, the last run is fenced.
 */
function replaceStatic(
  context: Context,
  turn: Turn,
  group: Group,
  member: Member,
  newMemberId: string,
  join: Join,
): void {
  const oldMemberId = member.memberId;
  const oldLeader = group.leader;
  const oldProtocols = member.protocols;
  fence(context, turn, member, oldMemberId);
  group.rename(member, newMemberId);
  update(group, member, join);
  context.restartSession(member, turn.nowMs);
  const isUnchanged =
    group.state === 'Stable' &&
    group.electProtocol() === group.protocol &&
    !subscribesAnew(group, oldProtocols, member.protocols);
  if (!isUnchanged) {
    parkJoin(context, turn, member, join.from, join.apiVersion);
    if (group.state === 'PreparingRebalance') completeJoinIfAll(context, turn, group);
    else prepareRebalance(context, turn, group);
    return;
  }
  const assignments = new Map([...group.members.values()].map((each) => [each.memberId, each.assignment]));
  turn.write(groupMetadataRecord(group, assignments, group.stateAtMs));
  const reply = joinReply(group, member, join.apiVersion);
  const isLeader = group.leader === newMemberId;
  // A client that knows nothing of skipAssignment must not learn that it leads, or it would assign all anew.
  turn.reply(
    join.from,
    join.apiVersion >= SKIP_ASSIGNMENT_VERSION
      ? { ...reply, skipAssignment: isLeader, members: isLeader ? membersOf(group) : [] }
      : { ...reply, leader: oldLeader ?? '', members: [] },
  );
}

function fence(context: Context, turn: Turn, member: Member, memberId: string): void {
  const { join, sync } = member;
  member.join = undefined;
  member.sync = undefined;
  if (join) turn.answer(context, join, joinError(ErrorCode.FENCED_INSTANCE_ID, memberId, join.apiVersion));
  if (sync) turn.answer(context, sync, syncError(ErrorCode.FENCED_INSTANCE_ID));
}
