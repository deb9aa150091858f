import type { Millis } from '../model/ids.ts';
import { CallLine } from './call-line.ts';
import { closedError, invalidArgument, notAssigned } from './errors.ts';
import type { ConsumerRecord, FetchedBatch } from './fetch/consumer-record.ts';
import type { ClientParts } from './client-parts.ts';
import { type FetchOptions, settingsOf } from './fetch/fetch-options.ts';
import type { Fetcher, Progress } from './fetch/fetcher.ts';
import { policyOf, type Position, placeOf } from './fetch/position.ts';
import { prefetch } from './on-demand.ts';
import { abortable, retrying } from './retry.ts';
import type { TopicPartition } from './topic-partition.ts';
import type { InvalidRecord } from './topics/invalid-record.ts';
import { type OnInvalid, type SendRaw, settleInvalid } from './topics/on-invalid.ts';
import {
  type Deserializers,
  deserializersOf,
  invalidIn,
  nameOf,
  type ReadableTopic,
} from './topics/topic.ts';

export interface ReadOptions extends FetchOptions {
  /** Where to begin in each partition, or what says so for each; `earliest` unless given. */
  from?: Position | ((of: TopicPartition) => Position) | undefined;
  /** Where to end, exclusive: what the position is when reading begins. */
  to?: Position | undefined;
  /** Of each topic; all unless given, those that come later too. */
  partitions?: readonly number[] | undefined;
  /** Goes on with what is written later; the default. Else it ends where partitions end when reading begins. */
  live?: boolean | undefined;
  /** What becomes of a record that is not what its topic says, instead of what the topic says of that. */
  onInvalid?: OnInvalid | undefined;
  signal?: AbortSignal | undefined;
}

