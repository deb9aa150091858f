import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { JoinGroupResponse } from '../../wire/apis/11-join-group.ts';
import type { Cluster } from '../cluster.ts';
import { closedError } from '../errors.ts';
import { abortable, backoffMs, Patience, backOff, retrying, within } from '../retry.ts';
import { titleOf, type TopicPartition, without } from '../topic-partition.ts';
import type { Assignor, PartitionCounts } from './assignors/assignor.ts';
import { areCooperative } from './assignors/by-name.ts';
import { decodeAssignment, encodeSubscription } from './consumer-protocol.ts';
import type { Coordinator } from './coordinator.ts';
import { areSame, assignmentsOf, membersIn, partitionCounts } from './leader.ts';
import { MemberCalls } from './member-calls.ts';
import { type AskOptions, commitOffsets, type Identity, type GroupPosition } from './offsets.ts';
import { type GroupVerdict, verdictOn } from './verdict.ts';

export interface MembershipOptions {
  cluster: Cluster;
  coordinator: Coordinator;
  clock: Clock;
  random: Random;
  retryForMs: Millis;
  groupId: string;
  /** Of a static member (KIP-345). */
  instanceId: string | null;
  rackId: string | null;
  assignors: readonly Assignor[];
  sessionTimeoutMs: Millis;
  /** How long a rebalance waits for this member to finish its work and come. */
  rebalanceTimeoutMs: Millis;
  heartbeatIntervalMs: Millis;
  /** How often it is looked whether topics, or their partitions, have changed. */
  metadataMaxAgeMs: Millis;
}

/** What is done with the partitions a member is given. */
export interface MemberWork {
  /** Names of all topics it wants now, each once, in order. */
  topics(signal: AbortSignal): Promise<readonly string[]>;
  /** What stands for them at a broker that resolves patterns itself, as RE2 has it for whole names. */
  readonly remotePattern?: string | undefined;
  /** They are this member's now. */
  assigned(partitions: readonly TopicPartition[]): void;
  /** Finishes and commits what is under way there, until then at most: once it resolves they are others'. */
  revoked(partitions: readonly TopicPartition[], untilMs: Millis): Promise<void>;
  /** They are others' already, whatever is under way. A `revoked` of them that still waits resolves. */
  lost(partitions: readonly TopicPartition[]): void;
}

/** `joining`: JoinGroup gathers the members. `syncing`: a new generation has begun, who has what is not known yet. */
type Phase = 'idle' | 'joining' | 'syncing';

interface Generation {
  generationId: number;
  /** What it asked for. */
  topics: readonly string[];
  /** What its leader counted; undefined for any other. */
  counts: PartitionCounts | undefined;
}

/** Of the rebalance timeout, so much stays for the way to the coordinator and for the last commit. */
export const REVOKE_RATIO = 0.8;

