import type { Millis } from '../../model/ids.ts';
import { isList } from '../../model/lists.ts';
import { CODEC, type CodecName } from '../../records/codecs.ts';
import type { ClientParts } from '../client-parts.ts';
import { closedError, invalidArgument, MilenaError } from '../errors.ts';
import { prefetch } from '../on-demand.ts';
import { abortable, retrying, within } from '../retry.ts';
import type { KnownTopic } from '../topic-cache.ts';
import { nameOf, serialized, type WritableTopic } from '../topics/topic.ts';
import { Budget } from './budget.ts';
import type { RecordWaiter } from './contents.ts';
import { murmur2Partitioner, type Partitioner } from './partitioner.ts';
import type { ProducerEngine, ProducerSettings } from './producer-engine.ts';
import { newRecord, type ProducerRecord, type RecordBytes, type RecordMetadata, sizeOf } from './record.ts';
import type { SenderTransaction } from './sender.ts';
import type { Admitted, TopicWriter } from './topic-writer.ts';

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
  readonly #settings: ProducerSettings;
  readonly #budget: Budget;
  readonly #writers = new Map<string, TopicWriter>();
  #engine: ProducerEngine | undefined;
  /** What was given before the engine was here waits for it, in the order of the calls. */
  #loading: Promise<typeof ProducerEngine> | undefined;
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
    this.#parts = parts;
    this.#settings = { ...settingsOf(options), transaction };
    this.#budget = new Budget(options.maxBufferedBytes ?? MAX_BUFFERED_BYTES);
    prefetch(parts.engines.producer);
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
    const writer = this.#writers.get(topic) ?? this.#newWriter(topic);
    if (writer !== undefined) return this.#offer(writer, admitted, signal);
    const loaded = this.#load().then((Engine) => {
      this.#life.signal.throwIfAborted();
      signal?.throwIfAborted();
      this.#engine ??= this.#newEngine(Engine);
      return this.#offer(this.#writerOf(this.#engine, topic), admitted, signal);
    });
    return abortable(loaded, signal);
  }

  #offer(
    writer: TopicWriter,
    admitted: Admitted,
    signal: AbortSignal | undefined,
  ): Promise<void> | undefined {
    const known = this.#parts.cluster.known(writer.topic);
    if (writer.line === undefined && known !== undefined && this.#budget.hasRoom) {
      this.#budget.take(admitted.sizeBytes);
      this.#append(writer, known, admitted);
      return undefined;
    }
    const line = this.#putLater(writer, admitted, { before: writer.line, signal });
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
    admitted: Admitted,
    { before, signal }: { before: Promise<void> | undefined; signal: AbortSignal | undefined },
  ): Promise<void> {
    await before;
    signal?.throwIfAborted();
    const known = await this.#topic(writer.topic);
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

  /** Undefined where the engine has to be waited for, or others wait for it. */
  #newWriter(topic: string): TopicWriter | undefined {
    if (this.#engine === undefined && this.#loading === undefined) {
      const engine = this.#parts.engines.producer();
      if (!(engine instanceof Promise)) this.#engine = this.#newEngine(engine);
    }
    return this.#engine && this.#writerOf(this.#engine, topic);
  }

  #writerOf(engine: ProducerEngine, topic: string): TopicWriter {
    let writer = this.#writers.get(topic);
    if (writer === undefined) this.#writers.set(topic, (writer = engine.writerOf(topic)));
    return writer;
  }

  #newEngine(Engine: typeof ProducerEngine): ProducerEngine {
    return new Engine(this.#parts, this.#settings, (sizeBytes) => this.#budget.release(sizeBytes));
  }

  /** @throws MilenaError NOT_LOADED: whoever asks next tries it again. What waits for it goes on in its order. */
  #load(): Promise<typeof ProducerEngine> {
    if (this.#loading !== undefined) return this.#loading;
    const loading = abortable(Promise.resolve(this.#parts.engines.producer()), this.#life.signal);
    this.#loading = loading;
    loading.catch(() => (this.#loading = undefined));
    return loading;
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
    const { requestMaxBytes } = this.#settings;
    if (sizeBytes + REQUEST_OVERHEAD_BYTES > requestMaxBytes)
      throw new MilenaError(`a record of ${sizeBytes} bytes for ${topic}: ${requestMaxBytes} is the most`, {
        code: 'RECORD_TOO_LARGE',
        hint: 'raise requestMaxBytes, and max.message.bytes of the topic, or write smaller records',
      });
    return { record, sizeBytes, partition: given.partition, waiter };
  }

  /** Throws, once, what a written record came to that nobody was told. */
  #tellFailure(): void {
    const failure = this.#unheard;
    this.#unheard = undefined;
    if (failure !== undefined) throw failure;
  }

  async #flush(): Promise<void> {
    // Who waits for it is told.
    await this.#loading?.catch(() => {});
    await Promise.all(Array.from(this.#writers.values(), ({ line = DONE }) => line));
    await this.#engine?.flush();
  }

  async #close(timeoutMs: Millis): Promise<void> {
    try {
      await within(this.#flush(), { clock: this.#parts.clock, timeoutMs });
    } finally {
      const error = closedError('the producer');
      this.#life.abort(error);
      this.#budget.refuseAll(error);
      this.#engine?.stop(error);
    }
    this.#tellFailure();
  }
}

/** @throws MilenaError INVALID_ARGUMENT */
function settingsOf(options: ProducerOptions): Omit<ProducerSettings, 'transaction'> {
  const { acks = 'all', idempotent = acks === 'all', compression = 'none', lingerMs = 0 } = options;
  const { requestMaxBytes = REQUEST_MAX_BYTES, partitioner = murmur2Partitioner } = options;
  const { deliveryTimeoutMs = DELIVERY_TIMEOUT_MS, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  if (idempotent && acks !== 'all') throw invalidArgument(`idempotent takes acks: 'all', not ${acks}`);
  if (!(compression in CODEC)) throw invalidArgument(`there is no compression ${compression}`);
  return {
    acks: acks === 'all' ? -1 : acks,
    isIdempotent: idempotent,
    codec: CODEC[compression],
    lingerMs,
    batchBytes: Math.min(options.batchBytes ?? BATCH_BYTES, requestMaxBytes),
    requestMaxBytes,
    deliveryTimeoutMs,
    requestTimeoutMs,
    partitioner,
  };
}
