import type { Millis } from '../model/ids.ts';
import type { Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import { groupTombstones } from './describe.ts';
import { offsetRecord } from './records.ts';
import type { OffsetAndMetadata } from './records.ts';
import { subscribedTopics } from './subscription.ts';

const MINUTE_MS = 60_000;

interface Rule {
  retentionMs: number;
  /** Of a group of consumers; undefined when unknown. */
  subscribed: ReadonlySet<string> | undefined;
}

/**
 * Writes tombstones for positions nobody has wanted for offsets.retention.minutes and for groups that are
 * empty and hold none, as many as fit one batch; what is left waits for the next check, which
 * `context.expiryAtMs` names.
 */
export function expireOffsets(context: Context, turn: Turn): void {
  const { offsetsRetentionMinutes, offsetsRetentionCheckIntervalMs, recordsMaxBytes } = context.config;
  const retentionMs = offsetsRetentionMinutes * MINUTE_MS;
  let nextMs: Millis = Infinity;
  for (const group of context.groups.values()) {
    const rule: Rule = { retentionMs, subscribed: subscribedIfStable(group) };
    let keptCount = 0;
    for (const [topic, partitions] of group.offsets) {
      for (const [partition, value] of partitions) {
        const atMs = expiresAtMs(group, rule, topic, value);
        const mayExpire = !group.isUnstable(topic, partition);
        if (atMs > turn.nowMs || turn.recordsBytes > recordsMaxBytes || !mayExpire) {
          keptCount++;
          nextMs = Math.min(nextMs, atMs);
          continue;
        }
        turn.write(offsetRecord({ group: group.groupId, topic, partition }, null));
      }
    }
    const { state } = group.consumer ?? group;
    if (keptCount > 0 || group.unstable.size > 0 || state !== 'Empty' || !(group.stored ?? group.consumer))
      continue;
    if (group.pending.size > 0 || turn.recordsBytes > recordsMaxBytes) nextMs = turn.nowMs;
    else for (const tombstone of groupTombstones(group)) turn.write(tombstone);
  }
  context.expiryAtMs =
    nextMs === Infinity ? Infinity : Math.max(nextMs, turn.nowMs + offsetsRetentionCheckIntervalMs);
}

function subscribedIfStable(group: Group): ReadonlySet<string> | undefined {
  if (group.consumer) return group.consumer.subscribedTopics;
  return group.state === 'Stable' && group.offsets.size > 0 ? subscribedTopics(group) : undefined;
}

/** Earliest time at which a position may expire, whatever becomes of its group. */
export function earliestExpiryMs(context: Context, value: OffsetAndMetadata): Millis {
  if (value.expireTimestamp !== -1) return value.expireTimestamp;
  return commitExpiryMs(context, value.commitTimestamp);
}

/** Likewise, of one without an expiry of its own. */
export function commitExpiryMs(context: Context, commitTimestamp: Millis): Millis {
  return commitTimestamp + context.config.offsetsRetentionMinutes * MINUTE_MS;
}

/**
 * A group's positions are kept while it has members, and after that from the moment it became empty
 * (KIP-211). Those of no group (only offsets are stored here), those of topics that its consumers no longer
 * read, and those of an empty group of KIP-848, whose records do not say since when it is, are kept from their
 * own commit on. Infinity while nothing is known that would end them.
 */
function expiresAtMs(group: Group, rule: Rule, topic: string, value: OffsetAndMetadata): Millis {
  const { commitTimestamp, expireTimestamp } = value;
  const emptyAtMs = group.stored?.currentStateTimestamp ?? -1;
  const isOfNone = group.protocolType === '' && group.consumer === undefined;
  const isForgotten = isOfNone || (rule.subscribed !== undefined && !rule.subscribed.has(topic));
  if (!isForgotten && (group.consumer ?? group).state !== 'Empty') return Infinity;
  if (expireTimestamp !== -1) return expireTimestamp;
  return (isForgotten || emptyAtMs === -1 ? commitTimestamp : emptyAtMs) + rule.retentionMs;
}
