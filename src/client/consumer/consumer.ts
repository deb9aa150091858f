import type { Millis } from '../../model/ids.ts';
import { CallLine } from '../call-line.ts';
import { closedError, invalidArgument, mayRetry, MilenaError } from '../errors.ts';
import type { ClientParts } from '../client-parts.ts';
import { Fetcher } from '../fetch/fetcher.ts';
import { policyOf, type Position } from '../fetch/position.ts';
import { Coordinator } from '../group/coordinator.ts';
import { findCoordinator } from '../group/find-coordinator.ts';
import type { Identity } from '../group/offsets.ts';
import { verdictOn } from '../group/verdict.ts';
import { abortable } from '../retry.ts';
import type { TopicPartition } from '../topic-partition.ts';
import type { SendRaw } from '../topics/on-invalid.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import { Iteration } from './iteration.ts';
import { LoneMember, type Member, membershipOf } from './member.ts';
import { type ConsumerOptions, type ConsumerSettings, settingsOf } from './options.ts';
import { type Handler, Runner, type RunOptions } from './runner.ts';
import { type ConsumerLag, Share } from './share.ts';

/** @internal */
export interface ConsumerParts<K, V> extends ClientParts {
  send: SendRaw;
  /** It is over. */
  closed?: (consumer: Consumer<K, V>) => void;
}

/**
 * `idle`: nothing was asked for yet. `joining`: the group shares its partitions out. `retrying`: something fails, and
 * is tried again for a while. `failed`: it is over, and whoever reads has been told why.
 */
export type ConsumerStatus = 'idle' | 'joining' | 'running' | 'retrying' | 'closing' | 'closed' | 'failed';

const CLOSE_TIMEOUT_MS = 5_000;
/** Of the time to close, so much is for what is worked on; the rest for the last commit, and to leave. */
const DRAIN_RATIO = 0.8;
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
const UNKNOWN_TOPIC: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID']);

/**
 * Reads topics as a member of a group, each record at least once. `for await` over it: asking for the next record acks
 * the last one; leaving the loop commits what was acked, and leaves the group. Or `run` a handler.
 */
