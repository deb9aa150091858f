import { ErrorCode } from '../model/errors.ts';
import type { SyncGroupRequest, SyncGroupResponse } from '../wire/apis/14-sync-group.ts';
import { sizeOf } from '../wire/coordinator-record.ts';
import { failSyncs, prepareRebalance, syncError } from './classic.ts';
import { syncAsClassic } from './consumer-classic.ts';
import type { Asked, Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import { NO_BYTES } from './member.ts';
import { groupMetadataRecord } from './records.ts';

type Sync = Asked<SyncGroupRequest>;

export function decideSyncGroup(context: Context, turn: Turn, sync: Sync): void {
  const { groupId, memberId } = sync.body;
  const group = context.groups.get(groupId);
  if (group?.consumer) return syncAsClassic({ context, turn, group, consumer: group.consumer }, sync);
  const member = group?.members.get(memberId);
  const errorCode = groupId === '' ? ErrorCode.INVALID_GROUP_ID : validate(group, sync.body);
  if (!group || !member || errorCode !== ErrorCode.NONE) return turn.reply(sync.from, syncError(errorCode));
  group.pendingSync.delete(memberId);
  if (group.pendingSync.size === 0) context.deadlines.clear(group.syncDeadline);
  if (group.state === 'Stable') {
    context.restartSession(member, turn.nowMs);
    return turn.reply(sync.from, syncReply(group, member.assignment));
  }
  if (member.sync) turn.answer(context, member.sync, syncError(ErrorCode.REBALANCE_IN_PROGRESS));
  member.sync = context.waiting.park(sync.from, sync.apiVersion);
  if (group.leader === memberId) handOut(context, turn, group, sync.body);
}

function validate(group: Group | undefined, body: SyncGroupRequest): number {
  if (!group) return ErrorCode.UNKNOWN_MEMBER_ID;
  const errorCode = group.validateMember(body.memberId, body.groupInstanceId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  if (body.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION;
  if (body.protocolType !== null && body.protocolType !== group.protocolType) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  }
  if (body.protocolName !== null && group.protocol !== null && body.protocolName !== group.protocol) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  }
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/** The leader has spoken: the generation is written, and who waited gets its part once that is committed. */
function handOut(context: Context, turn: Turn, group: Group, body: SyncGroupRequest): void {
  const assignments = new Map(body.assignments.map((each) => [each.memberId, each.assignment]));
  const record = groupMetadataRecord(group, assignments, turn.nowMs);
  if (sizeOf([record]) > context.config.recordsMaxBytes) {
    failSyncs(context, turn, group, ErrorCode.UNKNOWN_SERVER_ERROR);
    return prepareRebalance(context, turn, group);
  }
  group.transition('Stable', turn.nowMs);
  turn.write(record);
  for (const member of group.members.values()) {
    if (!member.sync) continue;
    turn.answer(context, member.sync, syncReply(group, assignments.get(member.memberId) ?? NO_BYTES));
    member.sync = undefined;
    context.restartSession(member, turn.nowMs);
  }
}

function syncReply(group: Group, assignment: Uint8Array): SyncGroupResponse {
  return {
    ...syncError(ErrorCode.NONE),
    protocolType: group.protocolType,
    protocolName: group.protocol,
    assignment,
  };
}
