import type { Millis } from '../model/ids.ts';
import { isList } from '../model/lists.ts';
import { Admin } from './admin/admin.ts';
import type { Cluster } from './cluster.ts';
import { Consumer } from './consumer/consumer.ts';
import type { ConsumerOptions } from './consumer/options.ts';
import { closedError } from './errors.ts';
import type { Latest, LatestOptions } from './latest.ts';
import type { ClientParts } from './client-parts.ts';
import { prefetch } from './on-demand.ts';
import { Producer, type ProducerOptions, type SendOptions } from './producer/producer.ts';
import type { ProducerRecord, RecordBytes, RecordMetadata } from './producer/record.ts';
import { Reader, type ReaderParts, type ReadOptions } from './read.ts';
import { abortable } from './retry.ts';
import { ShareConsumer } from './share/share-consumer.ts';
import type { ShareConsumerOptions } from './share/share-options.ts';
import type { ReadableTopic, WritableTopic } from './topics/topic.ts';
import { TransactionalProducer, type TransactionalProducerOptions } from './transactional-producer.ts';
import type { Transaction } from './transactions/transaction.ts';

const CLOSE_TIMEOUT_MS = 5_000;

/**
 * A cluster, and what is done with it. Made by `connect`. In pages and Workers what does the work is loaded later, and
 * calls wait for it: NOT_LOADED says that it could not be, and the next call tries again.
 */
