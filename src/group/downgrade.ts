import { CONSUMER_PROTOCOL, versionOf, writeAssignment } from '../wire/consumer-protocol.ts';
import { rebalance } from './classic.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { type Consumer, isClassic } from './consumer-member.ts';
import { type ConsumerTurn, consumerTombstones, record } from './consumer-replay.ts';
import type { Context } from './context.ts';
import { NO_BYTES } from './member.ts';
import { type EpochPartitions, listed, type Partitions } from './partitions.ts';
import { groupMetadataRecord } from './records.ts';
import { writeNow } from './replay.ts';

/** Whether, without these, all that are left speak the classic protocol. */
export function mayDowngrade({ context, consumer }: ConsumerTurn, leaving: readonly Consumer[]): boolean {
  const { consumerMigrationPolicy: policy, groupMaxSize } = context.config;
  if (policy !== 'bidirectional' && policy !== 'downgrade') return false;
  const staying = stayingIn(consumer, leaving);
  if (staying.length === 0 || staying.length > groupMaxSize) return false;
  return staying.every(isClassic) && sharedProtocols(staying).size > 0;
}

function stayingIn(consumer: ConsumerGroup, leaving: readonly Consumer[]): Consumer[] {
  const gone = new Set(leaving.map(({ memberId }) => memberId));
  return [...consumer.members.values()].filter(({ memberId }) => !gone.has(memberId));
}

/** Names of the protocols that all of them know. */
export function sharedProtocols(members: Iterable<Consumer>): Set<string> {
  let shared: Set<string> | undefined;
  for (const { classicMemberMetadata } of members) {
    const names = classicMemberMetadata?.supportedProtocols.map(({ name }) => name) ?? [];
    if (classicMemberMetadata !== null) shared = new Set(names.filter((name) => shared?.has(name) !== false));
  }
  return shared ?? new Set();
}

/** The last member of KIP-848 is gone: the group is a classic one again, and shares out anew what that one had. */
export function downgrade(at: ConsumerTurn, leaving: readonly Consumer[]): void {
  const { context, turn, group, consumer } = at;
  const staying = stayingIn(consumer, leaving);
  const { epoch } = consumer;
  const assignments = new Map(
    staying.map((member) => [
      member.memberId,
      classicAssignment(context, member, consumer.target(member.memberId)),
    ]),
  );
  dissolve(at);
  group.protocolType = CONSUMER_PROTOCOL;
  group.generationId = epoch;
  for (const { classicMemberMetadata, ...member } of staying) {
    if (classicMemberMetadata === null) continue;
    const { sessionTimeoutMs, supportedProtocols: protocols } = classicMemberMetadata;
    const { memberId, instanceId: groupInstanceId, clientId, clientHost, rebalanceTimeoutMs } = member;
    const facts = { memberId, groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs };
    const added = context.createMember(group, { ...facts, protocols });
    group.add(added);
    context.restartSession(added, turn.nowMs);
  }
  group.protocol = group.electProtocol();
  writeNow(context, turn, groupMetadataRecord(group, assignments, turn.nowMs));
  rebalance(context, turn, group);
}

/** Of an empty group only the positions stay. */
export function dissolve(at: ConsumerTurn): void {
  for (const tombstone of consumerTombstones(at.group.groupId, at.consumer)) record(at, tombstone);
  at.group.consumer = undefined;
}

/** In the bytes and the version that a classic member reads. */
export function classicAssignment(
  { cluster }: Context,
  { classicMemberMetadata }: Consumer,
  partitions: Partitions | EpochPartitions,
): Uint8Array {
  const assignedPartitions = listed(partitions).flatMap(({ topicId, partitions: some }) => {
    const topic = cluster.topicById(topicId)?.name;
    return topic === undefined ? [] : [{ topic, partitions: some }];
  });
  const metadata = classicMemberMetadata?.supportedProtocols[0]?.metadata ?? NO_BYTES;
  return writeAssignment({ assignedPartitions, userData: null }, versionOf(metadata));
}
