import type { Millis, Offset } from '../../model/ids.ts';
import { CallLine } from '../call-line.ts';
import type { FetchedBatch } from '../fetch/consumer-record.ts';
import type { EngineParts } from '../client-parts.ts';
import type { Fetcher } from '../fetch/fetcher.ts';
import { type Isolation, Lookups } from '../fetch/lookups.ts';
import { LATEST, type Position } from '../fetch/position.ts';
import { notAssigned } from '../errors.ts';
import type { Coordinator } from '../group/coordinator.ts';
import type { MemberWork } from '../group/membership.ts';
import { type AskOptions, fetchOffsets } from '../group/offsets.ts';
import { retrying, within } from '../retry.ts';
import { titleOf, type TopicPartition } from '../topic-partition.ts';
import { Acks } from './acks.ts';
import type { Member } from './member.ts';
import { OwnedPartition } from './owned-partition.ts';
import { remotePatternOf } from '../group/remote-pattern.ts';
import { subscribedTopics, type Subscription } from './subscription.ts';

/** Who hands out what was taken. */
export interface Taker {
  /** Nothing more of it is handed out: what was taken and not begun is let go. */
  drop(owner: OwnedPartition): void;
  /** Likewise, but what lies before a record that was begun is worked on first: else that would be done again. */
  finish(owner: OwnedPartition): void;
  /** What was taken of a paused partition waits there until `resume`; else it is let go, and read again. */
  readonly keepsPaused: boolean;
  /** A partition was paused or resumed. */
  lookAgain(): void;
}

/** How far a consumer has come with a partition. */
export interface ConsumerLag extends TopicPartition {
  /** The next record that is not acked. */
  readonly position: Offset;
  readonly endOffset: Offset;
  /** Records between the two; with a compacted topic at most. */
  readonly lag: number;
}

export interface ShareOptions<K, V> {
  parts: EngineParts;
  fetcher: Fetcher<K, V>;
  /** Undefined without a group. */
  group: { coordinator: Coordinator; groupId: string } | undefined;
  subscription: Subscription;
  from: Position;
  isolation: Isolation;
  /** Commits when it gives something up. */
  isAutoCommit: boolean;
  signal: AbortSignal;
  /** It cannot go on. */
  failed: (error: unknown) => void;
}

export interface TakenBatch<K, V> {
  batch: FetchedBatch<K, V>;
  owner: OwnedPartition;
}

/** The partitions that are this consumer's now: reads them, and commits what is done with. */
export class Share<K, V> implements MemberWork {
  readonly #options: ShareOptions<K, V>;
  readonly #owned = new Map<string, OwnedPartition>();
  readonly #wanted = new Map<string, Position>();
  /** Where they begin is not known, or not noted yet. */
  readonly #unstarted = new Set<OwnedPartition>();
  readonly #lookups: Lookups;
  /** Commits: each comes behind the one before, or it would be undone by an older one. */
  readonly #line = new CallLine();
  member: Member | undefined;
  taker: Taker | undefined;

  constructor(options: ShareOptions<K, V>) {
    this.#options = options;
    this.#lookups = new Lookups(options.parts.cluster, options.isolation);
  }