export interface ReaderParts extends ClientParts {
  send: SendRaw;
  /** A record without a value needs no valid one. */
  takesTombstones?: boolean;
  /** It is over. */
  closed?: (reader: { close(): void }) => void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
/** How often a reader looks whether its topics have more partitions. */
const NEW_PARTITIONS_MS: Millis = 5 * 60_000;

/**
 * Records of topics, in order within a partition, read ahead within a budget of bytes. Read once: `for await` over it
 * for records, or over `batches()` where each nanosecond counts. Ending the loop lets go of all.
 */
export class Reader<K = Uint8Array | null, V = Uint8Array | null>
  implements AsyncIterableIterator<ConsumerRecord<K, V>>, AsyncDisposable
{
  readonly #parts: ReaderParts;
  readonly #topics: ReadonlyMap<string, Deserializers<K, V>>;
  readonly #options: ReadOptions;
  /** From when it is read, once it is loaded. */
  #fetcher: Fetcher<K, V> | undefined;
  #started: Promise<Fetcher<K, V>> | undefined;
  #isLent = false;
  readonly #life = new AbortController();
  #cancelLook: (() => void) | undefined;
  #batch: FetchedBatch<K, V> | undefined;
  /** The next record of the batch. */
  #at = 0;
  /** How many of its records can be given as they are. */
  #plainLength = 0;
  /** Calls of `next`: each comes behind the one before. */
  readonly #line = new CallLine();
  #isOver = false;

  /** @internal @throws MilenaError INVALID_ARGUMENT */
  constructor(parts: ReaderParts, topics: readonly ReadableTopic<K, V>[], options: ReadOptions = {}) {
    const { from = 'earliest', to = 'latest', partitions } = options;
    if (topics.length === 0 || partitions?.length === 0) throw invalidArgument('there is nothing to read');
    for (const position of [from, to])
      if (typeof position !== 'function') placeOf(position, parts.clock.now());
    settingsOf(options);
    this.#parts = parts;
    this.#options = options;
    this.#topics = new Map(topics.map((topic) => [nameOf(topic), deserializersOf(topic)]));
    prefetch(parts.engines.fetcher);
    options.signal?.addEventListener('abort', this.#aborted, { once: true });
  }

  /** Partitions that are read. */
  get assignment(): readonly TopicPartition[] {
    return this.#fetcher?.assignment ?? [];
  }

  /** How far a partition is read; undefined where that is not known yet. @throws MilenaError INVALID_ARGUMENT */
  progress(of: TopicPartition): Progress | undefined {
    if (this.#fetcher === undefined) throw notAssigned(of);
    return this.#fetcher.progress(of);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws MilenaError what could not be had for `retryForMs`; InvalidRecord; what the signal says. */
  next(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    const batch = this.#batch;
    if (batch !== undefined && this.#at < this.#plainLength && this.#line.isFree)
      return Promise.resolve({ done: false, value: batch.at(this.#at++) });
    return this.#line.add(() => this.#advance());
  }

  /** Lets go of all. */
  return(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    this.close();
    return Promise.resolve(DONE);
  }

  /**
   * The same records in the batches in which they are stored, the fastest way to read. A batch and all bytes of its
   * records are good until the next is asked for: then their memory is used again, and who keeps a record takes
   * `record.kept()`. A record that is not what its topic says throws InvalidRecord when it is read.
   */
  async *batches(): AsyncGenerator<FetchedBatch<K, V>, void, undefined> {
    this.#isLent = true;
    this.#fetcher?.lend();
    try {
      for (;;) {
        const batch = await this.#nextBatch();
        if (batch === undefined) return;
        yield batch;
      }
    } finally {
      this.close();
    }
  }

  /** Idempotent; whoever waits for a record is told that there is none. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#plainLength = 0;
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.#cancelLook?.();
    this.#life.abort(closedError('the reader'));
    this.#fetcher?.close();
    this.#parts.closed?.(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** What is here already is not given either. */
  readonly #aborted = () => {
    this.#plainLength = 0;
  };

  async #advance(): Promise<IteratorResult<ConsumerRecord<K, V>, undefined>> {
    try {
      while (!this.#isOver) {
        this.#options.signal?.throwIfAborted();
        const record = await this.#nextOfBatch();
        if (record !== undefined) return { done: false, value: record };
        if ((await this.#nextBatch()) === undefined) this.close();
      }
      return DONE;
    } catch (error) {
      const wasOver = this.#isOver;
      this.close();
      if (wasOver) return DONE;
      throw error;
    }
  }

  /** Undefined when there is no more that is valid. */
  async #nextOfBatch(): Promise<ConsumerRecord<K, V> | undefined> {
    const batch = this.#batch;
    while (batch !== undefined && this.#at < batch.length) {
      const record = batch.at(this.#at++);
      const found = batch.deserializers.isPlain ? undefined : this.#invalidIn(record);
      if (found === undefined) return record;
      const { onInvalid = batch.deserializers.onInvalid } = this.#options;
      await settleInvalid(found, onInvalid, this.#parts.send);
    }
    return undefined;
  }

  #invalidIn(record: ConsumerRecord<K, V>): InvalidRecord | undefined {
    const isTombstone = this.#parts.takesTombstones === true && record.valueBytes === null;
    if (!isTombstone) return invalidIn(record);
    return invalidIn({
      get key() {
        return record.key;
      },
      value: null,
    });
  }

  async #nextBatch(): Promise<FetchedBatch<K, V> | undefined> {
    this.#batch?.release();
    this.#batch = undefined;
    this.#at = 0;
    this.#plainLength = 0;
    const { signal } = this.#options;
    const fetcher = await (this.#started ??= this.#start());
    const batch = await fetcher.take(signal);
    if (batch?.deserializers.isPlain) this.#plainLength = batch.length;
    this.#batch = batch;
    return batch;
  }

  async #start(): Promise<Fetcher<K, V>> {
    const fetcher = await this.#load();
    await Promise.all(Array.from(this.#topics.keys(), (topic) => this.#begin(fetcher, topic)));
    const { live = true, to, partitions } = this.#options;
    if (live && to === undefined && partitions === undefined) this.#lookLater(fetcher);
    return fetcher;
  }

  async #load(): Promise<Fetcher<K, V>> {
    const { signal, from = 'earliest' } = this.#options;
    const { outOfRange = typeof from === 'function' ? 'throw' : policyOf(from) } = this.#options;
    const life = this.#life.signal;
    const engine = this.#parts.engines.fetcher();
    const Engine = engine instanceof Promise ? await abortable(abortable(engine, life), signal) : engine;
    life.throwIfAborted();
    const of = (topic: string) => this.#topics.get(topic) as Deserializers<K, V>;
    const fetcher = new Engine(this.#parts, { ...this.#options, outOfRange, deserializersOf: of });
    if (this.#isLent) fetcher.lend();
    this.#fetcher = fetcher;
    return fetcher;
  }

  async #begin(fetcher: Fetcher<K, V>, topic: string): Promise<void> {
    const { from = 'earliest', to, live = true, partitions } = this.#options;
    const ends: Position[] = live ? [] : ['latest'];
    if (to !== undefined) ends.push(to);
    const numbers =
      partitions ?? Array.from({ length: await this.#partitionsOf(topic) }, (_, number) => number);
    if (this.#isOver) return;
    const fromOf = typeof from === 'function' ? from : () => from;
    fetcher.assign(
      numbers.map((partition) => ({ topic, partition, from: fromOf({ topic, partition }), ends })),
    );
  }

  async #partitionsOf(topic: string): Promise<number> {
    const { cluster, clock, random, retryForMs } = this.#parts;
    const { signal } = this.#options;
    const found = retrying(() => cluster.partitionsOf(topic), { clock, random, retryForMs, signal });
    return abortable(found, signal);
  }

  #lookLater(fetcher: Fetcher<K, V>): void {
    const { clock } = this.#parts;
    this.#cancelLook = clock.at(clock.now() + NEW_PARTITIONS_MS, () => void this.#look(fetcher));
  }

  /** What is new is read from its beginning: nothing that was written to it is missed. */
  async #look(fetcher: Fetcher<K, V>): Promise<void> {
    const { cluster } = this.#parts;
    for (const topic of this.#topics.keys()) {
      // What goes wrong with it is told by who reads it.
      const count = await cluster.partitionsOf(topic).catch(() => 0);
      const known = fetcher.assignment.filter((one) => one.topic === topic).length;
      const added = Array.from({ length: Math.max(count - known, 0) }, (_, at) => known + at);
      if (this.#isOver) return;
      fetcher.assign(added.map((partition) => ({ topic, partition, from: 'earliest' })));
    }
    if (!this.#isOver) this.#lookLater(fetcher);
  }
}
