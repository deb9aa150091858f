import { ErrorCode, KafkaError } from '../model/errors.ts';
import type {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../wire/apis/76-share-group-heartbeat.ts';
import type { Asked, Context, Turn } from './context.ts';
import { noGroup } from './description.ts';
import type { Group } from './group.ts';
import type { Leased } from './leases.ts';
import { decideEpochHeartbeat, epochAnswer } from './epoch-heartbeat.ts';
import { listed, samePartitions } from './partitions.ts';
import { shareHeartbeatIntervalMs, shareSessionTimeoutMs } from './share-config.ts';
import { ShareGroup, type ShareMember } from './share-group.ts';
import { currentValue, recordShare, shareMemberTombstones, type ShareTurn } from './share-replay.ts';
import { initializeStates } from './share-states.ts';
import { assignShares, bumpEpoch, hasSameShareTopics, refreshShareEpoch } from './share-target.ts';

type Heartbeat = Asked<ShareGroupHeartbeatRequest>;

const LEAVE_EPOCH = -1;

/**
 * A heartbeat is all a member of a share group says (KIP-932). What it has is at once what it is to have: several may
 * have one partition, and nothing must be given up before.
 */
export function decideShareGroupHeartbeat(context: Context, turn: Turn, asked: Heartbeat): void {
  decideEpochHeartbeat(context, turn, asked, {
    decide() {
      validate(asked.body);
      const isLeave = asked.body.memberEpoch === LEAVE_EPOCH;
      return isLeave ? leave(context, turn, asked) : heartbeat(context, turn, asked);
    },
    leasable: () => leasable(context, asked),
  });
}

/** Where nothing moves a member but what others do, or topics. The last answer is for its gateway alone. */
function leasable(context: Context, { body }: Heartbeat): Leased | undefined {
  const { groupId, memberId, memberEpoch } = body;
  const group = context.groups.get(groupId);
  const session = group?.share?.sessions.get(memberId);
  if (group?.share?.members.get(memberId)?.memberEpoch !== memberEpoch) return undefined;
  if (group?.share === undefined || session === undefined || !standsStill(context, group.share))
    return undefined;
  const moved = (turn: Turn) => {
    const { share } = group;
    if (share !== undefined) restartSession({ context, turn, group, share }, memberId);
    return epochAnswer({ memberId, memberEpoch });
  };
  return { group, session, timeoutMs: shareSessionTimeoutMs(context, groupId), moved };
}

function standsStill(context: Context, share: ShareGroup): boolean {
  if (share.epoch !== share.assignmentEpoch || share.underWay.size > 0) return false;
  for (const { memberEpoch } of share.members.values()) if (memberEpoch !== share.epoch) return false;
  return hasSameShareTopics(context, share);
}

/** @throws KafkaError */
function validate({ groupId, memberId, memberEpoch, rackId, ...body }: ShareGroupHeartbeatRequest): void {
  const refuse = (isWrong: boolean, why: string) => {
    if (isWrong) throw new KafkaError(ErrorCode.INVALID_REQUEST, why);
  };
  refuse(groupId.trim() === '', "GroupId can't be empty.");
  refuse(memberId.trim() === '', "MemberId can't be empty.");
  refuse(rackId === '', "RackId can't be empty.");
  refuse(memberEpoch < LEAVE_EPOCH, 'MemberEpoch is invalid.');
  const subscribes = (body.subscribedTopicNames?.length ?? 0) > 0;
  refuse(memberEpoch === 0 && !subscribes, 'SubscribedTopicNames must be set in first request.');
}

function heartbeat(context: Context, turn: Turn, { body, caller }: Heartbeat): ShareGroupHeartbeatResponse {
  const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames: names } = body;
  const isJoin = memberEpoch === 0;
  const at = shareTurn(context, turn, groupId, isJoin);
  const { share } = at;
  const before = share.members.get(memberId);
  if (before === undefined && !isJoin) throw unknownMember(memberId);
  if (before === undefined && share.members.size >= context.config.shareMaxSize)
    throw new KafkaError(
      ErrorCode.GROUP_MAX_SIZE_REACHED,
      `The share group has reached its maximum capacity of ${context.config.shareMaxSize} members.`,
    );
  if (before !== undefined) checkEpoch(before, memberEpoch);
  const facts = {
    rackId: rackId ?? before?.rackId ?? null,
    clientId: caller.clientId,
    clientHost: caller.clientHost,
    subscribedTopicNames: names === null ? (before?.subscribedTopicNames ?? []) : [...new Set(names)].sort(),
  };
  const subscription = (of: { subscribedTopicNames: readonly string[] } | undefined) =>
    of?.subscribedTopicNames.join();
  const isSubscribedAnew = subscription(before) !== subscription(facts);
  if (before === undefined || isSubscribedAnew || !isSame(before, facts))
    recordShare(at, { type: 'shareMember', group: groupId, memberId, value: facts });
  refreshShareEpoch(at, isSubscribedAnew);
  assignShares(at);
  const known = share.members.get(memberId) as ShareMember;
  const member = reconcile(at, known);
  restartSession(at, memberId);
  initializeStates(at);
  const isTold = isJoin || names !== null || !samePartitions(known.assigned, member.assigned);
  return epochAnswer({
    memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs: shareHeartbeatIntervalMs(context, groupId),
    assignment: isTold ? { topicPartitions: listed(member.assigned) } : null,
  });
}

