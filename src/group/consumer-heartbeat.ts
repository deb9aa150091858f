import { ErrorCode, KafkaError } from '../model/errors.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../wire/apis/68-consumer-group-heartbeat.ts';
import { heartbeatIntervalMs } from './consumer-config.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { noGroup } from './description.ts';
import { type Consumer, isClassic, LEAVE_EPOCH, NO_CONSUMER, STATIC_LEAVE_EPOCH } from './consumer-member.ts';
import {
  checkEpoch,
  type Claim,
  knownMember,
  leasableConsumer,
  leaveStatic,
  reconcileMember,
  removeMembers,
  replaceStatic,
  restartSession,
  updateMember,
} from './consumer-members.ts';
import type { StoredConsumer } from './consumer-records.ts';
import type { ConsumerTurn } from './consumer-replay.ts';
import { assignIfDue, isAssignor, refreshEpoch } from './consumer-target.ts';
import type { Asked, Context, Turn } from './context.ts';
import type { Leased } from './leases.ts';
import { decideEpochHeartbeat, epochAnswer } from './epoch-heartbeat.ts';
import { listed, samePartitions } from './partitions.ts';
import { TopicPattern } from './regex/topic-pattern.ts';
import { upgrade } from './upgrade.ts';

type Heartbeat = Asked<ConsumerGroupHeartbeatRequest>;

/** From this version on clients choose their member ids (KIP-1082). */
const OWN_ID_VERSION = 1;

/**
 * A heartbeat is all a member says (KIP-848). In one decision: what it says of itself is written; if that, or the
 * topics, changed, the group has a new epoch; a new epoch has a new target assignment; the member comes a step nearer
 * to its part of it, and is told.
 */
export function decideConsumerGroupHeartbeat(context: Context, turn: Turn, asked: Heartbeat): void {
  decideEpochHeartbeat(context, turn, asked, {
    decide() {
      validate(context, asked);
      return asked.body.memberEpoch < 0 ? leave(context, turn, asked) : heartbeat(context, turn, asked);
    },
    leasable: () => leasable(context, turn, asked),
  });
}

/** The last answer is for its gateway alone: the member's next heartbeat comes here. */
function leasable(context: Context, turn: Turn, { body }: Heartbeat): Leased | undefined {
  const { groupId, memberId, memberEpoch } = body;
  const group = context.groups.get(groupId);
  if (group?.consumer === undefined) return undefined;
  const moved = (later: Turn) => {
    const { consumer } = group;
    const member = consumer?.members.get(memberId);
    if (consumer && member) restartSession({ context, turn: later, group, consumer }, member);
    return epochAnswer({ memberId, memberEpoch });
  };
  const at = { context, turn, group, consumer: group.consumer };
  return leasableConsumer(at, body, moved);
}

