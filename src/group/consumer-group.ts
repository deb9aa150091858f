import type { Millis, Uuid } from '../model/ids.ts';
import { type Consumer, MemberState } from './consumer-member.ts';
import type { StoredRegex } from './consumer-records.ts';
import type { Due } from './context.ts';
import type { Deadline } from './deadlines.ts';
import { type EpochPartitions, NO_PARTITIONS, type Partitions } from './partitions.ts';

/** As ConsumerGroupDescribe and ListGroups print them. */
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

/** What a member has to do until when; neither is in the log. */
export interface ConsumerDeadlines {
  readonly session: Deadline<Due>;
  /** To give up what others are to have; of a classic member to rejoin, or to sync once it has. */
  readonly rebalance: Deadline<Due>;
}

/**
 * A group of KIP-848: what its records say, and what follows from it. Changed by records alone, through the methods
 * below, live as on replay.
 */
export class ConsumerGroup {
  epoch = 0;
  /** Of the topics its members subscribe to. */
  metadataHash = 0n;
  /** The target assignment is of this epoch of the group. */
  assignmentEpoch = 0;
  assignedAtMs: Millis = 0;
  readonly #members = new Map<string, Consumer>();
  readonly #deadlines = new Map<string, ConsumerDeadlines>();
  readonly #targets = new Map<string, Partitions>();
  readonly #regexes = new Map<string, StoredRegex>();
  /** groupInstanceId -> memberId. */
  readonly #instances = new Map<string, string>();
  /** topic -> partition -> member: who has it, or has yet to give it up. */
  readonly #owners = new Map<Uuid, Map<number, string>>();
  #subscribed: ReadonlySet<string> | undefined;
  /** Version of the cluster's metadata the group was last compared with; not in the log. */
  lookedAtVersion = -1;
  /** Likewise, its patterns; and when. */
  resolvedAtVersion = -1;
  resolvedAtMs: Millis = -Infinity;

  get members(): ReadonlyMap<string, Consumer> {
    return this.#members;
  }

  get regexes(): ReadonlyMap<string, StoredRegex> {
    return this.#regexes;
  }

  get targets(): ReadonlyMap<string, Partitions> {
    return this.#targets;
  }

  get state(): ConsumerGroupState {
    if (this.#members.size === 0) return 'Empty';
    if (this.epoch > this.assignmentEpoch) return 'Assigning';
    for (const { state, memberEpoch } of this.#members.values())
      if (state !== MemberState.STABLE || memberEpoch !== this.assignmentEpoch) return 'Reconciling';
    return 'Stable';
  }

  /** Nothing of it is in the log. */
  get isBlank(): boolean {
    const counts = [this.#members.size, this.#targets.size, this.#regexes.size];
    return this.epoch === 0 && this.assignmentEpoch === 0 && counts.every((count) => count === 0);
  }

  staticMember(groupInstanceId: string): Consumer | undefined {
    return this.#members.get(this.#instances.get(groupInstanceId) ?? '');
  }

  deadlines(memberId: string): ConsumerDeadlines | undefined {
    return this.#deadlines.get(memberId);
  }

  target(memberId: string): Partitions {
    return this.#targets.get(memberId) ?? NO_PARTITIONS;
  }

  isTaken(topicId: Uuid, partition: number): boolean {
    return this.#owners.get(topicId)?.has(partition) === true;
  }

  /** Names of the topics a member wants, whether they are there or not, and perhaps twice. */
  *topicsOf({ subscribedTopicNames, subscribedTopicRegex }: Consumer): Iterable<string> {
    yield* subscribedTopicNames;
    if (subscribedTopicRegex !== null) yield* this.#regexes.get(subscribedTopicRegex)?.topics ?? [];
  }

  /** Names of the topics any member wants. */
  get subscribedTopics(): ReadonlySet<string> {
    if (this.#subscribed !== undefined) return this.#subscribed;
    const all = new Set<string>();
    for (const member of this.#members.values()) for (const name of this.topicsOf(member)) all.add(name);
    return (this.#subscribed = all);
  }

  /** The assignor most members ask for, if any does. */
  get preferredAssignor(): string | undefined {
    const votes = new Map<string, number>();
    for (const { serverAssignor } of this.#members.values())
      if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1);
    let best: [string | undefined, number] = [undefined, 0];
    for (const [name, count] of votes) if (count > best[1]) best = [name, count];
    return best[0];
  }

  set(member: Consumer, deadlines: () => ConsumerDeadlines): void {
    const { memberId, instanceId } = member;
    const before = this.#members.get(memberId);
    if (before === undefined) this.#deadlines.set(memberId, deadlines());
    else this.#forget(before);
    this.#members.set(memberId, member);
    if (instanceId !== null) this.#instances.set(instanceId, memberId);
    this.#own(member);
    this.#subscribed = undefined;
  }

  /** @returns what the caller has to clear. */
  remove(memberId: string): ConsumerDeadlines | undefined {
    const member = this.#members.get(memberId);
    if (member === undefined) return undefined;
    this.#members.delete(memberId);
    this.#forget(member);
    this.#subscribed = undefined;
    const deadlines = this.#deadlines.get(memberId);
    this.#deadlines.delete(memberId);
    return deadlines;
  }

  setTarget(memberId: string, partitions: Partitions | undefined): void {
    if (partitions === undefined) this.#targets.delete(memberId);
    else this.#targets.set(memberId, partitions);
  }

  setRegex(regex: string, resolved: StoredRegex | undefined): void {
    if (resolved === undefined) this.#regexes.delete(regex);
    else this.#regexes.set(regex, resolved);
    this.#subscribed = undefined;
  }

  #own({ memberId, assigned, pendingRevocation }: Consumer): void {
    for (const [topicId, partition] of each(assigned, pendingRevocation)) {
      const owners = this.#owners.get(topicId);
      if (owners === undefined) this.#owners.set(topicId, new Map([[partition, memberId]]));
      else owners.set(partition, memberId);
    }
  }

  #forget({ memberId, instanceId, assigned, pendingRevocation }: Consumer): void {
    if (instanceId !== null && this.#instances.get(instanceId) === memberId)
      this.#instances.delete(instanceId);
    for (const [topicId, partition] of each(assigned, pendingRevocation)) {
      const owners = this.#owners.get(topicId);
      if (owners?.get(partition) !== memberId) continue;
      owners.delete(partition);
      if (owners.size === 0) this.#owners.delete(topicId);
    }
  }
}

function* each(...all: readonly EpochPartitions[]): Iterable<[Uuid, number]> {
  for (const partitions of all)
    for (const [topicId, some] of partitions) for (const partition of some.keys()) yield [topicId, partition];
}