export class Consumer<K = Uint8Array | null, V = Uint8Array | null>
  implements AsyncIterableIterator<ConsumedRecord<K, V>>, AsyncDisposable
{
  readonly #parts: ConsumerParts<K, V>;
  readonly #options: ConsumerOptions<K, V>;
  readonly #settings: ConsumerSettings<K, V>;
  readonly #fetcher: Fetcher<K, V>;
  readonly #coordinator: Coordinator | undefined;
  readonly #share: Share<K, V>;
  readonly #member: Member;
  readonly #life = new AbortController();
  #iteration: Iteration<K, V> | undefined;
  #state: 'idle' | 'running' | 'closing' | 'closed' = 'idle';
  #failure: { error: unknown } | undefined;
  /** Calls of `next`: each comes behind the one before. */
  readonly #line = new CallLine();
  #cancelCommit: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  readonly #closed = Promise.withResolvers<void>();

  /** @internal @throws MilenaError INVALID_ARGUMENT */
  constructor(parts: ConsumerParts<K, V>, options: ConsumerOptions<K, V>) {
    const settings = settingsOf(options, parts.clock.now());
    const { groupId, manual, subscription, from, commitIntervalMs, deserializersOf } = settings;
    const { isolation = 'read_uncommitted', outOfRange = policyOf(from) } = options;
    const failed = (error: unknown) => this.#fail(error);
    const retried = (_: TopicPartition, error: Error) => {
      if (error instanceof MilenaError && UNKNOWN_TOPIC.has(error.code)) this.#member.look();
    };
    this.#parts = parts;
    this.#options = options;
    this.#settings = settings;
    this.#fetcher = new Fetcher(parts, { ...options, outOfRange, deserializersOf, retried });
    const find = (id: string) => () => findCoordinator(parts.cluster, id);
    const coordinatorOf = (id: string) =>
      new Coordinator({ ...parts, find: find(id), owner: 'the consumer' });
    const group = groupId === undefined ? undefined : { groupId, coordinator: coordinatorOf(groupId) };
    this.#coordinator = group?.coordinator;
    this.#share = new Share({
      parts,
      fetcher: this.#fetcher,
      group,
      subscription,
      from,
      isolation,
      isAutoCommit: commitIntervalMs !== undefined,
      signal: this.#life.signal,
      failed,
    });
    for (const one of manual ?? []) if (one.from !== undefined) this.#share.beginAt(one, one.from);
    this.#member =
      manual !== undefined || group === undefined
        ? new LoneMember(manual ?? [], this.#share, group)
        : membershipOf({ ...parts, ...settings, ...group, rackId: options.rack ?? null }, this.#share);
    this.#share.member = this.#member;
  }

  get status(): ConsumerStatus {
    if (this.#failure !== undefined && !this.#wasAborted) return 'failed';
    if (this.#state !== 'running') return this.#state;
    const isFailing =
      this.#coordinator?.isFailing || this.#fetcher.isFailing || this.#parts.cluster.status !== 'connected';
    if (isFailing) return 'retrying';
    return this.#member.isStable ? 'running' : 'joining';
  }

  /** Partitions that are this consumer's now. */
  get assignment(): readonly TopicPartition[] {
    return this.#share.partitions.map(({ topic, partition }) => ({ topic, partition }));
  }

  /** @internal Who commits, for a transaction. @throws MilenaError INVALID_ARGUMENT, PARTITION_LOST */
  get committer(): { groupId: string; by: Identity } {
    const { groupId } = this.#settings;
    if (groupId === undefined)
      throw invalidArgument('nothing can be committed without a group', 'give the consumer a group');
    const by = this.#member.identity;
    if (by !== undefined) return { groupId, by };
    throw new MilenaError(`the consumer is no member of ${groupId} now`, { code: 'PARTITION_LOST' });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * The next record; the last one is done with, and so acked.
   * @throws MilenaError what failed for longer than `retryForMs`, once what was acked is committed and the group left;
   *   InvalidRecord; what the signal says.
   */
  next(): Promise<IteratorResult<ConsumedRecord<K, V>, undefined>> {
    const iteration = this.#iteration;
    if (iteration !== undefined && this.#line.isFree && this.#state === 'running') {
      iteration.ackLast();
      const value = iteration.nextNow();
      if (value !== undefined) return Promise.resolve({ done: false, value });
    }
    return this.#line.add(() => this.#advance());
  }

  /** Closes; the last record stays as it is, acked or not. */
  async return(): Promise<IteratorResult<ConsumedRecord<K, V>, undefined>> {
    this.#iteration?.close();
    await this.close();
    return DONE;
  }

  /**
   * Calls the handler for each record until the consumer is closed, and acks those for which it succeeds.
   * @throws what a record failed of in the end, what could not be had, what the signal says: once what was begun is
   *   over, what was acked is committed, and the group is left.
   */
  async run(handler: Handler<K, V>, options: RunOptions = {}): Promise<void> {
    const { signal } = options;
    const { onInvalid } = this.#options;
    signal?.throwIfAborted();
    const failed = (error: unknown) => this.#fail(error);
    const { groupId } = this.#settings;
    const parts = { ...this.#parts, share: this.#share, onInvalid, failed, groupId };
    const runner = new Runner(parts, handler, options);
    this.#start();
    this.#share.taker = runner;
    const stop = () => void this.close().catch(() => {});
    signal?.addEventListener('abort', stop, { once: true });
    void runner.run(this.#life.signal);
    await this.#closed.promise;
    signal?.removeEventListener('abort', stop);
    if (this.#failure !== undefined) throw this.#failure.error;
    signal?.throwIfAborted();
  }

  /** Commits what is acked and not committed yet. @throws BrokerError, ConnectionLost; what the signal says. */
  async commit({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    await abortable(this.#share.commit({ signal }), signal);
  }

  /** What comes next of the partition is from there. @throws MilenaError INVALID_ARGUMENT when it is not assigned. */
  seek(one: TopicPartition, position: Position): void {
    this.#share.seek(one, position);
  }

  /** Nothing of these is handed out before `resume`; of all that is assigned, unless some are named. */
  pause(partitions: readonly TopicPartition[] = this.assignment): void {
    this.#share.pause(partitions);
  }

  resume(partitions: readonly TopicPartition[] = this.assignment): void {
    this.#share.resume(partitions);
  }

  /** What is not acked yet of each partition, by what its leader says now. @throws BrokerError, ConnectionLost */
  lag({ signal }: { signal?: AbortSignal } = {}): Promise<ConsumerLag[]> {
    return this.#share.lag({ signal });
  }

  /**
   * Waits for what is worked on, commits what is acked, and leaves the group, at most `timeoutMs` (5,000) long in all.
   * Always settles; idempotent. @throws why what was acked is not committed.
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { timeoutMs?: Millis } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  /** As leaving a loop: whoever goes out of its scope works on no record any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  get #wasAborted(): boolean {
    const { signal } = this.#options;
    return signal !== undefined && signal.aborted && this.#failure?.error === signal.reason;
  }

  /** @throws MilenaError when it is closed, or read already. */
  #start(): void {
    if (this.#closing !== undefined) throw closedError('the consumer');
    if (this.#state !== 'idle') throw invalidArgument('this consumer is being read already');
    this.#state = 'running';
    const { signal } = this.#options;
    if (signal?.aborted) return this.#fail(signal.reason);
    signal?.addEventListener('abort', this.#aborted, { once: true });
    this.#member.run().catch((error: unknown) => this.#fail(error));
    this.#commitLater();
  }

  async #advance(): Promise<IteratorResult<ConsumedRecord<K, V>, undefined>> {
    if (this.#iteration === undefined && this.#closing === undefined) {
      this.#start();
      const { signal } = this.#life;
      const { onInvalid } = this.#options;
      const { send, tracing } = this.#parts;
      const { groupId } = this.#settings;
      this.#iteration = new Iteration({ share: this.#share, onInvalid, send, tracing, groupId, signal });
      this.#share.taker = this.#iteration;
    }
    this.#iteration?.ackLast();
    try {
      if (this.#iteration !== undefined && this.#state === 'running')
        return { done: false, value: await this.#iteration.next() };
    } catch (error) {
      this.#iteration?.endLast();
      this.#fail(error);
    }
    await this.#closed.promise;
    if (this.#failure !== undefined) throw this.#failure.error;
    return DONE;
  }

  readonly #aborted = () => this.#fail(this.#options.signal?.reason);

  /** It cannot go on. What comes while it closes is a consequence. */
  #fail(error: unknown): void {
    if (this.#closing !== undefined) return;
    this.#failure = { error };
    this.#life.abort(error);
    void this.close().catch(() => {});
  }

  #commitLater(): void {
    const { clock } = this.#parts;
    const { commitIntervalMs } = this.#settings;
    if (commitIntervalMs === undefined || this.#closing !== undefined) return;
    this.#cancelCommit = clock.at(clock.now() + commitIntervalMs, () => void this.#autoCommit());
  }

  async #autoCommit(): Promise<void> {
    try {
      await this.#share.commit();
    } catch (error) {
      const verdict = verdictOn(error);
      // What it had is lost, which it knows by now.
      if (verdict !== 'lost' && verdict !== 'unknown') this.#fail(error);
    }
    this.#commitLater();
  }

  async #close(timeoutMs: Millis): Promise<void> {
    const { clock } = this.#parts;
    const wasRunning = this.#state === 'running';
    this.#state = 'closing';
    this.#cancelCommit?.();
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.#member.hold();
    const late = new AbortController();
    const cancel = clock.at(clock.now() + timeoutMs, () => late.abort(closedError('the consumer')));
    let uncommitted: { error: unknown } | undefined;
    if (wasRunning)
      try {
        await this.#finish(clock.now() + (this.#wasAborted ? 0 : DRAIN_RATIO * timeoutMs), late.signal);
      } catch (error) {
        uncommitted = { error };
      }
    cancel();
    this.#state = 'closed';
    this.#life.abort(closedError('the consumer'));
    this.#fetcher.close();
    this.#iteration?.close();
    this.#coordinator?.close();
    this.#parts.closed?.(this);
    this.#closed.resolve();
    if (uncommitted !== undefined && this.#failure === undefined) throw uncommitted.error;
  }

  /** @throws why what was acked is not committed. */
  async #finish(untilMs: Millis, signal: AbortSignal): Promise<void> {
    const partitions = await this.#share.drain(untilMs);
    try {
      if (this.#settings.commitIntervalMs !== undefined)
        await abortable(this.#share.commit({ partitions, signal }), signal);
    } finally {
      // Brokers that were not there for so long need not be told; the session ends by itself.
      if (!mayRetry(this.#failure?.error)) await this.#member.leave({ signal }).catch(() => {});
    }
  }
}
