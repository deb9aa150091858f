import { unreachable } from '../model/assert.ts';
import type { Millis } from '../model/ids.ts';
import { sessionTimeoutMs } from './consumer-config.ts';
import { ConsumerGroup } from './consumer-group.ts';
import {
  type Consumer,
  currentOf,
  isClassic,
  MemberState,
  NO_CONSUMER,
  NOTHING_ASSIGNED,
  storedCurrent,
} from './consumer-member.ts';
import { type ConsumerRecord, CONSUMER_RECORDS } from './consumer-records.ts';
import type { Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import { collected, listed } from './partitions.ts';
import type { MachineRecord } from '../model/machine.ts';

/** A group of KIP-848 in one decision. */
export interface ConsumerTurn {
  readonly context: Context;
  readonly turn: Turn;
  readonly group: Group;
  readonly consumer: ConsumerGroup;
}

/** Writes a record and makes it true at once: what the decision does next builds on it. */
export function record({ context, turn, group }: ConsumerTurn, what: ConsumerRecord): void {
  const encoded = CONSUMER_RECORDS.encode(what);
  turn.write(encoded);
  context.applied.add(encoded);
  applyConsumer(context, group, what, turn.nowMs);
  context.expireFrom(turn.nowMs, turn.nowMs);
}

/** Makes a record true. Those of a member may come in any order: a compacted log keeps the last of each kind. */
export function applyConsumer(context: Context, group: Group, what: ConsumerRecord, nowMs: Millis): void {
  if (group.consumer === undefined && what.value === null) return;
  const consumer = (group.consumer ??= new ConsumerGroup());
  group.version++;
  switch (what.type) {
    case 'consumerEpoch':
      consumer.epoch = what.value?.epoch ?? 0;
      consumer.metadataHash = what.value?.metadataHash ?? 0n;
      break;
    case 'consumerTargetEpoch':
      consumer.assignmentEpoch = what.value?.assignmentEpoch ?? 0;
      consumer.assignedAtMs = what.value?.assignmentTimestamp ?? 0;
      break;
    case 'consumerTarget':
      consumer.setTarget(what.memberId, what.value ? collected(what.value.topicPartitions) : undefined);
      break;
    case 'consumerRegex':
      consumer.setRegex(what.regex, what.value ?? undefined);
      break;
    case 'consumerMember':
      if (what.value)
        setMember(context, group, consumer, { ...memberOf(consumer, what.memberId), ...what.value }, nowMs);
      else removeMember(context, consumer, what.memberId);
      break;
    case 'consumerCurrent':
      applyCurrent(context, group, consumer, what, nowMs);
      break;
    default:
      unreachable(what);
  }
}

type CurrentRecord = Extract<ConsumerRecord, { type: 'consumerCurrent' }>;

function applyCurrent(
  context: Context,
  group: Group,
  consumer: ConsumerGroup,
  { memberId, value }: CurrentRecord,
  nowMs: Millis,
): void {
  if (value === null && !consumer.members.has(memberId)) return;
  const current = value === null ? NOTHING_ASSIGNED : currentOf(value);
  setMember(context, group, consumer, { ...memberOf(consumer, memberId), ...current }, nowMs);
}

function memberOf(consumer: ConsumerGroup, memberId: string): Consumer {
  return consumer.members.get(memberId) ?? { ...NO_CONSUMER, ...NOTHING_ASSIGNED, memberId };
}

function setMember(
  context: Context,
  group: Group,
  consumer: ConsumerGroup,
  member: Consumer,
  nowMs: Millis,
): void {
  const { memberId } = member;
  const { deadlines } = context;
  const before = consumer.members.get(memberId);
  consumer.set(member, () => ({
    session: deadlines.create({ type: 'consumerSession', group, memberId }),
    rebalance: deadlines.create({ type: 'consumerRebalance', group, memberId }),
  }));
  const due = consumer.deadlines(memberId);
  if (due === undefined) return;
  if (before === undefined || before.classicMemberMetadata !== member.classicMemberMetadata)
    deadlines.set(due.session, nowMs + sessionTimeoutMs(context, group.groupId, member));
  // A classic member has to rejoin, not to give up: see `consumer-classic.ts`.
  if (isClassic(member)) return;
  if (member.state !== MemberState.UNREVOKED_PARTITIONS) return deadlines.clear(due.rebalance);
  const isNew = before?.memberEpoch !== member.memberEpoch || before.state !== member.state;
  if (member.rebalanceTimeoutMs >= 0 && (isNew || due.rebalance.atMs === Infinity))
    deadlines.set(due.rebalance, nowMs + member.rebalanceTimeoutMs);
}

function removeMember(context: Context, consumer: ConsumerGroup, memberId: string): void {
  const due = consumer.remove(memberId);
  if (due === undefined) return;
  context.deadlines.clear(due.session);
  context.deadlines.clear(due.rebalance);
}

/** What the log holds of a group, each thing once. */
export function* consumerSnapshot(group: string, consumer: ConsumerGroup): Iterable<MachineRecord> {
  const { epoch, metadataHash, assignmentEpoch, assignedAtMs: assignmentTimestamp } = consumer;
  for (const { memberId, ...value } of consumer.members.values())
    yield CONSUMER_RECORDS.encode({ type: 'consumerMember', group, memberId, value });
  for (const [regex, value] of consumer.regexes)
    yield CONSUMER_RECORDS.encode({ type: 'consumerRegex', group, regex, value });
  yield CONSUMER_RECORDS.encode({ type: 'consumerEpoch', group, value: { epoch, metadataHash } });
  for (const [memberId, partitions] of consumer.targets) {
    const value = { topicPartitions: listed(partitions) };
    yield CONSUMER_RECORDS.encode({ type: 'consumerTarget', group, memberId, value });
  }
  const value = { assignmentEpoch, assignmentTimestamp };
  yield CONSUMER_RECORDS.encode({ type: 'consumerTargetEpoch', group, value });
  for (const member of consumer.members.values()) {
    const current = { type: 'consumerCurrent', group, memberId: member.memberId } as const;
    yield CONSUMER_RECORDS.encode({ ...current, value: storedCurrent(member) });
  }
}

/** What removes all of a group from the log; its epoch last, so that no prefix leaves less than a group. */
export function* consumerTombstones(group: string, consumer: ConsumerGroup): Iterable<ConsumerRecord> {
  for (const memberId of consumer.members.keys()) yield* memberTombstones(group, memberId);
  for (const regex of consumer.regexes.keys()) yield { type: 'consumerRegex', group, regex, value: null };
  yield { type: 'consumerTargetEpoch', group, value: null };
  yield { type: 'consumerEpoch', group, value: null };
}

export function* memberTombstones(group: string, memberId: string): Iterable<ConsumerRecord> {
  yield { type: 'consumerCurrent', group, memberId, value: null };
  yield { type: 'consumerTarget', group, memberId, value: null };
  yield { type: 'consumerMember', group, memberId, value: null };
}
