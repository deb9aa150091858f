import type { Uuid } from '../model/ids.ts';
import type { AssignedMember } from './assignors/assignor.ts';
import { simple } from './assignors/simple.ts';
import type { Context } from './context.ts';
import { listed, NO_PARTITIONS, samePartitions } from './partitions.ts';
import { shareAssignmentIntervalMs } from './share-config.ts';
import type { ShareGroup } from './share-group.ts';
import { recordShare, type ShareTurn } from './share-replay.ts';
import { metadataHash } from './topics.ts';

/** The group's next epoch, if there is reason for one: subscriptions changed, or the topics did. */
export function refreshShareEpoch(at: ShareTurn, isChanged: boolean): void {
  if (!hasSameShareTopics(at.context, at.share) || isChanged) bumpEpoch(at);
}

/** Whether the topics are those of the group's epoch; looked at once a version of the metadata. */
export function hasSameShareTopics({ cluster }: Context, share: ShareGroup): boolean {
  if (share.lookedAtVersion === cluster.version) return true;
  if (metadataHash(cluster, share.subscribedTopics) !== share.metadataHash) return false;
  share.lookedAtVersion = cluster.version;
  return true;
}

export function bumpEpoch(at: ShareTurn): void {
  const { context, group, share } = at;
  const hash = metadataHash(context.cluster, share.subscribedTopics);
  const value = { epoch: share.epoch + 1, metadataHash: hash };
  recordShare(at, { type: 'shareEpoch', group: group.groupId, value });
}

/** Who is to have what, once the group has a new epoch; many that come together share one. */
export function assignShares(at: ShareTurn): void {
  const { context, turn, group, share } = at;
  if (share.epoch <= share.assignmentEpoch) return;
  const sinceMs = turn.nowMs - share.assignedAtMs;
  const isFirst = share.assignmentEpoch === 0;
  if (!isFirst && sinceMs >= 0 && sinceMs < shareAssignmentIntervalMs(context, group.groupId)) return;
  const counts = new Map<Uuid, number>();
  const members = [...share.members.values()].map(({ memberId, subscribedTopicNames }): AssignedMember => {
    const topics = new Set<Uuid>();
    for (const name of subscribedTopicNames) {
      const topic = context.cluster.topic(name);
      if (topic === undefined) continue;
      topics.add(topic.id);
      counts.set(topic.id, topic.partitions.length);
    }
    return { memberId, instanceId: null, topics, had: share.targets.get(memberId) ?? NO_PARTITIONS };
  });
  for (const [memberId, target] of simple(members, counts)) {
    const before = share.targets.get(memberId);
    if (before !== undefined && samePartitions(target, before)) continue;
    const value = { topicPartitions: listed(target) };
    recordShare(at, { type: 'shareTarget', group: group.groupId, memberId, value });
  }
  const value = { assignmentEpoch: share.epoch, assignmentTimestamp: turn.nowMs };
  recordShare(at, { type: 'shareTargetEpoch', group: group.groupId, value });
}