/**
 * One member of a classic group, from its first JoinGroup until it leaves:
 *
 *   give up what is not kept -> JoinGroup -> SyncGroup -> take, give up what went to others (cooperative: and again)
 *        ^                                                            |
 *        └── a heartbeat, the topics or the leader's count say so ────┘
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #work: MemberWork;
  readonly #calls: MemberCalls;
  readonly #isCooperative: boolean;
  readonly #life = new AbortController();
  #memberId = '';
  /** Undefined while it is in none. */
  #generation: Generation | undefined;
  #phase: Phase = 'idle';
  #owned: TopicPartition[] = [];
  /** What it was last given, for assignors that ask. */
  #had: { partitions: readonly TopicPartition[]; generationId: number } = {
    partitions: [],
    generationId: -1,
  };
  #mustRejoin = true;
  #mustLook = false;
  #isHeld = false;
  #bell = Promise.withResolvers<void>();

  constructor(options: MembershipOptions, work: MemberWork) {
    this.#options = options;
    this.#work = work;
    this.#calls = new MemberCalls(options);
    this.#isCooperative = areCooperative(options.assignors);
  }

  /** It has its share, and nothing says that it should be another one. */
  get isStable(): boolean {
    return this.#generation !== undefined && this.#phase === 'idle' && !this.#mustRejoin;
  }

  /** Until it leaves. @throws what ended it otherwise: all partitions are lost by then. */
  async run(): Promise<void> {
    void this.#beat();
    try {
      for (;;) {
        await this.#join();
        await this.#live();
      }
    } catch (error) {
      const { aborted, reason } = this.#life.signal;
      this.#life.abort(error);
      this.#forget('lost');
      if (!this.#isHeld) throw aborted ? reason : error;
    }
  }

  /** Of the generation it is in now; undefined while it is in none. */
  get identity(): Identity | undefined {
    const generation = this.#life.signal.aborted ? undefined : this.#generation;
    return generation && this.#identity(generation.generationId);
  }

  /** Topics may have changed: looks, and joins again if they have. */
  look(): void {
    this.#mustLook = true;
    this.#ring();
  }

  /** Takes part in no further rebalance: what it has is being finished. */
  hold(): void {
    this.#isHeld = true;
  }

  /** A static member only goes silent: it may be back before its session ends (KIP-345). */
  async leave(options: AskOptions): Promise<void> {
    this.#isHeld = true;
    this.#life.abort(closedError('the consumer'));
    if (this.#options.instanceId !== null) return;
    await abortable(this.#calls.named, options.signal);
    const by = this.#identity(-1);
    if (by.memberId !== '') await this.#calls.leave(by, options);
  }

  /**
   * Commits what is this member's still, and drops the rest: others say now where they are.
   * @throws BrokerError when it is no member any more, or its positions are refused.
   */
  async commit(positions: readonly GroupPosition[], { signal }: AskOptions = {}): Promise<void> {
    const { coordinator, groupId, clock, random } = this.#options;
    for (let failures = 0; ; failures++) {
      while (this.#phase === 'syncing') await abortable(this.#bell.promise, signal);
      const owned = new Set(this.#owned.map(titleOf));
      const mine = positions.filter((position) => owned.has(titleOf(position)));
      const generation = this.#generation;
      if (mine.length === 0 || generation === undefined) return;
      try {
        const by = this.#identity(generation.generationId);
        return await commitOffsets(coordinator, groupId, { positions: mine, by, signal });
      } catch (error) {
        const verdict = verdictOn(error);
        if (verdict !== 'rejoin' && verdict !== 'lost' && verdict !== 'unknown') throw error;
        // The coordinator is a generation ahead, and its answer that says so on its way.
        const isLate = this.#generation !== generation || this.#phase !== 'idle' || verdict === 'rejoin';
        if (!isLate) {
          this.#told(error);
          throw error;
        }
        await backOff(clock, backoffMs(failures, random), signal);
      }
    }
  }

  async #join(): Promise<void> {
    const { signal } = this.#life;
    const { clock, random } = this.#options;
    const patience = new Patience({ ...this.#options, signal });
    while (this.#mustRejoin) {
      if (this.#isHeld) await abortable(new Promise(() => {}), signal);
      try {
        const topics = await abortable(this.#work.topics(signal), signal);
        await this.#giveUp(
          this.#owned.filter(({ topic }) => !this.#isCooperative || !topics.includes(topic)),
        );
        this.#mustRejoin = false;
        await this.#take(await this.#rebalance(topics));
      } catch (error) {
        signal.throwIfAborted();
        const verdict = verdictOn(error);
        this.#mustRejoin = true;
        if (verdict === 'rejoin') await backOff(clock, backoffMs(0, random), signal);
        else if (verdict !== 'lost' && verdict !== 'unknown') throw error;
        else {
          this.#forget(verdict);
          await patience.wait(error, true);
        }
      }
    }
  }

  /** @returns what this member has in the new generation. */
  async #rebalance(topics: readonly string[]): Promise<TopicPartition[]> {
    const { signal } = this.#life;
    this.#phase = 'joining';
    try {
      const told = (memberId: string) => (this.#memberId = memberId);
      const joined = await this.#calls.join(this.#memberId, this.#protocols(topics), { signal, told });
      const { generationId, memberId } = joined;
      this.#phase = 'syncing';
      // Whatever comes of it: by an older one the coordinator does not know this member any more.
      this.#generation = { generationId, topics, counts: undefined };
      const lead = joined.leader === memberId ? await this.#lead(joined) : undefined;
      const by = this.#identity(generationId);
      const assignments = lead?.assignments ?? [];
      const assignment = await this.#calls.sync(by, joined.protocolName, assignments, { signal });
      const partitions = decodeAssignment(assignment);
      this.#generation.counts = lead?.counts;
      this.#had = { partitions, generationId };
      return partitions;
    } finally {
      this.#phase = 'idle';
      this.#ring();
    }
  }

  /** Decides for all: the leader alone is told who they are. */
  async #lead(joined: JoinGroupResponse) {
    const { cluster, assignors } = this.#options;
    const { signal } = this.#life;
    const members = membersIn(joined);
    const topics = new Set(members.flatMap((member) => member.topics));
    const counts = await retrying(() => partitionCounts(cluster, [...topics], signal), {
      ...this.#options,
      signal,
    });
    const assignor = assignors.find(({ name }) => name === joined.protocolName);
    const mayAssign = assignor !== undefined && !joined.skipAssignment;
    return { assignments: mayAssign ? assignmentsOf(assignor, members, counts) : [], counts };
  }

  #protocols(topics: readonly string[]): { name: string; metadata: Uint8Array }[] {
    const { assignors, rackId } = this.#options;
    const owned = this.#isCooperative ? this.#owned : [];
    // Of when it was given that: a generation whose assignment it missed says nothing about it.
    const { generationId } = this.#had;
    return assignors.map((assignor) => {
      const userData = assignor.userDataOf?.(this.#had) ?? null;
      const metadata = encodeSubscription({ topics, owned, generationId, rackId, userData });
      return { name: assignor.name, metadata };
    });
  }

  async #take(assigned: readonly TopicPartition[]): Promise<void> {
    const added = without(assigned, this.#owned);
    const revoked = without(this.#owned, assigned);
    this.#owned = [...this.#owned, ...added];
    if (added.length > 0) this.#work.assigned(added);
    if (revoked.length === 0) return;
    await this.#giveUp(revoked);
    // Only now may the others have them: in the generation after this one (KIP-429).
    this.#mustRejoin = true;
  }

  async #giveUp(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const { clock, rebalanceTimeoutMs } = this.#options;
    const untilMs = clock.now() + REVOKE_RATIO * rebalanceTimeoutMs;
    await abortable(this.#work.revoked(partitions, untilMs), this.#life.signal);
    this.#owned = without(this.#owned, partitions);
  }

  /** Until it has to join again. */
  async #live(): Promise<void> {
    const { clock, metadataMaxAgeMs: timeoutMs } = this.#options;
    const { signal } = this.#life;
    while (!this.#mustRejoin) {
      const isTold = this.#mustLook || (await within(this.#bell.promise, { clock, timeoutMs, signal }));
      if (isTold && !this.#mustLook) continue;
      this.#mustLook = false;
      if (await this.#isOutdated()) this.#mustRejoin = true;
    }
  }

  async #isOutdated(): Promise<boolean> {
    const { cluster } = this.#options;
    const { signal } = this.#life;
    const { topics = [], counts } = this.#generation ?? {};
    const wanted = await abortable(this.#work.topics(signal), signal);
    if (wanted.join() !== topics.join()) return true;
    if (counts === undefined) return false;
    const names = [...new Set([...topics, ...counts.keys()])];
    const now = await retrying(() => partitionCounts(cluster, names, signal), { ...this.#options, signal });
    return !areSame(counts, now);
  }

  /** While it waits in JoinGroup or SyncGroup, its coordinator knows that it lives. */
  async #beat(): Promise<void> {
    const { clock, heartbeatIntervalMs } = this.#options;
    const { signal } = this.#life;
    const isOver = () => signal.aborted;
    while (!isOver()) {
      await backOff(clock, heartbeatIntervalMs, signal).catch(() => {});
      const generation = this.#generation;
      if (isOver() || generation === undefined || this.#phase !== 'idle') continue;
      try {
        await this.#calls.heartbeat(this.#identity(generation.generationId), { signal });
      } catch (error) {
        if (this.#generation === generation && this.#phase === 'idle') this.#told(error);
      }
    }
  }

  /** What the coordinator says of this member. */
  #told(error: unknown): void {
    if (this.#life.signal.aborted) return;
    const verdict = verdictOn(error);
    if (verdict === 'lost' || verdict === 'unknown') this.#forget(verdict);
    else if (verdict === 'rejoin') this.#mustRejoin = true;
    else this.#life.abort(error);
    this.#ring();
  }

  #forget(verdict: GroupVerdict): void {
    if (verdict === 'unknown') this.#memberId = '';
    const owned = this.#owned;
    this.#owned = [];
    this.#generation = undefined;
    this.#had = { partitions: [], generationId: -1 };
    this.#mustRejoin = true;
    if (owned.length > 0) this.#work.lost(owned);
  }

  #identity(generationId: number): Identity {
    return { generationId, memberId: this.#memberId, instanceId: this.#options.instanceId };
  }

  #ring(): void {
    this.#bell.resolve();
    this.#bell = Promise.withResolvers();
  }
}