function isSame(
  before: ShareMember,
  facts: Pick<ShareMember, 'rackId' | 'clientId' | 'clientHost'>,
): boolean {
  const { rackId, clientId, clientHost } = facts;
  return before.rackId === rackId && before.clientId === clientId && before.clientHost === clientHost;
}

/** @throws KafkaError FENCED_MEMBER_EPOCH for an epoch it does not have, nor had before the last answer. */
function checkEpoch(member: ShareMember, memberEpoch: number): void {
  const { memberEpoch: known, previousMemberEpoch } = member;
  if (memberEpoch === known || memberEpoch === previousMemberEpoch || memberEpoch === 0) return;
  const than = memberEpoch > known ? 'greater' : 'smaller';
  throw new KafkaError(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The share group member has a ${than} member epoch (${memberEpoch}) than the one known by the group ` +
      `coordinator (${known}). The member must abandon all its partitions and rejoin.`,
  );
}

function unknownMember(memberId: string): KafkaError {
  return new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of the group.`);
}

/** @throws KafkaError GROUP_ID_NOT_FOUND */
function shareTurn(context: Context, turn: Turn, groupId: string, isJoin: boolean): ShareTurn {
  const known = context.groups.get(groupId);
  if (known?.share !== undefined) return { context, turn, group: known, share: known.share };
  const other = known?.isBlank === true ? undefined : known;
  if (other !== undefined || !isJoin) {
    const { errorCode, errorMessage } = noGroup(groupId, other, 'share');
    throw new KafkaError(errorCode, errorMessage);
  }
  const group = context.getOrCreate(groupId, turn.nowMs);
  const share = (group.share = new ShareGroup());
  return { context, turn, group, share };
}

/** The member has what it is to have. @returns it as it is then. */
function reconcile(at: ShareTurn, member: ShareMember): ShareMember {
  const { group, share } = at;
  const { memberId, memberEpoch } = member;
  const target = share.targets.get(memberId) ?? new Map();
  if (memberEpoch === share.assignmentEpoch && samePartitions(member.assigned, target)) return member;
  const next = {
    ...member,
    memberEpoch: share.assignmentEpoch,
    previousMemberEpoch: memberEpoch,
    assigned: target,
  };
  recordShare(at, { type: 'shareCurrent', group: group.groupId, memberId, value: currentValue(next) });
  return share.members.get(memberId) ?? member;
}

function restartSession({ context, turn, group, share }: ShareTurn, memberId: string): void {
  const session = share.sessions.get(memberId);
  const timeoutMs = shareSessionTimeoutMs(context, group.groupId);
  if (session !== undefined) context.startSession(session, turn.nowMs, timeoutMs);
}

function leave(context: Context, turn: Turn, { body }: Heartbeat): ShareGroupHeartbeatResponse {
  const { groupId, memberId, memberEpoch } = body;
  const at = shareTurn(context, turn, groupId, false);
  if (!at.share.members.has(memberId)) throw unknownMember(memberId);
  remove(at, memberId);
  return epochAnswer({ memberId, memberEpoch });
}

function remove(at: ShareTurn, memberId: string): void {
  for (const tombstone of shareMemberTombstones(at.group.groupId, memberId)) recordShare(at, tombstone);
  bumpEpoch(at);
}

/** Its session is over. */
export function expireShareMember(context: Context, turn: Turn, group: Group, memberId: string): void {
  const { share } = group;
  if (share?.members.has(memberId)) remove({ context, turn, group, share }, memberId);
}
