import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { Uuid } from '../model/ids.ts';
import { CONSUMER_PROTOCOL, readAssignment, readSubscription } from '../wire/consumer-protocol.ts';
import { WireError } from '../wire/error.ts';
import { joinError, syncError } from './classic.ts';
import { MemberState, storedCurrent } from './consumer-member.ts';
import type { StoredConsumer } from './consumer-records.ts';
import { type ConsumerTurn, record } from './consumer-replay.ts';
import type { Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import { type Member, metadataOf } from './member.ts';
import { listed, NO_PARTITIONS, type Partitions, withEpoch } from './partitions.ts';
import { groupRecord } from './records.ts';
import { writeNow } from './replay.ts';

interface Upgraded {
  memberId: string;
  facts: StoredConsumer;
  assigned: Partitions;
}

/**
 * The first member of KIP-848 comes to a classic group of consumers: its members stay, with what their leader gave
 * them, and go on in their own protocol. Of an empty group the positions stay.
 * @throws KafkaError GROUP_ID_NOT_FOUND when the group may not, or cannot, become one.
 */
export function upgrade(at: ConsumerTurn): void {
  const { context, turn, group } = at;
  const { generationId: epoch } = group;
  const members = group.members.size === 0 ? [] : upgradable(context, group);
  answerAll(context, turn, group);
  if (group.stored !== undefined || members.length > 0)
    writeNow(context, turn, groupRecord(group.groupId, null));
  if (members.length === 0) return;
  const { groupId } = group;
  for (const { memberId, facts } of members)
    record(at, { type: 'consumerMember', group: groupId, memberId, value: facts });
  record(at, { type: 'consumerEpoch', group: groupId, value: { epoch, metadataHash: 0n } });
  for (const { memberId, assigned } of members) {
    const value = { topicPartitions: listed(assigned) };
    record(at, { type: 'consumerTarget', group: groupId, memberId, value });
  }
  const target = { assignmentEpoch: epoch, assignmentTimestamp: 0 };
  record(at, { type: 'consumerTargetEpoch', group: groupId, value: target });
  for (const { memberId, assigned } of members) {
    const value = storedCurrent({
      memberEpoch: epoch,
      previousMemberEpoch: epoch,
      state: MemberState.STABLE,
      assigned: withEpoch(assigned, epoch),
      pendingRevocation: NO_PARTITIONS,
    });
    record(at, { type: 'consumerCurrent', group: groupId, memberId, value });
  }
}

/** @throws KafkaError GROUP_ID_NOT_FOUND */
function upgradable(context: Context, group: Group): Upgraded[] {
  const refuse = (why: string) =>
    new KafkaError(
      ErrorCode.GROUP_ID_NOT_FOUND,
      `Cannot upgrade classic group ${group.groupId} to consumer group because ${why}.`,
    );
  const { consumerMigrationPolicy: policy, consumerMaxSize } = context.config;
  if (policy !== 'bidirectional' && policy !== 'upgrade') throw refuse('online upgrade is disabled');
  if (group.protocolType !== CONSUMER_PROTOCOL)
    throw refuse('the group does not use the consumer embedded protocol');
  if (group.members.size >= consumerMaxSize)
    throw refuse('the group size exceeds the consumer group maximum size');
  const protocol = group.protocol ?? group.electProtocol();
  return [...group.members.values()].map((member) => {
    const found = upgraded(context, member, protocol);
    if (typeof found === 'string') throw refuse(found);
    return found;
  });
}

/** @returns why it cannot, in words. */
function upgraded(context: Context, member: Member, protocol: string): Upgraded | string {
  const subscription = readSubscription(metadataOf(member, protocol));
  const assigned = assignedTo(context, member);
  if (subscription === undefined || assigned === 'malformed')
    return 'the embedded consumer protocol is malformed';
  if (assigned === 'custom')
    return (
      'an unsupported custom assignor is in use. Please refer to the documentation or switch to a default ' +
      'assignor before re-attempting the upgrade'
    );
  const { memberId, groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs } = member;
  const facts: StoredConsumer = {
    instanceId: groupInstanceId,
    rackId: subscription.rackId,
    clientId,
    clientHost,
    subscribedTopicNames: [...new Set(subscription.topics)].sort(),
    subscribedTopicRegex: null,
    rebalanceTimeoutMs,
    serverAssignor: null,
    classicMemberMetadata: {
      sessionTimeoutMs,
      supportedProtocols: member.protocols.map(({ name, metadata }) => ({ name, metadata })),
    },
  };
  return { memberId, facts, assigned };
}

/** What its leader gave it, of topics that are there. */
function assignedTo({ cluster }: Context, { assignment }: Member): Partitions | 'malformed' | 'custom' {
  if (assignment.length === 0) return NO_PARTITIONS;
  try {
    const { assignedPartitions, userData } = readAssignment(assignment);
    if (userData !== null && userData.length > 0) return 'custom';
    const found = new Map<Uuid, Set<number>>();
    for (const { topic, partitions } of assignedPartitions) {
      const id = cluster.topic(topic)?.id;
      if (id !== undefined && partitions.length > 0) found.set(id, new Set(partitions));
    }
    return found;
  } catch (error) {
    if (error instanceof WireError) return 'malformed';
    throw error;
  }
}

/** Who waits in a rebalance that will not end is to join again. */
function answerAll(context: Context, turn: Turn, group: Group): void {
  const { REBALANCE_IN_PROGRESS: errorCode } = ErrorCode;
  for (const member of group.members.values()) {
    const { join, sync, memberId } = member;
    member.join = undefined;
    member.sync = undefined;
    if (join) turn.answer(context, join, joinError(errorCode, memberId, join.apiVersion));
    if (sync) turn.answer(context, sync, syncError(errorCode));
  }
  context.deadlines.clear(group.joinDeadline);
  context.deadlines.clear(group.syncDeadline);
  group.initialRemainingMs = undefined;
  for (const memberId of group.pending.keys()) context.removePending(group, memberId);
}
