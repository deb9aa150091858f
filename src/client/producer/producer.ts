import type { Millis } from '../../model/ids.ts';
import { isList } from '../../model/lists.ts';
import { CODEC, type CodecName } from '../../records/codecs.ts';
import type { ClientParts } from '../client-parts.ts';
import { closedError, invalidArgument, MilenaError } from '../errors.ts';
import { abortable, retrying, within } from '../retry.ts';
import type { KnownTopic } from '../topic-cache.ts';
import { nameOf, serialized, type WritableTopic } from '../topics/topic.ts';
import { Budget } from './budget.ts';
import type { RecordWaiter } from './contents.ts';
import { watchedBatches } from './watched-batches.ts';
import { murmur2Partitioner, type Partitioner } from './partitioner.ts';
import { newRecord, type ProducerRecord, type RecordBytes, type RecordMetadata, sizeOf } from './record.ts';
import { Sender, type SenderTransaction } from './sender.ts';
import { type Admitted, TopicWriter } from './topic-writer.ts';

export interface ProducerOptions {
  /** `all` in-sync replicas, the default; `1`: the leader alone; `0`: nobody is asked, and nothing is known. */
  acks?: 'all' | 0 | 1;
  /** Each record once, however often it has to be sent. The default, with `acks: 'all'`, which it needs. */
  idempotent?: boolean;
  /** `none` unless given. */
  compression?: CodecName;
  /** How long a batch waits to be full. At 0, the default, it goes at once, or when the one before is acknowledged. */
  lingerMs?: Millis;
  /** What a batch holds before compression; 131,072 unless given. */
  batchBytes?: number;
  /** What a request holds, and with it a record; 1,048,576 unless given. A broker has its own bound: see `send`. */
  requestMaxBytes?: number;
  /** Bytes of records that are not acknowledged, beyond which `write` waits; 33,554,432 unless given. */
  maxBufferedBytes?: number;
  /** From `send` to the last word on a record: 120,000 unless given. */
  deliveryTimeoutMs?: Millis;
  /** How long a broker may take for a request: 30,000 unless given. */
  requestTimeoutMs?: Millis;
  /** For records with a key; Kafka's own (murmur2) unless given. */
  partitioner?: Partitioner;
}

export interface SendOptions {
  /** Nobody waits any more: a record that has no room yet is not sent, any other may be. */
  signal?: AbortSignal | undefined;
}

const BATCH_BYTES = 128 * 1024;
const REQUEST_MAX_BYTES = 1024 * 1024;
const MAX_BUFFERED_BYTES = 32 * 1024 * 1024;
const DELIVERY_TIMEOUT_MS = 120_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** What a batch has beside its records, and a request beside its batches. */
const REQUEST_OVERHEAD_BYTES = 1024;
const DONE = Promise.resolve();

/**
 * Appends records to topics: in batches, in order within a partition, each once unless told otherwise. Made by
 * `client.producer()`.
 */
export class Producer implements AsyncDisposable {
  readonly #parts: ClientParts;
  readonly #sender: Sender;
  readonly #budget: Budget;
  readonly #writers = new Map<string, TopicWriter>();
  readonly #writerOf: (topic: string) => TopicWriter;
  readonly #requestMaxBytes: number;
  /** What became of a written record that nobody has been told. */
  #unheard: Error | undefined;
  readonly #life = new AbortController();
  #closing: Promise<void> | undefined;
  readonly #writes: RecordWaiter = {
    stored: () => {},
    failed: (error) => (this.#unheard ??= error),
  };

