import type { Millis, Uuid } from '../model/ids.ts';
import type { Assign, AssignedMember } from './assignors/assignor.ts';
import { range } from './assignors/range.ts';
import { uniform } from './assignors/uniform.ts';
import { assignmentIntervalMs } from './consumer-config.ts';
import type { Consumer } from './consumer-member.ts';
import { type ConsumerTurn, record } from './consumer-replay.ts';
import { listed, samePartitions } from './partitions.ts';
import { TopicPattern } from './regex/topic-pattern.ts';
import { type ClusterView, metadataHash } from './topics.ts';

const ASSIGNORS: ReadonlyMap<string, Assign> = new Map([
  ['uniform', uniform],
  ['range', range],
]);

export function isAssignor(name: string): boolean {
  return ASSIGNORS.has(name);
}

/** Patterns are looked at anew no sooner, whatever happens to topics; Kafka's own bound. */
const RESOLVE_INTERVAL_MS: Millis = 10_000;

/**
 * The group's next epoch, if there is reason for one: subscriptions changed, or the topics did. Compared with the
 * cluster's metadata once a version of it, so that most heartbeats compare two numbers.
 */
export function refreshEpoch(at: ConsumerTurn, isChanged: boolean): void {
  const { context, group, consumer } = at;
  const { version } = context.cluster;
  const isResolvedAnew = resolvePatterns(at);
  const isNew = isChanged || isResolvedAnew;
  if (!isNew && consumer.lookedAtVersion === version) return;
  consumer.lookedAtVersion = version;
  const hash = metadataHash(context.cluster, consumer.subscribedTopics);
  if (!isNew && hash === consumer.metadataHash) return;
  const value = { epoch: consumer.epoch + 1, metadataHash: hash };
  record(at, { type: 'consumerEpoch', group: group.groupId, value });
}

/** What members subscribe to by pattern stands for topics; what nobody uses any more is forgotten. */
export function keepPatterns(at: ConsumerTurn): void {
  const { group, consumer } = at;
  const used = new Set([...consumer.members.values()].flatMap((member) => member.subscribedTopicRegex ?? []));
  for (const regex of consumer.regexes.keys())
    if (!used.has(regex)) record(at, { type: 'consumerRegex', group: group.groupId, regex, value: null });
  for (const regex of used) if (!consumer.regexes.has(regex)) resolve(at, regex);
}

/** @returns whether any of them stands for other topics than before. */
function resolvePatterns(at: ConsumerTurn): boolean {
  const { context, turn, consumer } = at;
  const { version } = context.cluster;
  if (consumer.regexes.size === 0 || consumer.resolvedAtVersion === version) return false;
  if (turn.nowMs < consumer.resolvedAtMs + RESOLVE_INTERVAL_MS) return false;
  consumer.resolvedAtVersion = version;
  consumer.resolvedAtMs = turn.nowMs;
  let isNew = false;
  for (const regex of consumer.regexes.keys()) isNew = resolve(at, regex) || isNew;
  return isNew;
}

/** @returns whether it stands for other topics than before. */
function resolve(at: ConsumerTurn, regex: string): boolean {
  const { context, turn, group, consumer } = at;
  const { cluster } = context;
  const topics = topicsMatching(cluster, regex);
  const before = consumer.regexes.get(regex)?.topics;
  if (before !== undefined && topics.join() === before.join()) return false;
  const value = { topics, version: cluster.version, timestamp: turn.nowMs };
  record(at, { type: 'consumerRegex', group: group.groupId, regex, value });
  return true;
}

function topicsMatching(cluster: ClusterView, regex: string): string[] {
  const pattern = new TopicPattern(regex);
  return [...cluster.topicNames()].filter((name) => pattern.matches(name)).sort();
}

/** Whether the topics are those of the group's epoch; looked at once a version of the metadata. */
export function hasSameTopics({ context, consumer }: Pick<ConsumerTurn, 'context' | 'consumer'>): boolean {
  const { cluster } = context;
  const { lookedAtVersion, resolvedAtVersion, regexes } = consumer;
  const isResolved = regexes.size === 0 || resolvedAtVersion === cluster.version;
  if (isResolved && lookedAtVersion === cluster.version) return true;
  if (metadataHash(cluster, consumer.subscribedTopics) !== consumer.metadataHash) return false;
  for (const [regex, { topics }] of regexes)
    if (topicsMatching(cluster, regex).join() !== topics.join()) return false;
  consumer.lookedAtVersion = cluster.version;
  consumer.resolvedAtVersion = cluster.version;
  return true;
}

/** Who is to have what, once the group has a new epoch; many that come together share one. */
export function assignIfDue(at: ConsumerTurn): void {
  const { context, turn, group, consumer } = at;
  const { groupId } = group;
  if (consumer.epoch <= consumer.assignmentEpoch) return;
  const sinceMs = turn.nowMs - consumer.assignedAtMs;
  const isFirst = consumer.assignmentEpoch === 0;
  if (!isFirst && sinceMs >= 0 && sinceMs < assignmentIntervalMs(context, groupId)) return;
  const counts = new Map<Uuid, number>();
  const members = [...consumer.members.values()].map((member): AssignedMember => {
    const topics = topicIdsOf(at, member);
    for (const id of topics) counts.set(id, context.cluster.topicById(id)?.partitions.length ?? 0);
    const { memberId, instanceId } = member;
    return { memberId, instanceId, topics, had: consumer.target(memberId) };
  });
  const assign = ASSIGNORS.get(assignorName(at)) ?? uniform;
  for (const [memberId, target] of assign(members, counts)) {
    if (consumer.targets.has(memberId) && samePartitions(target, consumer.target(memberId))) continue;
    const value = { topicPartitions: listed(target) };
    record(at, { type: 'consumerTarget', group: groupId, memberId, value });
  }
  const value = { assignmentEpoch: consumer.epoch, assignmentTimestamp: turn.nowMs };
  record(at, { type: 'consumerTargetEpoch', group: groupId, value });
}

export function assignorName({ context, consumer }: Pick<ConsumerTurn, 'context' | 'consumer'>): string {
  return consumer.preferredAssignor ?? context.config.consumerAssignors[0] ?? 'uniform';
}

/** Of the topics a member wants those that are there. */
export function topicIdsOf(
  { context, consumer }: Pick<ConsumerTurn, 'context' | 'consumer'>,
  member: Consumer,
): ReadonlySet<Uuid> {
  const ids = new Set<Uuid>();
  for (const name of consumer.topicsOf(member)) {
    const topic = context.cluster.topic(name);
    if (topic !== undefined) ids.add(topic.id);
  }
  return ids;
}
