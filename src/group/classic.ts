import { ErrorCode } from '../model/errors.ts';
import type { Address } from '../model/machine.ts';
import type { JoinGroupResponse } from '../wire/apis/11-join-group.ts';
import type { SyncGroupResponse } from '../wire/apis/14-sync-group.ts';
import type { Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import { metadataOf, NO_BYTES } from './member.ts';
import type { Member } from './member.ts';
import { groupMetadataRecord } from './records.ts';

/*
 * How a classic group moves. JoinGroup gathers the members of a generation, SyncGroup hands out what its
 * leader has assigned; (R) writes the group's record.
 *
 *            a member joins          all have joined, or the rebalance timeout
 *   Empty ───────────────────> PreparingRebalance ───────────────────────────> CompletingRebalance
 *     ^                          │   ^   ^     nobody is left (R)                │  │
 *     └──────────────────────────┘   │   └───────────────────────────────────────┘  │ the leader syncs (R)
 *                                    │   a member joins, leaves or expires;         v
 *                                    └────────────────────────────────────────── Stable
 *                                        a leader rejoins, a follower's metadata changes
 *
 * Dead is what other APIs say of a group that does not exist. From Empty, PreparingRebalance lasts at least
 * group.initial.rebalance.delay.ms. A generation begins when PreparingRebalance ends.
 */

/** A rebalance that only absent static members hold up looks again this often at most. */
const JOIN_RETRY_MIN_MS = 1_000;

/** The membership or what a member wants has changed: everyone must join again. */
export function rebalance(context: Context, turn: Turn, group: Group): void {
  if (group.state === 'PreparingRebalance') completeJoinIfAll(context, turn, group);
  else prepareRebalance(context, turn, group);
}

export function prepareRebalance(context: Context, turn: Turn, group: Group): void {
  failSyncs(context, turn, group, ErrorCode.REBALANCE_IN_PROGRESS);
  context.deadlines.clear(group.syncDeadline);
  const isInitial = group.state === 'Empty';
  group.transition('PreparingRebalance', turn.nowMs);
  const delayMs = context.config.groupInitialRebalanceDelayMs;
  if (isInitial && delayMs > 0) {
    group.initialRemainingMs = Math.max(group.rebalanceTimeoutMs - delayMs, 0);
    group.newMemberAdded = false;
    context.deadlines.set(group.joinDeadline, turn.nowMs + delayMs);
  } else if (isInitial || group.hasAllJoined) {
    completeJoin(context, turn, group);
  } else {
    context.deadlines.set(group.joinDeadline, turn.nowMs + group.rebalanceTimeoutMs);
  }
}

/** The initial rebalance never ends early: its delay is there to wait for members nobody has heard of. */
export function completeJoinIfAll(context: Context, turn: Turn, group: Group): void {
  if (group.state !== 'PreparingRebalance' || group.initialRemainingMs !== undefined) return;
  if (group.hasAllJoined) completeJoin(context, turn, group);
}

/** Begins the next generation with who has joined. Static members stay until their session ends (KIP-345). */
function completeJoin(context: Context, turn: Turn, group: Group): void {
  context.deadlines.clear(group.joinDeadline);
  group.initialRemainingMs = undefined;
  for (const member of group.members.values()) {
    if (!member.join && member.groupInstanceId === null) dropMember(context, turn, group, member);
  }
  if (group.members.size > 0 && !group.electLeader()) {
    const retryMs = Math.max(group.rebalanceTimeoutMs, JOIN_RETRY_MIN_MS);
    context.deadlines.set(group.joinDeadline, turn.nowMs + retryMs);
    return;
  }
  group.generationId++;
  group.pendingSync.clear();
  if (group.members.size === 0) {
    group.protocol = null;
    group.transition('Empty', turn.nowMs);
    turn.write(groupMetadataRecord(group, new Map(), turn.nowMs));
  } else {
    beginSync(context, turn, group);
  }
}

function beginSync(context: Context, turn: Turn, group: Group): void {
  group.protocol = group.electProtocol();
  group.transition('CompletingRebalance', turn.nowMs);
  for (const member of group.members.values()) {
    if (member.join) turn.answer(context, member.join, joinReply(group, member, member.join.apiVersion));
    member.join = undefined;
    member.isNew = false;
    context.restartSession(member, turn.nowMs);
    group.pendingSync.add(member.memberId);
  }
  context.deadlines.set(group.syncDeadline, turn.nowMs + group.rebalanceTimeoutMs);
}

/**
 * Takes a member out. What it waits for is answered with UNKNOWN_MEMBER_ID, so that one still alive joins
 * anew.
 */
export function dropMember(context: Context, turn: Turn, group: Group, member: Member): void {
  const { join, sync } = member;
  member.join = undefined;
  member.sync = undefined;
  if (join) turn.answer(context, join, joinError(ErrorCode.UNKNOWN_MEMBER_ID, '', join.apiVersion));
  if (sync) turn.answer(context, sync, syncError(ErrorCode.UNKNOWN_MEMBER_ID));
  context.deadlines.clear(member.session);
  group.remove(member);
}

/** Parks a JoinGroup. An earlier one of the same member still waiting means that its client gave up on it. */
export function parkJoin(
  context: Context,
  turn: Turn,
  member: Member,
  to: Address,
  apiVersion: number,
): void {
  const earlier = member.join;
  if (earlier) {
    const retry = joinError(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId, earlier.apiVersion);
    turn.answer(context, earlier, retry);
  }
  member.join = context.waiting.park(to, apiVersion);
}

/** Answers all that wait in SyncGroup with an error; their sessions start anew. */
export function failSyncs(context: Context, turn: Turn, group: Group, errorCode: number): void {
  for (const member of group.members.values()) {
    if (!member.sync) continue;
    turn.answer(context, member.sync, syncError(errorCode));
    member.sync = undefined;
    context.restartSession(member, turn.nowMs);
  }
}

/** Who waits for us is alive, but for a new member: its client may have gone without our knowing. */
export function expireSession(context: Context, turn: Turn, group: Group, member: Member): void {
  const isWaiting = member.join !== undefined || member.sync !== undefined;
  if (isWaiting && !member.isNew) return;
  dropMember(context, turn, group, member);
  rebalance(context, turn, group);
}

export function expireJoin(context: Context, turn: Turn, group: Group): void {
  const remainingMs = group.initialRemainingMs ?? 0;
  if (!group.newMemberAdded || remainingMs === 0) return completeJoin(context, turn, group);
  const delayMs = Math.min(context.config.groupInitialRebalanceDelayMs, remainingMs);
  group.newMemberAdded = false;
  group.initialRemainingMs = remainingMs - delayMs;
  context.deadlines.set(group.joinDeadline, turn.nowMs + delayMs);
}

/** Members that took part in JoinGroup and never came for their assignment. */
export function expireSync(context: Context, turn: Turn, group: Group): void {
  const late = [...group.members.values()].filter(({ memberId }) => group.pendingSync.has(memberId));
  if (late.length === 0) return;
  for (const member of late) dropMember(context, turn, group, member);
  prepareRebalance(context, turn, group);
}

/** The current generation, as `member` is told of it: the leader alone learns who is in it. */
export function joinReply(group: Group, member: Member, apiVersion: number): JoinGroupResponse {
  return {
    ...joinError(ErrorCode.NONE, member.memberId, apiVersion),
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocol,
    leader: group.leader ?? '',
    members: group.leader === member.memberId ? membersOf(group) : [],
  };
}

export function membersOf(group: Group): JoinGroupResponse['members'] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataOf(member, group.protocol),
  }));
}

export function joinError(errorCode: number, memberId: string, apiVersion: number): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: apiVersion >= 7 ? null : '',
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  };
}

export function syncError(errorCode: number): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES };
}