  /** @internal @throws MilenaError INVALID_ARGUMENT */
  constructor(parts: ClientParts, options: ProducerOptions = {}, transaction?: SenderTransaction) {
    const { cluster, clock, random, kernels, codecs } = parts;
    const { acks = 'all', idempotent = acks === 'all', compression = 'none', lingerMs = 0 } = options;
    const { requestMaxBytes = REQUEST_MAX_BYTES, partitioner = murmur2Partitioner } = options;
    const { deliveryTimeoutMs = DELIVERY_TIMEOUT_MS, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
    if (idempotent && acks !== 'all') throw invalidArgument(`idempotent takes acks: 'all', not ${acks}`);
    if (!(compression in CODEC)) throw invalidArgument(`there is no compression ${compression}`);
    this.#parts = parts;
    this.#requestMaxBytes = requestMaxBytes;
    this.#budget = new Budget(options.maxBufferedBytes ?? MAX_BUFFERED_BYTES);
    const times = { lingerMs, requestTimeoutMs, deliveryTimeoutMs };
    const how = { acks: acks === 'all' ? (-1 as const) : acks, isIdempotent: idempotent, requestMaxBytes };
    const home = { cluster, clock, random };
    const sender = new Sender({ ...home, ...how, ...times, transaction });
    this.#sender = sender;
    const batchBytes = Math.min(options.batchBytes ?? BATCH_BYTES, requestMaxBytes);
    const released = (sizeBytes: number) => this.#budget.release(sizeBytes);
    const packing = { kernels, codecs, codec: CODEC[compression] };
    const toldOf = cluster.diagnostics && watchedBatches(cluster.diagnostics.produce, clock);
    const rest = { packing, partitioner, batchBytes, deliveryTimeoutMs, released, toldOf };
    this.#writerOf = (topic) => new TopicWriter(topic, { ...home, sender, ...rest });
  }

  /** Bytes of records that are not acknowledged. */
  get bufferedBytes(): number {
    return this.#budget.heldBytes;
  }

  /**
   * Resolves when the record is acknowledged as `acks` asks. Records of one partition keep the order of the calls.
   * @throws MilenaError RECORD_TOO_LARGE, INVALID_RECORD_KEY, INVALID_RECORD_VALUE: nothing was sent. DELIVERY_TIMEOUT:
   *   stored or not, unknown. CLOSED likewise. RefusedError: the broker does not take it. Never a retriable one of a
   *   broker: those were retried.
   */
  send<K = RecordBytes | null, V = RecordBytes | null>(
    topic: WritableTopic<K, V>,
    record: ProducerRecord<NoInfer<K>, NoInfer<V>>,
    options?: SendOptions,
  ): Promise<RecordMetadata>;
  /** As many, in order; resolves when all are acknowledged, one result a record. If one fails, others may be stored. */
  send<K = RecordBytes | null, V = RecordBytes | null>(
    topic: WritableTopic<K, V>,
    records: readonly ProducerRecord<NoInfer<K>, NoInfer<V>>[],
    options?: SendOptions,
  ): Promise<RecordMetadata[]>;
  async send<K, V>(
    topic: WritableTopic<K, V>,
    given: ProducerRecord<K, V> | readonly ProducerRecord<K, V>[],
    { signal }: SendOptions = {},
  ): Promise<RecordMetadata | RecordMetadata[]> {
    const name = nameOf(topic);
    const { tracing } = this.#parts;
    if (!isList(given)) {
      const record = serialized(topic, given);
      if (tracing === undefined) return this.#send(name, record, signal);
      return tracing.send(name, [record], ([traced = record]) => this.#send(name, traced, signal));
    }
    const records = given.map((record) => serialized(topic, record));
    const sendAll = (some: readonly ProducerRecord[]) =>
      Promise.all(some.map((record) => this.#send(name, record, signal)));
    return tracing === undefined ? sendAll(records) : tracing.send(name, records, sendAll);
  }

  /**
   * Resolves when there is room for the next record: at once, mostly. What becomes of this one is told by `flush`,
   * `close`, or a later `write`, each of which throws the first failure that nobody was told.
   */
  write<K = RecordBytes | null, V = RecordBytes | null>(
    topic: WritableTopic<K, V>,
    record: ProducerRecord<NoInfer<K>, NoInfer<V>>,
    { signal }: SendOptions = {},
  ): Promise<void> {
    try {
      this.#tellFailure();
      const name = nameOf(topic);
      const given = { record: serialized(topic, record), waiter: this.#writes };
      const put = (plain: ProducerRecord, waiter: RecordWaiter) => this.#put(name, plain, { waiter, signal });
      const { tracing } = this.#parts;
      if (tracing !== undefined) return tracing.write(name, given, put) ?? DONE;
      return put(given.record, given.waiter) ?? DONE;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** For `rows.pipeTo(producer.writable('orders'))`: closing it flushes. */
  writable<K = RecordBytes | null, V = RecordBytes | null>(
    topic: WritableTopic<K, V>,
  ): WritableStream<ProducerRecord<K, V>> {
    return new WritableStream<ProducerRecord<K, V>>({
      write: (record) => this.write(topic, record),
      close: () => this.flush(),
    });
  }

  /** All that was given before goes without waiting for more; resolves when that is over. @throws as `write` */
  async flush({ signal }: SendOptions = {}): Promise<void> {
    await abortable(this.#flush(), signal);
    this.#tellFailure();
  }

  /**
   * Flushes, at most `timeoutMs` long, and lets go; what is not acknowledged by then fails with CLOSED. Always settles;
   * idempotent. @throws as `write`
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { timeoutMs?: Millis } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #send(topic: string, record: ProducerRecord, signal: AbortSignal | undefined): Promise<RecordMetadata> {
    const { promise, resolve, reject } = Promise.withResolvers<RecordMetadata>();
    try {
      this.#put(topic, record, { waiter: { stored: resolve, failed: reject }, signal })?.catch(reject);
    } catch (error) {
      reject(error);
    }
    return abortable(promise, signal);
  }

  /** @returns undefined when it has its room; else a promise of it. */
  #put(
    topic: string,
    record: ProducerRecord,
    { waiter, signal }: { waiter: RecordWaiter; signal: AbortSignal | undefined },
  ): Promise<void> | undefined {
    if (this.#closing !== undefined) throw closedError('the producer');
    const admitted = this.#admit(topic, record, waiter);
    let writer = this.#writers.get(topic);
    if (writer === undefined) this.#writers.set(topic, (writer = this.#writerOf(topic)));
    const known = this.#parts.cluster.known(topic);
    if (writer.line === undefined && known !== undefined && this.#budget.hasRoom) {
      this.#budget.take(admitted.sizeBytes);
      this.#append(writer, known, admitted);
      return undefined;
    }
    const line = this.#putLater(writer, topic, { admitted, before: writer.line, signal });
    const settled = line
      .catch(() => {})
      .then(() => {
        if (writer.line === settled) writer.line = undefined;
      });
    writer.line = settled;
    return line;
  }

  async #putLater(
    writer: TopicWriter,
    topic: string,
    {
      admitted,
      before,
      signal,
    }: { admitted: Admitted; before: Promise<void> | undefined; signal?: AbortSignal | undefined },
  ): Promise<void> {
    await before;
    signal?.throwIfAborted();
    const known = await this.#topic(topic);
    await this.#budget.wait(admitted.sizeBytes, signal);
    this.#append(writer, known, admitted);
  }

  #append(writer: TopicWriter, known: KnownTopic, admitted: Admitted): void {
    try {
      writer.append(known, admitted);
    } catch (error) {
      this.#budget.release(admitted.sizeBytes);
      throw error;
    }
  }

  async #topic(name: string): Promise<KnownTopic> {
    const { cluster, clock, random, retryForMs } = this.#parts;
    const { signal } = this.#life;
    const known = cluster.known(name);
    return (
      known ??
      abortable(
        retrying(() => cluster.topic(name), { clock, random, retryForMs, signal }),
        signal,
      )
    );
  }

  #admit(topic: string, given: ProducerRecord, waiter: RecordWaiter): Admitted {
    const record = newRecord(given, this.#parts.clock.now());
    const { timestamp } = record;
    if (!Number.isSafeInteger(timestamp) || timestamp < 0)
      throw invalidArgument(`a timestamp is a number of milliseconds since 1970, not ${timestamp}`);
    const sizeBytes = sizeOf(record);
    if (sizeBytes + REQUEST_OVERHEAD_BYTES > this.#requestMaxBytes)
      throw new MilenaError(
        `a record of ${sizeBytes} bytes for ${topic}: ${this.#requestMaxBytes} is the most`,
        {
          code: 'RECORD_TOO_LARGE',
          hint: 'raise requestMaxBytes, and max.message.bytes of the topic, or write smaller records',
        },
      );
    return { record, sizeBytes, partition: given.partition, waiter };
  }

  /** Throws, once, what a written record came to that nobody was told. */
  #tellFailure(): void {
    const failure = this.#unheard;
    this.#unheard = undefined;
    if (failure !== undefined) throw failure;
  }

  async #flush(): Promise<void> {
    await Promise.all(Array.from(this.#writers.values(), ({ line = DONE }) => line));
    await this.#sender.flush();
  }

  async #close(timeoutMs: Millis): Promise<void> {
    try {
      await within(this.#flush(), { clock: this.#parts.clock, timeoutMs });
    } finally {
      const error = closedError('the producer');
      this.#life.abort(error);
      this.#budget.refuseAll(error);
      this.#sender.stop(error);
    }
    this.#tellFailure();
  }
}