  get partitions(): OwnedPartition[] {
    return [...this.#owned.values()].filter(({ isOver }) => !isOver);
  }

  /** @throws MilenaError INVALID_ARGUMENT when it is not this consumer's. */
  get(one: TopicPartition): OwnedPartition {
    const owner = this.#owned.get(titleOf(one));
    if (owner !== undefined && !owner.isOver) return owner;
    throw notAssigned(one);
  }

  /** A partition begins there when it is assigned, whatever the group says. */
  beginAt(one: TopicPartition, position: Position): void {
    this.#wanted.set(titleOf(one), position);
  }

  topics(signal: AbortSignal): Promise<readonly string[]> {
    const { subscription, parts } = this.#options;
    return subscribedTopics(subscription, parts.cluster, { ...parts, signal });
  }

  get remotePattern(): string | undefined {
    const { subscription } = this.#options;
    return 'pattern' in subscription ? remotePatternOf(subscription.pattern) : undefined;
  }

  assigned(partitions: readonly TopicPartition[]): void {
    const fresh = partitions.map((one) => new OwnedPartition(one, this.#wanted.get(titleOf(one))));
    for (const one of fresh) {
      this.#owned.set(one.title, one);
      this.#unstarted.add(one);
    }
    this.#begin(fresh).catch(this.#options.failed);
  }

  async revoked(partitions: readonly TopicPartition[], untilMs: Millis): Promise<void> {
    const leaving = this.#stop(partitions, 'finish');
    await this.#settled(leaving, untilMs, 'work on it took longer than a rebalance waits');
    if (this.#options.isAutoCommit) await this.commit({ partitions: leaving });
    for (const one of leaving) this.#release(one, 'it was given up');
  }

  lost(partitions: readonly TopicPartition[]): void {
    for (const one of this.#stop(partitions, 'drop'))
      this.#release(one, 'the group has gone on without this consumer');
  }

  /** Nothing is handed out any more. Resolves when nobody works on what was, or time is up: then that is given up. */
  async drain(untilMs: Millis): Promise<readonly OwnedPartition[]> {
    const leaving = this.#stop([...this.#owned.values()], 'finish');
    await this.#settled(leaving, untilMs, 'the consumer is closed');
    return leaving;
  }

  /** The next batch of what is this consumer's. @throws as `Fetcher.take` */
  async take(signal: AbortSignal): Promise<TakenBatch<K, V>> {
    const { fetcher, parts, group } = this.#options;
    for (;;) {
      for (const one of this.#unstarted) this.#noteStart(one);
      const batch = await fetcher.take(signal);
      if (batch === undefined) continue;
      const owner = this.#owned.get(titleOf(batch));
      // It was given up, or moved elsewhere, while this batch was on its way here.
      const isWanted =
        owner?.isRead && !owner.isOver && fetcher.progress(owner)?.position === batch.nextOffset;
      if (owner !== undefined && isWanted) {
        const first = batch.length > 0 ? batch.at(0).offset : batch.nextOffset;
        if (owner.acks.position === undefined) owner.acks.skipTo(first);
        owner.acks.leaderEpoch = batch.leaderEpoch;
        if (batch.length > 0) parts.tracing?.poll(batch, group?.groupId);
        if (!owner.isPaused || this.taker?.keepsPaused) return { batch, owner };
        this.#readAgain(owner);
      }
      batch.release();
    }
  }

  /** Commits what is acked, of all partitions unless some are named. @throws BrokerError, ConnectionLost */
  commit({
    partitions,
    ...options
  }: AskOptions & { partitions?: readonly OwnedPartition[] } = {}): Promise<void> {
    return this.#line.add(() => this.#commit(partitions ?? this.partitions, options));
  }

  pause(partitions: readonly TopicPartition[]): void {
    const { fetcher } = this.#options;
    for (const owner of partitions.map((one) => this.get(one))) {
      if (owner.isPaused) continue;
      owner.isPaused = true;
      if (!owner.isRead) continue;
      fetcher.pause([owner]);
      if (this.taker?.keepsPaused) continue;
      this.taker?.drop(owner);
      this.#readAgain(owner);
    }
    this.taker?.lookAgain();
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const owner of partitions.map((one) => this.get(one))) {
      if (!owner.isPaused) continue;
      owner.isPaused = false;
      if (owner.isRead) this.#options.fetcher.resume([owner]);
    }
    this.taker?.lookAgain();
  }

  seek(one: TopicPartition, position: Position): void {
    const owner = this.get(one);
    this.taker?.drop(owner);
    owner.acks = new Acks();
    this.#unstarted.add(owner);
    if (owner.isRead) this.#options.fetcher.seek(owner, position);
    else owner.wanted = position;
  }

  /** As leaders say it now. @throws BrokerError, ConnectionLost */
  lag({ signal }: AskOptions = {}): Promise<ConsumerLag[]> {
    const { parts } = this.#options;
    const read = this.partitions.flatMap((one) => {
      const position = one.isRead ? (one.acks.position ?? this.#progressOf(one)) : undefined;
      return position === undefined ? [] : [{ one, position }];
    });
    return Promise.all(
      read.map(async ({ one: { topic, partition }, position }) => {
        const ask = () => this.#lookups.offsetAt({ topic, partition }, LATEST);
        const { offset: endOffset } = await retrying(ask, { ...parts, signal });
        return { topic, partition, position, endOffset, lag: Math.max(endOffset - position, 0) };
      }),
    );
  }

  /** What was not handed out is read once more. */
  #readAgain(owner: OwnedPartition): void {
    const { next: offset, leaderEpoch } = owner.acks;
    if (offset !== undefined) this.#options.fetcher.seek(owner, { offset, leaderEpoch });
  }

  async #begin(fresh: readonly OwnedPartition[]): Promise<void> {
    const { group, isolation, fetcher, from, signal } = this.#options;
    const requireStable = isolation === 'read_committed';
    const known =
      group === undefined || fresh.length === 0
        ? undefined
        : await fetchOffsets(group.coordinator, group.groupId, { partitions: fresh, requireStable, signal });
    // Some may have been given up meanwhile.
    const still = fresh.filter((one) => !one.isOver);
    const assignments = still.map((one) => {
      const found = known?.get(one.title);
      one.committed = found?.offset;
      one.isRead = true;
      const { topic, partition } = one;
      const resumed = found && { offset: found.offset, leaderEpoch: found.leaderEpoch };
      return { topic, partition, from: one.wanted ?? resumed ?? from };
    });
    fetcher.assign(assignments);
    fetcher.pause(still.filter(({ isPaused }) => isPaused));
  }

  async #commit(partitions: readonly OwnedPartition[], options: AskOptions): Promise<void> {
    const due = partitions.flatMap((one) => {
      const { position, leaderEpoch } = one.acks;
      return position === undefined || position === one.committed ? [] : [{ one, position, leaderEpoch }];
    });
    if (due.length === 0) return;
    const positions = due.map(({ one: { topic, partition }, position: offset, leaderEpoch }) => ({
      topic,
      partition,
      offset,
      leaderEpoch,
    }));
    await this.member?.commit(positions, options);
    for (const { one, position } of due) one.committed = position;
  }

  /** Reading stops, and what was taken is let go. */
  #stop(partitions: readonly TopicPartition[], how: 'drop' | 'finish'): OwnedPartition[] {
    const leaving = partitions.flatMap((one) => this.#owned.get(titleOf(one)) ?? []);
    for (const one of leaving) {
      if (how === 'drop') this.taker?.drop(one);
      if (one.isOver) continue;
      if (this.#options.fetcher.bufferedBytes === 0) this.#noteStart(one);
      one.isOver = true;
      if (one.isRead) this.#options.fetcher.unassign([one]);
      if (how === 'finish') this.taker?.finish(one);
    }
    return leaving;
  }

  async #settled(leaving: readonly OwnedPartition[], untilMs: Millis, why: string): Promise<void> {
    const { clock } = this.#options.parts;
    const idle = Promise.all(leaving.map((one) => one.idle));
    const timeoutMs = untilMs - clock.now();
    if (!(await within(idle, { clock, timeoutMs }))) for (const one of leaving) one.lose(why);
  }

  #release(one: OwnedPartition, why: string): void {
    one.lose(why);
    if (this.#owned.get(one.title) === one) this.#owned.delete(one.title);
  }

  /**
   * Where nothing came yet, what began at `latest` is committed too: else what comes until another has it would be
   * lost. Only while nothing is on its way here, for then the fetcher stands where reading began.
   */
  #noteStart(one: OwnedPartition): void {
    const isUnknown = one.acks.position === undefined && one.isRead && !one.isOver;
    const position = isUnknown ? this.#progressOf(one) : undefined;
    if (position !== undefined) one.acks.skipTo(position);
    if (one.isOver || one.acks.position !== undefined) this.#unstarted.delete(one);
  }

  #progressOf(one: OwnedPartition): Offset | undefined {
    return this.#options.fetcher.progress(one)?.position;
  }
}
