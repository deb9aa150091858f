import { ErrorCode } from '../model/errors.ts';
import type { HeartbeatRequest, HeartbeatResponse } from '../wire/apis/12-heartbeat.ts';
import type { LeaveGroupRequest, LeaveGroupResponse } from '../wire/apis/13-leave-group.ts';
import { completeJoinIfAll, dropMember, rebalance } from './classic.ts';
import { beatAsClassic, leaveAsClassic } from './consumer-classic.ts';
import type { Asked, Context, Turn } from './context.ts';
import { leasableConsumer } from './consumer-members.ts';
import type { Group } from './group.ts';
import type { Leased } from './leases.ts';

type Heartbeat = Asked<HeartbeatRequest>;
type Leave = Asked<LeaveGroupRequest>;
type LeavingMember = Pick<LeaveGroupRequest['members'][number], 'memberId' | 'groupInstanceId'>;

/** From this version on many members leave at once, and each has its own error. */
const LEAVE_MANY_VERSION = 3;

/** A member that is told of a rebalance is alive: it finishes its work and joins again. */
export function decideHeartbeat(context: Context, turn: Turn, request: Heartbeat): void {
  const errorCode = heartbeat(context, turn, request.body);
  const body: HeartbeatResponse = { throttleTimeMs: 0, errorCode };
  const leased = errorCode === ErrorCode.NONE ? leasable(context, turn, request.body) : undefined;
  context.replyOrLease(turn, request, { body, leased });
}

function leasable(context: Context, turn: Turn, body: HeartbeatRequest): Leased | undefined {
  const group = context.groups.get(body.groupId);
  const moved = (later: Turn): HeartbeatResponse => ({
    throttleTimeMs: 0,
    errorCode: heartbeat(context, later, body),
  });
  if (group?.consumer !== undefined) {
    const at = { context, turn, group, consumer: group.consumer };
    return leasableConsumer(at, { ...body, memberEpoch: body.generationId }, moved);
  }
  const member = group?.members.get(body.memberId);
  if (group?.state !== 'Stable' || member === undefined) return undefined;
  return { group, session: member.session, timeoutMs: member.sessionTimeoutMs, moved };
}

export function heartbeat(context: Context, turn: Turn, body: HeartbeatRequest): number {
  if (body.groupId === '') return ErrorCode.INVALID_GROUP_ID;
  const group = context.groups.get(body.groupId);
  if (!group) return ErrorCode.UNKNOWN_MEMBER_ID;
  if (group.consumer) return beatAsClassic({ context, turn, group, consumer: group.consumer }, body);
  const errorCode = group.validateMember(body.memberId, body.groupInstanceId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  if (body.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION;
  const member = group.members.get(body.memberId);
  if (member) context.restartSession(member, turn.nowMs);
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

export function decideLeaveGroup(context: Context, turn: Turn, { from, apiVersion, body }: Leave): void {
  if (body.groupId === '') return turn.reply(from, leaveReply(ErrorCode.INVALID_GROUP_ID, []));
  const group = context.groups.get(body.groupId);
  const sizeBefore = group?.members.size ?? 0;
  const leaving: readonly LeavingMember[] =
    apiVersion >= LEAVE_MANY_VERSION ? body.members : [{ memberId: body.memberId, groupInstanceId: null }];
  const consumer = group?.consumer;
  const codes =
    group && consumer
      ? leaveAsClassic({ context, turn, group, consumer }, leaving)
      : leaving.map((each) => (group ? leave(context, turn, group, each) : ErrorCode.UNKNOWN_MEMBER_ID));
  const members = leaving.map(({ memberId, groupInstanceId }, index) => ({
    memberId,
    groupInstanceId,
    errorCode: codes[index] ?? ErrorCode.UNKNOWN_MEMBER_ID,
  }));
  const [first] = members;
  turn.reply(
    from,
    apiVersion >= LEAVE_MANY_VERSION
      ? leaveReply(ErrorCode.NONE, members)
      : leaveReply(first?.errorCode ?? ErrorCode.NONE, []),
  );
  if (!group || consumer) return;
  if (group.members.size < sizeBefore) rebalance(context, turn, group);
  else completeJoinIfAll(context, turn, group);
  context.dropIfBlank(group);
}

/** An administrator removes a static member by its instance alone. */
function leave(
  context: Context,
  turn: Turn,
  group: Group,
  { memberId, groupInstanceId }: LeavingMember,
): number {
  if (memberId !== '' && context.removePending(group, memberId)) return ErrorCode.NONE;
  const leavingId =
    memberId === '' && groupInstanceId !== null ? group.staticMemberId(groupInstanceId) : memberId;
  const errorCode = group.validateMember(leavingId ?? '', groupInstanceId);
  const member = group.members.get(leavingId ?? '');
  if (errorCode === ErrorCode.NONE && member) dropMember(context, turn, group, member);
  return errorCode;
}

function leaveReply(errorCode: number, members: LeaveGroupResponse['members']): LeaveGroupResponse {
  return { throttleTimeMs: 0, errorCode, members };
}
