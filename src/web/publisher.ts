import { MilenaError } from '../client/milena-error.ts';
import { murmur2 } from '../client/producer/partitioner.ts';
import type { Millis } from '../model/ids.ts';
import type { Brokers } from './brokers.ts';
import { Courier, type CourierOptions } from './courier.ts';
import { closed, invalid } from './errors.ts';
import { encodedRecord, type OutgoingRecord, type RecordMetadata, sizeOf } from './outgoing.ts';
import { type Entry, PartitionSender } from './partition-sender.ts';
import type { Surroundings } from './surroundings.ts';

export interface PublisherOptions extends CourierOptions {
  maxBufferedBytes: number;
}

/** So long a connection stays open that nothing is sent on. */
const IDLE_MS = 5_000;

/** Writes records, each exactly once however often it has to be sent, in their order in each partition. */
export class Publisher {
  readonly #brokers: Brokers;
  readonly #surroundings: Surroundings;
  readonly #maxBufferedBytes: number;
  readonly #life = new AbortController();
  readonly #courier: Courier;
  readonly #senders = new Map<string, PartitionSender>();
  /** By topic, what was published last: the next goes behind it. */
  readonly #lasts = new Map<string, Promise<void>>();
  readonly #unacknowledged = new Set<Entry>();
  /** Chooses the one partition of a topic where records without a key go, so that they keep their order. */
  readonly #home: number;
  #pendingBytes = 0;
  #isClosing = false;
  #cancelIdle = () => {};
  #onEmpty = () => {};

  constructor(brokers: Brokers, surroundings: Surroundings, options: PublisherOptions) {
    this.#brokers = brokers;
    this.#surroundings = surroundings;
    this.#maxBufferedBytes = options.maxBufferedBytes;
    this.#courier = new Courier(brokers, surroundings, { ...options, life: this.#life.signal });
    this.#home = Math.floor(surroundings.random() * 2 ** 31);
    // No network, or another one: what looks connected may be dead, and what is sent twice is stored once.
    const stopListening = surroundings.onWake((why) => {
      if (why === 'network') brokers.close();
    });
    this.#life.signal.addEventListener('abort', stopListening);
  }

  /** Of records that are not acknowledged. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Resolves when all are acknowledged. @throws MilenaError; what the signal says. */
  async publish(
    topic: string,
    records: readonly OutgoingRecord[],
    signal?: AbortSignal,
  ): Promise<RecordMetadata[]> {
    if (this.#isClosing) throw closed();
    signal?.throwIfAborted();
    const nowMs = this.#surroundings.clock.now();
    const made = records.map((given) => {
      const record = encodedRecord(given, nowMs);
      return { record, sizeBytes: sizeOf(record), partition: given.partition };
    });
    this.#checkRoom(made.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    this.#cancelIdle();
    const entries: Entry[] = [];
    const all = made.map(
      (facts) =>
        new Promise<RecordMetadata>((resolve, reject) => {
          const entry = { ...facts, bornAtMs: nowMs, isOver: false, resolve, reject };
          entries.push(this.#watched(entry, signal));
        }),
    );
    const last = this.#lasts.get(topic) ?? Promise.resolve();
    this.#lasts.set(
      topic,
      last.then(() => this.#place(topic, entries, nowMs)),
    );
    return Promise.all(all);
  }

  /** What is published from now on is refused; what was is waited for, at most so long. */
  async close(timeoutMs: Millis): Promise<void> {
    const { clock } = this.#surroundings;
    this.#isClosing = true;
    await new Promise<void>((resolve) => {
      const cancel = clock.at(clock.now() + timeoutMs, resolve);
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
      if (this.#unacknowledged.size === 0) this.#onEmpty();
    });
    this.#cancelIdle();
    this.#life.abort(closed());
    for (const { reject } of this.#unacknowledged) reject(closed());
    this.#cancelIdle();
    this.#brokers.close();
  }

  /** @throws MilenaError BUFFER_FULL */
  #checkRoom(sizeBytes: number): void {
    const pending = this.#pendingBytes;
    const most = this.#maxBufferedBytes;
    if (pending + sizeBytes <= most) return;
    const message = `${pending} bytes wait to be acknowledged, and ${sizeBytes} more are over ${most}`;
    const hint = 'await what was published before, or raise maxBufferedBytes';
    throw new MilenaError(message, { code: 'BUFFER_FULL', retriable: true, hint });
  }

  /** Counts it until it is settled, whoever settles it. */
  #watched(entry: Entry, signal: AbortSignal | undefined): Entry {
    const { resolve, reject } = entry;
    const aborted = () => entry.reject(signal?.reason);
    const settled = () => {
      if (entry.isOver) return;
      entry.isOver = true;
      signal?.removeEventListener('abort', aborted);
      this.#unacknowledged.delete(entry);
      this.#pendingBytes -= entry.sizeBytes;
      if (this.#unacknowledged.size === 0) this.#empty();
    };
    entry.resolve = (metadata) => {
      resolve(metadata);
      settled();
    };
    entry.reject = (error) => {
      reject(error);
      settled();
    };
    signal?.addEventListener('abort', aborted);
    this.#unacknowledged.add(entry);
    this.#pendingBytes += entry.sizeBytes;
    return entry;
  }

  #empty(): void {
    const { clock } = this.#surroundings;
    this.#cancelIdle = clock.at(clock.now() + IDLE_MS, () => this.#brokers.close());
    this.#onEmpty();
  }

  /** Hands each record to the sender of its partition, once the partitions are known. */
  async #place(topic: string, entries: readonly Entry[], bornAtMs: Millis): Promise<void> {
    try {
      const { partitions } = await this.#courier.persist(bornAtMs, () => this.#courier.topic(topic));
      const { length } = partitions;
      for (const entry of entries) {
        const partition = entry.partition ?? this.#choose(entry, length);
        if (partitions.some((each) => each.partition === partition))
          this.#senderOf(topic, partition).add(entry);
        else entry.reject(invalid(`${topic} has no partition ${partition}: it has ${length}`));
      }
    } catch (error) {
      for (const { reject } of entries) reject(error);
    }
  }

  #choose({ record: { key } }: Entry, partitions: number): number {
    return (key === null ? this.#home : murmur2(key) & 0x7fffffff) % partitions;
  }

  #senderOf(topic: string, partition: number): PartitionSender {
    const name = `${topic}-${partition}`;
    const sender = this.#senders.get(name) ?? new PartitionSender(this.#courier, { topic, partition });
    this.#senders.set(name, sender);
    return sender;
  }
}