export class Client implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #parts: ClientParts;
  readonly #producers = new Set<Producer>();
  readonly #transactional = new Set<TransactionalProducer>();
  readonly #byTransactionalId = new Map<string, TransactionalProducer>();
  readonly #readers = new Set<{ close(): void }>();
  readonly #consumers = new Set<{ close(options: { timeoutMs: Millis }): Promise<void> }>();
  #shared: Producer | undefined;
  #admin: Admin | undefined;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#cluster = parts.cluster;
  }

  /**
   * `reconnecting`: no broker is connected, and one is being tried, or was so lately that whoever wants one will try
   * again. `disconnected`: none is, and nobody tries; the next call that needs one does.
   */
  get status(): 'connected' | 'reconnecting' | 'disconnected' | 'closed' {
    return this.#cluster.status;
  }

  /** Topics, settings, groups, offsets, records and the cluster itself. */
  get admin(): Admin {
    if (this.#closing !== undefined) throw closedError('the client');
    this.#admin ??= new Admin(this.#parts);
    return this.#admin;
  }

  /** One that writes in transactions; it is closed with the client. */
  producer(options: TransactionalProducerOptions): TransactionalProducer;
  /** A producer of its own; it is closed with the client. */
  producer(options?: ProducerOptions): Producer;
  producer(options?: ProducerOptions | TransactionalProducerOptions): Producer | TransactionalProducer {
    if (this.#closing !== undefined) throw closedError('the client');
    if (options === undefined || !('transactionalId' in options)) return this.#producer(options);
    const producer = new TransactionalProducer(this.#parts, options);
    this.#transactional.add(producer);
    return producer;
  }

  /**
   * All that `fn` writes and commits counts, or nothing, by a producer with the usual settings for each id.
   * @throws as `TransactionalProducer.transaction`
   */
  async transaction<T>(
    transactionalId: string,
    fn: (transaction: Transaction) => T | Promise<T>,
  ): Promise<T> {
    let producer = this.#byTransactionalId.get(transactionalId);
    if (producer === undefined) {
      producer = this.producer({ transactionalId });
      this.#byTransactionalId.set(transactionalId, producer);
    }
    return producer.transaction(fn);
  }

  /** As `Producer.send`, by a producer with the usual settings that all such calls share. */
  send<K = RecordBytes | null, V = RecordBytes | null>(
    topic: WritableTopic<K, V>,
    record: ProducerRecord<NoInfer<K>, NoInfer<V>>,
    options?: SendOptions,
  ): Promise<RecordMetadata>;
  send<K = RecordBytes | null, V = RecordBytes | null>(
    topic: WritableTopic<K, V>,
    records: readonly ProducerRecord<NoInfer<K>, NoInfer<V>>[],
    options?: SendOptions,
  ): Promise<RecordMetadata[]>;
  async send<K, V>(
    topic: WritableTopic<K, V>,
    given: ProducerRecord<K, V> & readonly ProducerRecord<K, V>[],
    options?: SendOptions,
  ): Promise<RecordMetadata | RecordMetadata[]> {
    this.#shared ??= this.producer();
    return this.#shared.send(topic, given, options);
  }

  /** Records of topics, without a group: from any position, to any, or for ever. */
  read<K = Uint8Array | null, V = Uint8Array | null>(
    topics: ReadableTopic<K, V> | readonly ReadableTopic<K, V>[],
    options?: ReadOptions,
  ): Reader<K, V> {
    return this.#read(isList(topics) ? topics : [topics], options);
  }

  /**
   * The newest record of each key of a topic: resolves once all that was there is read, and follows the topic then.
   * @throws MilenaError as `read`
   */
  async latest<K = Uint8Array | null, V = Uint8Array | null>(
    topic: ReadableTopic<K, V>,
    options: LatestOptions = {},
  ): Promise<Latest<K, V>> {
    const { engines } = this.#parts;
    prefetch(engines.fetcher);
    const engine = engines.latest();
    const Engine = engine instanceof Promise ? await abortable(engine, options.signal) : engine;
    return Engine.load((how) => this.#read([topic], how, { takesTombstones: true }), options);
  }

  /** Topics as a member of a group, or partitions by themselves; it is closed with the client. */
  consumer<K = Uint8Array | null, V = Uint8Array | null>(options: ConsumerOptions<K, V>): Consumer<K, V> {
    if (this.#closing !== undefined) throw closedError('the client');
    const closed = (over: Consumer<K, V>) => this.#consumers.delete(over);
    // What it works on while the client closes may still go to a dead letter topic.
    const send = (topic: string, record: ProducerRecord) => {
      this.#shared ??= this.#producer();
      return this.#shared.send(topic, record);
    };
    const consumer = new Consumer({ ...this.#parts, send, closed }, options);
    this.#consumers.add(consumer);
    return consumer;
  }

  /** Topics as a member of a share group, whose members have records one by one; it is closed with the client. */
  shareConsumer<K = Uint8Array | null, V = Uint8Array | null>(
    options: ShareConsumerOptions<K, V>,
  ): ShareConsumer<K, V> {
    if (this.#closing !== undefined) throw closedError('the client');
    const closed = (over: ShareConsumer<K, V>) => this.#consumers.delete(over);
    const send = (topic: string, record: ProducerRecord) => {
      this.#shared ??= this.#producer();
      return this.#shared.send(topic, record);
    };
    const consumer = new ShareConsumer({ ...this.#parts, send, closed }, options);
    this.#consumers.add(consumer);
    return consumer;
  }

  /**
   * Closes its consumers, which finish, commit and leave, then its producers, which flush, at most `timeoutMs` (5,000)
   * long in all, then all connections. Always settles; idempotent.
   * @throws what a written record came to that nobody was told, or why what was acked is not committed.
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { timeoutMs?: Millis } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #read<K, V>(
    topics: readonly ReadableTopic<K, V>[],
    options: ReadOptions | undefined,
    parts: Pick<ReaderParts, 'takesTombstones'> = {},
  ): Reader<K, V> {
    if (this.#closing !== undefined) throw closedError('the client');
    const closed = (over: { close(): void }) => this.#readers.delete(over);
    const send = (topic: string, record: ProducerRecord) => this.send(topic, record);
    const reader = new Reader({ ...this.#parts, ...parts, send, closed }, topics, options);
    this.#readers.add(reader);
    return reader;
  }

  #producer(options?: ProducerOptions): Producer {
    const producer = new Producer(this.#parts, options);
    this.#producers.add(producer);
    return producer;
  }

  async #close(timeoutMs: Millis): Promise<void> {
    const { clock } = this.#parts;
    const untilMs = clock.now() + timeoutMs;
    const left = await Promise.allSettled(Array.from(this.#consumers, (one) => one.close({ timeoutMs })));
    const rest = { timeoutMs: Math.max(untilMs - clock.now(), 0) };
    const writers = [...this.#producers, ...this.#transactional];
    const flushed = await Promise.allSettled(writers.map((one) => one.close(rest)));
    for (const reader of this.#readers) reader.close();
    this.#cluster.close();
    for (const outcome of [...left, ...flushed]) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
