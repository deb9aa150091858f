import { ErrorCode } from '../../model/errors.ts';
import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import {
  consumerGroupHeartbeatApi,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from '../../wire/apis/68-consumer-group-heartbeat.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError, closedError } from '../errors.ts';
import { abortable, Patience, within } from '../retry.ts';
import { titleOf } from '../topic-partition.ts';
import {
  type AssignedPartition,
  byTopicId,
  TopicIds,
  type TopicPartitions,
  withoutAssigned,
} from './broker-assignment.ts';
import type { Coordinator } from './coordinator.ts';
import { type MemberWork, REVOKE_RATIO } from './membership.ts';
import { type AskOptions, commitOffsets, type GroupPosition, type Identity } from './offsets.ts';
import { type GroupVerdict, verdictOn } from './verdict.ts';

export interface ConsumerMembershipOptions {
  cluster: Cluster;
  coordinator: Coordinator;
  clock: Clock;
  random: Random;
  retryForMs: Millis;
  groupId: string;
  /** Of a static member (KIP-345). */
  instanceId: string | null;
  rackId: string | null;
  /** By its name at the broker; null leaves it to the broker. */
  remoteAssignor: string | null;
  /** How long the group waits for this member to give up partitions. */
  rebalanceTimeoutMs: Millis;
  /** How often it is looked which topics it wants. */
  metadataMaxAgeMs: Millis;
}

/** In v1 a member chooses its id (KIP-1082), so that a join whose answer was lost is not another member's. */
const VERSIONS = { min: 1, max: 1 };
const LEAVE_EPOCH = -1;
const STATIC_LEAVE_EPOCH = -2;
/** Until the broker has said how often it wants to hear. */
const FIRST_INTERVAL_MS = 5_000;

/**
 * One member of a group of KIP-848, from its first heartbeat until it leaves. The broker assigns; two things go on side
 * by side:
 *
 *   heartbeats:  says what is new -> is told its epoch, and what it is to have -> waits, or is woken -> …
 *   partitions:  what it is to have -> gives up what is not among it -> takes what is new -> wakes the heartbeat
 */
export class ConsumerMembership {
  readonly #options: ConsumerMembershipOptions;
  readonly #work: MemberWork;
  readonly #life = new AbortController();
  readonly #memberId: string;
  readonly #ids: TopicIds;
  #epoch = 0;
  #intervalMs: Millis = FIRST_INTERVAL_MS;
  /** What it said last that it wants. */
  #topics: readonly string[] | undefined;
  /** Instead of names, unless the broker takes it for none: then it is resolved here. */
  #pattern: string | undefined;
  #lookedAtMs = -Infinity;
  #owned: AssignedPartition[] = [];
  /** What it is to have, until it has. */
  #target: readonly TopicPartitions[] | undefined;
  #isSettling = false;
  /** It has other partitions than the coordinator was told. */
  #isToTell = false;
  /** An answer may have been lost: all is said, and so all is told. */
  #isUnsure = true;
  #isHeld = false;
  #hasAsked = false;
  #bell = Promise.withResolvers<void>();

  constructor(options: ConsumerMembershipOptions, work: MemberWork) {
    this.#options = options;
    this.#work = work;
    this.#pattern = work.remotePattern;
    this.#memberId = options.random.uuid();
    this.#ids = new TopicIds(options.cluster);
  }

  /** In the epoch it is in now; undefined while it is no member. */
  get identity(): Identity | undefined {
    return this.#epoch === 0 || this.#life.signal.aborted ? undefined : this.#identity;
  }

  /** It has what it is to have, as far as it was told. */
  get isStable(): boolean {
    return this.#epoch > 0 && this.#target === undefined && !this.#isToTell;
  }

  /** Until it leaves. @throws what ended it otherwise: all partitions are lost by then. */
  async run(): Promise<void> {
    const { signal } = this.#life;
    const { clock } = this.#options;
    try {
      for (;;) {
        const bell = this.#bell.promise;
        await this.#beat();
        await within(bell, { clock, timeoutMs: this.#intervalMs, signal });
      }
    } catch (error) {
      const { aborted, reason } = signal;
      this.#life.abort(error);
      this.#forget();
      if (!this.#isHeld) throw aborted ? reason : error;
    }
  }

  /** Topics may have changed: looks, and says so if they have. */
  look(): void {
    this.#lookedAtMs = -Infinity;
    this.#ring();
  }

  /** Takes and gives up nothing any more: what it has is being finished. */
  hold(): void {
    this.#isHeld = true;
  }

  /** A static member says that it may be back: until its session ends its partitions are kept for it. */
  async leave(options: AskOptions): Promise<void> {
    this.#isHeld = true;
    this.#life.abort(closedError('the consumer'));
    if (!this.#hasAsked) return;
    const memberEpoch = this.#options.instanceId === null ? LEAVE_EPOCH : STATIC_LEAVE_EPOCH;
    try {
      await this.#ask(() => ({ memberEpoch }), options.signal);
    } catch (error) {
      // Who is not in it, since its first heartbeat never came, has left.
      if (verdictOn(error) !== 'unknown') throw error;
    }
  }

  /**
   * Commits what is this member's still, and drops the rest: others say now where they are.
   * @throws BrokerError when it is no member any more, or its positions are refused.
   */
  async commit(positions: readonly GroupPosition[], { signal }: AskOptions = {}): Promise<void> {
    const { coordinator, groupId } = this.#options;
    const patience = new Patience({ ...this.#options, signal });
    for (;;) {
      const owned = new Set(this.#owned.map(titleOf));
      const mine = positions.filter((position) => owned.has(titleOf(position)));
      if (mine.length === 0 || this.#epoch === 0) return;
      try {
        return await commitOffsets(coordinator, groupId, { positions: mine, by: this.#identity, signal });
      } catch (error) {
        const verdict = verdictOn(error);
        if (verdict === 'lost' || verdict === 'unknown') this.#lose();
        // The coordinator is an epoch ahead, and its answer that says so on its way.
        if (verdict !== 'rejoin') throw error;
        this.#ring();
        await patience.wait(error, true);
      }
    }
  }

  get #identity(): Identity {
    const { instanceId } = this.#options;
    return { generationId: this.#epoch, memberId: this.#memberId, instanceId, isOfBroker: true };
  }

  /** One heartbeat, until it is answered. */
  async #beat(): Promise<void> {
    const { signal } = this.#life;
    const patience = new Patience({ ...this.#options, signal });
    for (;;) {
      try {
        const topics = await this.#wanted();
        return this.#told(await this.#say(topics), topics);
      } catch (error) {
        signal.throwIfAborted();
        const verdict = this.#verdictOn(error);
        if (verdict === 'lost' || verdict === 'unknown') this.#lose();
        else if (verdict !== 'again') throw error;
        await patience.wait(error, true);
      }
    }
  }

  /** The group may have been deleted under a member, or a pattern be none in the broker's eyes. */
  #verdictOn(error: unknown): GroupVerdict {
    if (this.#pattern !== undefined && isBadPattern(error)) {
      this.#pattern = undefined;
      return 'again';
    }
    const isGone = error instanceof BrokerError && error.errorCode === ErrorCode.GROUP_ID_NOT_FOUND;
    return isGone && this.#epoch > 0 ? 'lost' : verdictOn(error);
  }

  async #wanted(): Promise<readonly string[]> {
    const { clock, metadataMaxAgeMs } = this.#options;
    const { signal } = this.#life;
    if (this.#pattern !== undefined) return [];
    if (this.#topics !== undefined && clock.now() - this.#lookedAtMs < metadataMaxAgeMs) return this.#topics;
    this.#lookedAtMs = clock.now();
    return abortable(this.#work.topics(signal), signal);
  }

  async #say(topics: readonly string[]): Promise<ConsumerGroupHeartbeatResponse> {
    const { rackId, remoteAssignor: serverAssignor, rebalanceTimeoutMs } = this.#options;
    let tries = 0;
    this.#hasAsked = true;
    return this.#ask(() => {
      if (tries++ > 0) this.#isUnsure = true;
      const isAll = this.#isUnsure || this.#epoch === 0;
      const isToTell = isAll || this.#isToTell;
      this.#isToTell = false;
      return {
        memberEpoch: this.#epoch,
        ...(isAll ? { rackId, serverAssignor, rebalanceTimeoutMs } : {}),
        subscribedTopicRegex: isAll ? (this.#pattern ?? null) : null,
        subscribedTopicNames: isAll || topics.join() !== this.#topics?.join() ? [...topics] : null,
        topicPartitions: isToTell ? byTopicId(this.#owned) : null,
      };
    }, this.#life.signal);
  }

  /** @param request made anew each time it is tried. @throws BrokerError, ConnectionLost */
  async #ask(
    request: () => Partial<ConsumerGroupHeartbeatRequest> &
      Pick<ConsumerGroupHeartbeatRequest, 'memberEpoch'>,
    signal: AbortSignal | undefined,
  ): Promise<ConsumerGroupHeartbeatResponse> {
    const { coordinator, groupId, instanceId } = this.#options;
    const who = { groupId, memberId: this.#memberId, instanceId };
    return coordinator.ask('living', { signal }, async (exchange, options) => {
      const body = { ...who, ...request() };
      const answer = await exchange.request(consumerGroupHeartbeatApi, VERSIONS, body, options);
      if (answer.errorCode === ErrorCode.NONE) return answer;
      throw new BrokerError(answer.errorCode, `group ${groupId}`, answer.errorMessage);
    });
  }

  #told(answer: ConsumerGroupHeartbeatResponse, topics: readonly string[]): void {
    const { memberEpoch, heartbeatIntervalMs, assignment } = answer;
    this.#epoch = memberEpoch;
    this.#intervalMs = heartbeatIntervalMs;
    this.#topics = topics;
    this.#isUnsure = false;
    if (assignment !== null) this.#target = assignment.topicPartitions;
    if (this.#target !== undefined && !this.#isHeld && !this.#isSettling) void this.#settle();
  }

  /** Until it has what it was told last. */
  async #settle(): Promise<void> {
    this.#isSettling = true;
    try {
      for (let target = this.#target; target !== undefined; target = this.#target) {
        if (!(await this.#reach(target))) return;
        if (this.#target === target) this.#target = undefined;
        this.#isToTell = true;
        this.#ring();
      }
    } catch (error) {
      if (!this.#life.signal.aborted) this.#life.abort(error);
    } finally {
      this.#isSettling = false;
    }
  }

  /** @returns false when it cannot now: with the next heartbeat it is tried again. */
  async #reach(target: readonly TopicPartitions[]): Promise<boolean> {
    const { signal } = this.#life;
    const wanted = await this.#named(target);
    if (wanted === undefined || this.#isHeld) return false;
    if (this.#target !== target) return true;
    const leaving = withoutAssigned(this.#owned, wanted);
    if (leaving.length > 0) {
      const { clock, rebalanceTimeoutMs } = this.#options;
      const untilMs = clock.now() + REVOKE_RATIO * rebalanceTimeoutMs;
      await abortable(this.#work.revoked(leaving, untilMs), signal);
      this.#owned = withoutAssigned(this.#owned, leaving);
    }
    // It may have lost all meanwhile, or been told otherwise.
    if (this.#target !== target) return true;
    const added = withoutAssigned(wanted, this.#owned);
    this.#owned = [...this.#owned, ...added];
    if (added.length > 0) this.#work.assigned(added);
    return true;
  }

  async #named(target: readonly TopicPartitions[]): Promise<AssignedPartition[] | undefined> {
    const { signal } = this.#life;
    try {
      const wanted = this.#pattern === undefined ? (this.#topics ?? []) : null;
      return await this.#ids.named(target, wanted, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (verdictOn(error) === 'refused') throw error;
      return undefined;
    }
  }

  /** The group has gone on without it: what it had is others', and it begins anew. */
  #lose(): void {
    this.#forget();
    this.#isUnsure = true;
    this.#ring();
  }

  #forget(): void {
    const owned = this.#owned;
    this.#owned = [];
    this.#target = undefined;
    this.#epoch = 0;
    this.#isToTell = false;
    if (owned.length > 0) this.#work.lost(owned);
  }

  #ring(): void {
    this.#bell.resolve();
    this.#bell = Promise.withResolvers();
  }
}

function isBadPattern(error: unknown): boolean {
  return error instanceof BrokerError && error.errorCode === ErrorCode.INVALID_REGULAR_EXPRESSION;
}
