import type { Millis } from '../../model/ids.ts';
import type { MaybePromise } from '../../records/codecs.ts';
import type { Engines } from '../client-parts.ts';
import { CallLine } from '../call-line.ts';
import { closedError, invalidArgument, MilenaError, notAssigned } from '../errors.ts';
import type { Position } from '../fetch/position.ts';
import type { Identity } from '../group/offsets.ts';
import { prefetch } from '../on-demand.ts';
import { abortable } from '../retry.ts';
import type { TopicPartition } from '../topic-partition.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import type { ConsumerEngine, ConsumerEngineParts } from './consumer-engine.ts';
import type { Iteration } from './iteration.ts';
import { type ConsumerOptions, type ConsumerSettings, settingsOf } from './options.ts';
import { type Handler, type RunOptions, runSettingsOf } from './run-options.ts';
import type { ConsumerLag, Share } from './share.ts';

/** @internal */
export interface ConsumerParts<K, V> extends ConsumerEngineParts {
  engines: Engines;
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
const NOTHING = Promise.resolve();

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
  /** From when it is read, once it is loaded: it has nothing before. */
  #engine: ConsumerEngine<K, V> | undefined;
  readonly #life = new AbortController();
  #iteration: Iteration<K, V> | undefined;
  #state: 'idle' | 'running' | 'closing' | 'closed' = 'idle';
  #failure: { error: unknown } | undefined;
  /** Calls of `next`: each comes behind the one before. */
  readonly #line = new CallLine();
  #closing: Promise<void> | undefined;
  readonly #closed = Promise.withResolvers<void>();

  /** @internal @throws MilenaError INVALID_ARGUMENT */
  constructor(parts: ConsumerParts<K, V>, options: ConsumerOptions<K, V>) {
    this.#parts = parts;
    this.#options = options;
    this.#settings = settingsOf(options, parts.clock.now());
    prefetch(parts.engines.consumer);
  }

  get status(): ConsumerStatus {
    if (this.#failure !== undefined && !this.#wasAborted) return 'failed';
    if (this.#state !== 'running') return this.#state;
    const engine = this.#engine;
    if (engine?.isFailing || this.#parts.cluster.status !== 'connected') return 'retrying';
    return engine?.isStable ? 'running' : 'joining';
  }

  /** Partitions that are this consumer's now. */
  get assignment(): readonly TopicPartition[] {
    const partitions = this.#engine?.share.partitions ?? [];
    return partitions.map(({ topic, partition }) => ({ topic, partition }));
  }

  /** @internal Who commits, for a transaction. @throws MilenaError INVALID_ARGUMENT, PARTITION_LOST */
  get committer(): { groupId: string; by: Identity } {
    const { groupId } = this.#settings;
    if (groupId === undefined)
      throw invalidArgument('nothing can be committed without a group', 'give the consumer a group');
    const by = this.#engine?.identity;
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
    signal?.throwIfAborted();
    const settings = runSettingsOf(options);
    void this.#start((engine) => engine.run(handler, settings));
    const stop = () => void this.close().catch(() => {});
    signal?.addEventListener('abort', stop, { once: true });
    await this.#closed.promise;
    signal?.removeEventListener('abort', stop);
    if (this.#failure !== undefined) throw this.#failure.error;
    signal?.throwIfAborted();
  }

  /** Commits what is acked and not committed yet. @throws BrokerError, ConnectionLost; what the signal says. */
  async commit({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    await abortable(this.#engine?.share.commit({ signal }) ?? NOTHING, signal);
  }

  /** What comes next of the partition is from there. @throws MilenaError INVALID_ARGUMENT when it is not assigned. */
  seek(one: TopicPartition, position: Position): void {
    this.#shareOf([one])?.seek(one, position);
  }

  /** Nothing of these is handed out before `resume`; of all that is assigned, unless some are named. */
  pause(partitions: readonly TopicPartition[] = this.assignment): void {
    this.#shareOf(partitions)?.pause(partitions);
  }

  resume(partitions: readonly TopicPartition[] = this.assignment): void {
    this.#shareOf(partitions)?.resume(partitions);
  }

  /** What is not acked yet of each partition, by what its leader says now. @throws BrokerError, ConnectionLost */
  async lag({ signal }: { signal?: AbortSignal } = {}): Promise<ConsumerLag[]> {
    return this.#engine?.share.lag({ signal }) ?? [];
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

  /** @throws MilenaError INVALID_ARGUMENT when one of these is not this consumer's. */
  #shareOf([first]: readonly TopicPartition[]): Share<K, V> | undefined {
    if (this.#engine === undefined && first !== undefined) throw notAssigned(first);
    return this.#engine?.share;
  }

  /**
   * Begins once the engine is here: at once where it is, never if it is closed before. What goes wrong ends it.
   * @throws MilenaError when it is closed, or read already.
   */
  #start(begun: (engine: ConsumerEngine<K, V>) => void): MaybePromise<void> {
    if (this.#closing !== undefined) throw closedError('the consumer');
    if (this.#state !== 'idle') throw invalidArgument('this consumer is being read already');
    this.#state = 'running';
    const { signal } = this.#options;
    if (signal?.aborted) return this.#fail(signal.reason);
    signal?.addEventListener('abort', this.#aborted, { once: true });
    const engine = this.#parts.engines.consumer();
    if (!(engine instanceof Promise)) return this.#begin(engine, begun);
    const loaded = abortable(engine, this.#life.signal).then((Engine) => this.#begin(Engine, begun));
    return loaded.catch((error: unknown) => this.#fail(error));
  }

  #begin(Engine: typeof ConsumerEngine, begun: (engine: ConsumerEngine<K, V>) => void): void {
    if (this.#closing !== undefined) return;
    const failed = (error: unknown) => this.#fail(error);
    const about = { options: this.#options, settings: this.#settings, signal: this.#life.signal, failed };
    this.#engine = new Engine(this.#parts, about);
    this.#engine.start();
    begun(this.#engine);
  }

  async #advance(): Promise<IteratorResult<ConsumedRecord<K, V>, undefined>> {
    if (this.#iteration === undefined && this.#closing === undefined) {
      const starting = this.#start((engine) => (this.#iteration = engine.iterate()));
      if (starting instanceof Promise) await starting;
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
  #fail(error: unknown): undefined {
    if (this.#closing !== undefined) return;
    this.#failure = { error };
    this.#life.abort(error);
    void this.close().catch(() => {});
  }

  async #close(timeoutMs: Millis): Promise<void> {
    const { clock } = this.#parts;
    const engine = this.#engine;
    this.#state = 'closing';
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    engine?.hold();
    const late = new AbortController();
    const cancel = clock.at(clock.now() + timeoutMs, () => late.abort(closedError('the consumer')));
    const untilMs = clock.now() + (this.#wasAborted ? 0 : DRAIN_RATIO * timeoutMs);
    let uncommitted: { error: unknown } | undefined;
    if (engine !== undefined)
      try {
        await engine.finish(untilMs, { signal: late.signal, failure: this.#failure?.error });
      } catch (error) {
        uncommitted = { error };
      }
    cancel();
    this.#state = 'closed';
    this.#life.abort(closedError('the consumer'));
    engine?.close();
    this.#iteration?.close();
    this.#parts.closed?.(this);
    this.#closed.resolve();
    if (uncommitted !== undefined && this.#failure === undefined) throw uncommitted.error;
  }
}