/** @throws KafkaError */
function validate({ config }: Context, { apiVersion, body }: Heartbeat): void {
  const { memberEpoch, instanceId, serverAssignor } = body;
  const isJoin = memberEpoch === 0;
  const refuse = (isWrong: boolean, why: string) => {
    if (isWrong) throw new KafkaError(ErrorCode.INVALID_REQUEST, why);
  };
  refuse(body.groupId === '', "GroupId can't be empty.");
  refuse(body.memberId === '' && (apiVersion >= OWN_ID_VERSION || !isJoin), "MemberId can't be empty.");
  refuse(instanceId === '', "InstanceId can't be empty.");
  refuse(body.rackId === '', "RackId can't be empty.");
  refuse(memberEpoch < STATIC_LEAVE_EPOCH, 'MemberEpoch is invalid.');
  refuse(memberEpoch === STATIC_LEAVE_EPOCH && instanceId === null, "InstanceId can't be null.");
  if (isJoin) {
    refuse(body.rebalanceTimeoutMs === -1, 'RebalanceTimeoutMs must be provided in first request.');
    refuse(body.topicPartitions?.length !== 0, 'TopicPartitions must be empty when (re-)joining.');
    refuse(
      body.subscribedTopicNames === null && body.subscribedTopicRegex === null,
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    );
  }
  if (
    serverAssignor !== null &&
    !(isAssignor(serverAssignor) && config.consumerAssignors.includes(serverAssignor))
  )
    throw new KafkaError(
      ErrorCode.UNSUPPORTED_ASSIGNOR,
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${config.consumerAssignors.join(', ')}.`,
    );
  const regex = body.subscribedTopicRegex ?? '';
  if (regex !== '') checkRegex(regex);
}

function checkRegex(regex: string): void {
  try {
    void new TopicPattern(regex);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    throw new KafkaError(
      error.code,
      `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${error.message}.`,
    );
  }
}

function heartbeat(context: Context, turn: Turn, asked: Heartbeat): ConsumerGroupHeartbeatResponse {
  const { body } = asked;
  const isJoin = body.memberEpoch === 0;
  const memberId = body.memberId === '' ? context.newId() : body.memberId;
  const at = groupOf(context, turn, body.groupId, isJoin);
  const { group, consumer } = at;
  if (consumer.members.size >= context.config.consumerMaxSize && !consumer.members.has(memberId))
    throw new KafkaError(
      ErrorCode.GROUP_MAX_SIZE_REACHED,
      `The consumer group has reached its maximum capacity of ${context.config.consumerMaxSize} members.`,
    );
  const claim = { ...body, memberId, owned: body.topicPartitions };
  const before = isJoin ? joining(at, claim) : knownMember(consumer, claim);
  if (before !== undefined) checkEpoch(before, claim);
  const facts = factsOf(asked, before);
  const isSubscribedAnew = updateMember(at, memberId, { before, facts });
  refreshEpoch(at, isSubscribedAnew);
  assignIfDue(at);
  const known = consumer.members.get(memberId) as Consumer;
  const member = reconcileMember(at, known, { owned: claim.owned, isSubscribedAnew });
  restartSession(at, member);
  const isTold = isFull(body) || !samePartitions(known.assigned, member.assigned);
  return epochAnswer({
    memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs: heartbeatIntervalMs(context, group.groupId),
    assignment: isTold ? { topicPartitions: listed(member.assigned) } : null,
  });
}

/** It says all it can: it does not know what it was told last, and is told. */
function isFull(body: ConsumerGroupHeartbeatRequest): boolean {
  const { rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, topicPartitions } = body;
  const subscribes = subscribedTopicNames !== null || subscribedTopicRegex !== null;
  return rebalanceTimeoutMs !== -1 && subscribes && topicPartitions !== null;
}

/** The group as one of KIP-848: made so by whoever joins. @throws KafkaError GROUP_ID_NOT_FOUND */
function groupOf(context: Context, turn: Turn, groupId: string, isJoin: boolean): ConsumerTurn {
  const known = context.groups.get(groupId);
  if (known?.consumer !== undefined) return { context, turn, group: known, consumer: known.consumer };
  if (!isJoin || known?.share !== undefined) {
    const { errorCode, errorMessage } = noGroup(groupId, known, 'consumer');
    throw new KafkaError(errorCode, errorMessage);
  }
  const group = known ?? context.getOrCreate(groupId, turn.nowMs);
  const at = { context, turn, group, consumer: new ConsumerGroup() };
  group.consumer = at.consumer;
  upgrade(at);
  return at;
}

/**
 * Who joins under this id, or instance, already; undefined for a new member.
 * @throws KafkaError UNRELEASED_INSTANCE_ID
 */
function joining(at: ConsumerTurn, { memberId, instanceId }: Claim): Consumer | undefined {
  const { consumer } = at;
  const before = instanceId === null ? undefined : consumer.staticMember(instanceId);
  if (before === undefined) return consumer.members.get(memberId);
  const hasLeft = before.memberEpoch === STATIC_LEAVE_EPOCH;
  if (before.memberId === memberId && !hasLeft) return before;
  // A classic one cannot say that it leaves for a while: whoever comes for it takes over.
  if (hasLeft || isClassic(before)) return replaceStatic(at, before, { memberId, memberEpoch: 0 });
  throw new KafkaError(
    ErrorCode.UNRELEASED_INSTANCE_ID,
    `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is ` +
      `owned by member ${before.memberId}.`,
  );
}

/** What a member says of itself; null is what it said before. */
function factsOf({ body, caller }: Heartbeat, before: Consumer | undefined): StoredConsumer {
  const said = before ?? NO_CONSUMER;
  const { subscribedTopicNames: names, subscribedTopicRegex: regex } = body;
  return {
    instanceId: body.instanceId ?? said.instanceId,
    rackId: body.rackId ?? said.rackId,
    clientId: caller.clientId,
    clientHost: caller.clientHost,
    subscribedTopicNames: names === null ? said.subscribedTopicNames : [...new Set(names)].sort(),
    subscribedTopicRegex: regex === null ? said.subscribedTopicRegex : regex || null,
    rebalanceTimeoutMs: body.rebalanceTimeoutMs === -1 ? said.rebalanceTimeoutMs : body.rebalanceTimeoutMs,
    serverAssignor: body.serverAssignor ?? said.serverAssignor,
    classicMemberMetadata: null,
  };
}

function leave(context: Context, turn: Turn, { body }: Heartbeat): ConsumerGroupHeartbeatResponse {
  const at = groupOf(context, turn, body.groupId, false);
  const { memberId, memberEpoch } = body;
  const member = knownMember(at.consumer, { ...body, owned: null });
  if (memberEpoch === LEAVE_EPOCH) removeMembers(at, [member]);
  else leaveStatic(at, member);
  return epochAnswer({ memberId, memberEpoch });
}
