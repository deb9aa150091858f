import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import { CallLine } from '../call-line.ts';
import { closedError, invalidArgument } from '../errors.ts';
import { onDemand } from '../on-demand.ts';
import { abortable } from '../retry.ts';
import type { ShareEngine, ShareEngineParts } from './share-engine.ts';
import type { ShareConsumerOptions, ShareRunOptions } from './share-options.ts';
import type { ShareRecord } from './share-record.ts';

/** @internal */
export interface ShareConsumerParts<K, V> extends ShareEngineParts {
  clock: Clock;
  closed?: (consumer: ShareConsumer<K, V>) => void;
}

const load = onDemand('share groups', () => import('./share-parts.ts'));

const CLOSE_TIMEOUT_MS = 5_000;
/** Of the time to close, so much is for what is worked on. */
const DRAIN_RATIO = 0.8;
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * Reads topics as a member of a share group (KIP-932): its members are given records of the same partitions, each
 * record to one of them at a time, until one accepts it. `for await` over it: asking for the next record accepts the
 * last one. Or `run` a handler. It is loaded when it is read first.
 */
export class ShareConsumer<K = Uint8Array | null, V = Uint8Array | null>
  implements AsyncIterableIterator<ShareRecord<K, V>>, AsyncDisposable
{
  readonly #parts: ShareConsumerParts<K, V>;
  readonly #options: ShareConsumerOptions<K, V>;
  readonly #life = new AbortController();
  readonly #line = new CallLine();
  readonly #closed = Promise.withResolvers<void>();
  #engine: ShareEngine<K, V> | undefined;
  #state: 'idle' | 'running' | 'closing' | 'closed' = 'idle';
  #failure: { error: unknown } | undefined;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(parts: ShareConsumerParts<K, V>, options: ShareConsumerOptions<K, V>) {
    this.#parts = parts;
    this.#options = options;
  }

  /** `joining`: it is no member of its group yet. `failed`: it is over, and whoever reads has been told why. */
  get status(): 'idle' | 'joining' | 'running' | 'retrying' | 'closing' | 'closed' | 'failed' {
    if (this.#failure !== undefined) return 'failed';
    if (this.#state !== 'running') return this.#state;
    if (this.#engine?.isFailing || this.#parts.cluster.status !== 'connected') return 'retrying';
    return this.#engine?.isMember ? 'running' : 'joining';
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * The next record; the last one is accepted, unless something else was said of it.
   * @throws MilenaError what failed for longer than `retryForMs`; INVALID_ARGUMENT, NOT_LOADED; InvalidRecord; what
   *   the signal says.
   */
  next(): Promise<IteratorResult<ShareRecord<K, V>, undefined>> {
    if (this.#line.isFree && this.#state === 'running' && this.#engine !== undefined) {
      this.#engine.acceptLast();
      const value = this.#engine.nextNow();
      if (value !== undefined) return Promise.resolve({ done: false, value });
    }
    return this.#line.add(() => this.#advance());
  }

  /** Closes; the last record is released, unless something was said of it. */
  async return(): Promise<IteratorResult<ShareRecord<K, V>, undefined>> {
    await this.close();
    return DONE;
  }

  /**
   * Calls the handler for each record until the consumer is closed: what it returns from is accepted, what it throws
   * at is released, and delivered again until the group has had enough of it. A handler may say otherwise.
   * @throws as `next`
   */
  async run(handler: (record: ShareRecord<K, V>) => unknown, options: ShareRunOptions = {}): Promise<void> {
    const { signal } = options;
    signal?.throwIfAborted();
    const stop = () => void this.close().catch(() => {});
    signal?.addEventListener('abort', stop, { once: true });
    const begun = async () => {
      const { concurrencyOf } = await load();
      const concurrency = concurrencyOf(options);
      await this.#start();
      await this.#engine?.work(handler, concurrency);
    };
    begun().catch((error: unknown) => this.#fail(error));
    await this.#closed.promise;
    signal?.removeEventListener('abort', stop);
    if (this.#failure !== undefined) throw this.#failure.error;
    signal?.throwIfAborted();
  }

  /**
   * Waits for what is worked on, says what is left to be said, releases all else, and leaves the group, at most
   * `timeoutMs` (5,000) long in all. Always settles; idempotent.
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { timeoutMs?: Millis } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @throws MilenaError when it is closed, or read already; INVALID_ARGUMENT, NOT_LOADED */
  async #start(): Promise<void> {
    if (this.#closing !== undefined) throw closedError('the share consumer');
    if (this.#state !== 'idle') throw invalidArgument('this share consumer is being read already');
    this.#state = 'running';
    const { signal, onInvalid, onLost } = this.#options;
    signal?.throwIfAborted();
    signal?.addEventListener('abort', this.#aborted, { once: true });
    const { ShareEngine: Engine, settingsOf } = await abortable(Promise.resolve(load()), this.#life.signal);
    const settings = settingsOf(this.#options);
    const failed = (error: unknown) => this.#fail(error);
    this.#engine = new Engine(this.#parts, {
      settings,
      onInvalid,
      onLost,
      signal: this.#life.signal,
      failed,
    });
    this.#engine.start();
  }

  async #advance(): Promise<IteratorResult<ShareRecord<K, V>, undefined>> {
    try {
      if (this.#state === 'idle' && this.#closing === undefined) await this.#start();
      this.#engine?.acceptLast();
      if (this.#engine !== undefined && this.#state === 'running')
        return { done: false, value: await this.#engine.next() };
    } catch (error) {
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
    void this.close().catch(() => {});
  }

  async #close(timeoutMs: Millis): Promise<void> {
    const { clock } = this.#parts;
    this.#state = 'closing';
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    const late = new AbortController();
    const cancel = clock.at(clock.now() + timeoutMs, () => late.abort(closedError('the share consumer')));
    const isAborted = this.#options.signal?.aborted === true;
    const untilMs = clock.now() + (isAborted ? 0 : DRAIN_RATIO * timeoutMs);
    this.#engine?.hold();
    await this.#engine?.finish(untilMs, late.signal).catch(() => {});
    cancel();
    this.#state = 'closed';
    this.#life.abort(closedError('the share consumer'));
    this.#engine?.close();
    this.#parts.closed?.(this);
    this.#closed.resolve();
  }
}
