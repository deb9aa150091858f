import type { Millis } from '../model/ids.ts';
import type { MachineRecord, TransactionEnd, TransactionalProducer } from '../model/machine.ts';
import { applyConsumer, consumerSnapshot } from './consumer-replay.ts';
import type { Context, Turn } from './context.ts';
import { commitExpiryMs, earliestExpiryMs } from './expiry.ts';
import type { Group } from './group.ts';
import { sameBytes } from '../model/bytes.ts';
import type { Member } from './member.ts';
import { packed } from './packed-positions.ts';
import { decodeRecord, groupRecord, type GroupRecord, offsetRecord } from './records.ts';
import type { GroupMetadata, OffsetAndMetadata, OffsetKey } from './records.ts';
import type { ShareGroupRecord } from './share-records.ts';
import { applyShare, shareSnapshot } from './share-replay.ts';
import type { UnstableOffset } from './unstable-offsets.ts';

type StoredMember = GroupMetadata['members'][number];

/**
 * Makes a record of the log true. Live, the group is already where the record says, but for what `apply`
 * alone sets; on replay the members it names come back, and their sessions start now.
 */
export function applyRecord(context: Context, record: MachineRecord, nowMs: Millis): void {
  const { span } = record;
  if (span !== undefined && context.unread.keep(context, span, nowMs)) return;
  const decoded = decodeRecord(record);
  if (decoded === undefined) return;
  const group = context.getOrCreate(decoded.type === 'offset' ? decoded.key.group : decoded.group, nowMs);
  if (decoded.type === 'positions') {
    group.positions.keepPacked(decoded);
    return context.expireFrom(commitExpiryMs(context, decoded.oldestCommitTimestamp), nowMs);
  }
  if (decoded.type === 'offset') applyOffset(context, group, { ...decoded, producer: record.producer });
  else if (decoded.type === 'group') applyGroup(context, group, decoded.value, nowMs);
  else if (isOfShares(decoded)) applyShare(context, group, decoded, nowMs);
  else applyConsumer(context, group, decoded, nowMs);
  if (group.isBlank) return context.dropIfBlank(group);
  const position = decoded.type === 'offset' ? decoded.value : null;
  context.expireFrom(position ? earliestExpiryMs(context, position) : nowMs, nowMs);
}

function isOfShares(record: GroupRecord): record is ShareGroupRecord {
  return record.type.startsWith('share');
}

/** Writes a classic group's record and makes it true at once: what the decision does next builds on it. */
export function writeNow(context: Context, turn: Turn, record: MachineRecord): void {
  turn.write(record);
  context.applied.add(record);
  const decoded = decodeRecord(record);
  if (decoded?.type !== 'group') return;
  applyGroup(context, context.getOrCreate(decoded.group, turn.nowMs), decoded.value, turn.nowMs);
}

interface Position {
  key: OffsetKey;
  value: OffsetAndMetadata | null;
  producer: TransactionalProducer | undefined;
}

function applyOffset(context: Context, group: Group, { key, value, producer }: Position): void {
  if (producer !== undefined && value !== null) return context.unstable.add(group, key, { producer, value });
  context.unstable.settle(group, key);
  group.positions.set(key.topic, key.partition, value);
}

/** What the transaction did to positions counts now, or is forgotten. */
export function applyEnd(context: Context, end: TransactionEnd, nowMs: Millis): void {
  context.verifications.ended(end.producerId);
  for (const group of context.unstable.end(end)) {
    if (group.isBlank) context.dropIfBlank(group);
    else context.expireFrom(nowMs, nowMs);
  }
}

/** A tombstone leaves what a group without a record is: one that only stores offsets. */
function applyGroup(context: Context, group: Group, value: GroupMetadata | null, nowMs: Millis): void {
  group.stored = value ?? undefined;
  const members = value?.members ?? [];
  const staying = new Set(members.map(({ memberId }) => memberId));
  for (const member of group.members.values()) {
    if (staying.has(member.memberId)) continue;
    context.deadlines.clear(member.session);
    group.remove(member);
  }
  group.protocolType = value?.protocolType ?? '';
  group.protocol = value?.protocol ?? null;
  group.generationId = value?.generation ?? 0;
  for (const stored of members) applyMember(context, group, stored, nowMs);
  group.leader = value?.leader ?? null;
  const state = members.length > 0 ? 'Stable' : 'Empty';
  if (group.state !== state) group.transition(state, nowMs);
  const stateAtMs = value?.currentStateTimestamp ?? -1;
  group.stateAtMs = stateAtMs === -1 ? nowMs : stateAtMs;
}

function applyMember(context: Context, group: Group, stored: StoredMember, nowMs: Millis): void {
  const { protocol } = group;
  const known = group.members.get(stored.memberId);
  const protocols = [{ name: protocol ?? '', metadata: stored.subscription }];
  const rebalanceTimeoutMs = stored.rebalanceTimeout >= 0 ? stored.rebalanceTimeout : stored.sessionTimeout;
  if (known) {
    known.sessionTimeoutMs = stored.sessionTimeout;
    known.rebalanceTimeoutMs = rebalanceTimeoutMs;
    known.assignment = stored.assignment;
    if (!knows(known, stored, protocol)) group.replaceProtocols(known, protocols);
    return;
  }
  const member = context.createMember(group, {
    memberId: stored.memberId,
    groupInstanceId: stored.groupInstanceId,
    clientId: stored.clientId,
    clientHost: stored.clientHost,
    rebalanceTimeoutMs,
    sessionTimeoutMs: stored.sessionTimeout,
    protocols,
  });
  member.assignment = stored.assignment;
  group.add(member);
  context.restartSession(member, nowMs);
}

/** A live member knows more protocols than the one that was elected: they are kept. */
function knows(member: Member, { subscription }: StoredMember, protocol: string | null): boolean {
  return member.protocols.some(
    ({ name, metadata }) => name === protocol && sameBytes(metadata, subscription),
  );
}

/** What the log holds of all groups, each thing once; what is unstable after what it may replace. */
export function* snapshotOf(context: Context): Iterable<MachineRecord> {
  for (const group of context.groups.values()) {
    if (group.stored) yield groupRecord(group.groupId, group.stored);
    if (group.consumer) yield* consumerSnapshot(group.groupId, group.consumer);
    if (group.share) yield* shareSnapshot(group.groupId, group.share);
    for (const [topic, partitions] of group.offsets) {
      const key = { group: group.groupId, topic };
      for (const [partition, value] of partitions)
        if (value.expireTimestamp !== -1) yield offsetRecord({ ...key, partition }, value);
      yield* packed(key, partitions);
    }
    for (const partitions of group.unstable.values()) {
      for (const list of partitions.values()) for (const each of list) yield unstableRecord(each);
    }
  }
}

function unstableRecord({ group, topic, partition, producer, value }: UnstableOffset): MachineRecord {
  return { ...offsetRecord({ group: group.groupId, topic, partition }, value), producer };
}
