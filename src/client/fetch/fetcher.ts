import type { Offset } from '../../model/ids.ts';
import type { MaybePromise } from '../../records/codecs.ts';
import { closedError, notAssigned } from '../errors.ts';
import { abortable } from '../retry.ts';
import { type Deserializers, deserializersOf } from '../topics/topic.ts';
import { BadBatch, FetchBuffer } from './buffer.ts';
import type { FetchedBatch } from './consumer-record.ts';
import type { EngineParts } from '../client-parts.ts';
import { type FetchOptions, type FetchSettings, settingsOf } from './fetch-options.ts';
import { titleOf, type TopicPartition } from '../topic-partition.ts';
import { type Assignment, endOf, FetchPartition } from './partition.ts';
import { placeOf, type Position } from './position.ts';
import { Pump } from './pump.ts';

export interface FetcherOptions<K, V> extends FetchOptions {
  /** How records of a topic are read; as bytes unless given. */
  deserializersOf?: ((topic: string) => Deserializers<K, V>) | undefined;
  /** Something about a partition failed, and is tried again. */
  retried?: ((one: TopicPartition, error: Error) => void) | undefined;
}

/** How far a partition is read. */
export interface Progress {
  /** The next offset to be handed out. */
  position: Offset;
  /** What may be read ends there, as its leader told last; undefined when it has not told. */
  endOffset: Offset | undefined;
  /** Records between the two; with a compacted topic at most. */
  lag: number | undefined;
}

/**
 * Reads partitions from their leaders, ahead of who takes the records and within a budget of bytes. One `take` at a
 * time. What fails is tried again for `retryForMs`; then `take` throws it, and all ends.
 */
export class Fetcher<K = Uint8Array | null, V = Uint8Array | null> {
  readonly #buffer: FetchBuffer<K, V>;
  readonly #pump: Pump;
  readonly #settings: FetchSettings;
  readonly #parts: EngineParts;
  #news: PromiseWithResolvers<void> | undefined;

  /** @throws MilenaError INVALID_ARGUMENT */
  constructor(parts: EngineParts, options: FetcherOptions<K, V> = {}) {
    const { kernels, codecs } = parts;
    this.#parts = parts;
    const plain = (topic: string) => deserializersOf<K, V>(topic);
    this.#settings = settingsOf(options);
    this.#buffer = new FetchBuffer({
      kernels,
      codecs,
      deserializersOf: options.deserializersOf ?? plain,
      released: () => this.#pump.schedule(),
    });
    const tell = () => this.#tell();
    const { retried = () => {} } = options;
    this.#pump = new Pump({ parts, settings: this.#settings, buffer: this.#buffer, tell, retried });
  }

  /** Something is being tried again. */
  get isFailing(): boolean {
    for (const { failures } of this.#pump.partitions.values()) if (failures > 0) return true;
    return false;
  }

  /** Partitions that are read, in no order. */
  get assignment(): readonly TopicPartition[] {
    return Array.from(this.#pump.partitions.values(), ({ topic, partition }) => ({ topic, partition }));
  }

  /** From now on what a batch gave may be looked at until it is released, and no longer: its memory is used again. */
  lend(): void {
    this.#buffer.isLent = true;
  }

  /** Bytes of records that are here, those of batches included that are not released. */
  get bufferedBytes(): number {
    return this.#buffer.heldBytes;
  }

  /** Begins to read these too; one that is read already begins anew. */
  assign(partitions: Iterable<Assignment>): void {
    for (const one of partitions) {
      this.#drop(one);
      this.#pump.partitions.set(titleOf(one), new FetchPartition(one));
    }
    this.#buffer.dropStale();
    this.#pump.schedule();
  }

  /** Nothing of these is handed out any more. */
  unassign(partitions: Iterable<TopicPartition>): void {
    for (const one of partitions) this.#drop(one);
    this.#buffer.dropStale();
    this.#tell();
  }

  /** Nothing of these is handed out before `resume`; what is buffered stays while there is room. */
  pause(partitions: Iterable<TopicPartition>): void {
    for (const one of partitions) this.#get(one).isPaused = true;
  }

  resume(partitions: Iterable<TopicPartition>): void {
    for (const one of partitions) this.#get(one).isPaused = false;
    this.#pump.schedule();
    this.#tell();
  }

  isPaused(one: TopicPartition): boolean {
    return this.#get(one).isPaused;
  }

  /** What is taken next of the partition is from there. @throws MilenaError INVALID_ARGUMENT */
  seek(one: TopicPartition, to: Position): void {
    placeOf(to, this.#parts.clock.now());
    this.#get(one).seek(to);
    this.#buffer.dropStale();
    this.#pump.schedule();
  }

  /** Undefined while the position is not looked up. @throws MilenaError INVALID_ARGUMENT when it is not assigned. */
  progress(one: TopicPartition): Progress | undefined {
    const at = this.#get(one);
    if (at.wanted !== undefined) return undefined;
    const { position } = at;
    const endOffset = endOf(at, this.#settings.isolation);
    if (endOffset < 0) return { position, endOffset: undefined, lag: undefined };
    return { position, endOffset, lag: Math.max(endOffset - position, 0) };
  }

  /**
   * The next batch that has come, of any partition that is not paused; release it once its records are done with.
   * @returns undefined when all that is assigned has come to its end.
   * @throws MilenaError what could not be had; what the signal says; CLOSED.
   */
  async take(signal?: AbortSignal): Promise<FetchedBatch<K, V> | undefined> {
    for (;;) {
      signal?.throwIfAborted();
      const batch = this.takeNow();
      if (batch instanceof Promise) {
        const unpacked = await abortable(batch, signal);
        if (unpacked !== undefined) return unpacked;
      } else if (batch !== undefined || this.#isOver) {
        return batch;
      } else {
        await this.#nextNews(signal);
      }
    }
  }

  /**
   * As `take`, of what is here: undefined when there is nothing now. A promise where a batch is unpacked elsewhere; of
   * undefined when nobody wants it any more.
   */
  takeNow(): MaybePromise<FetchedBatch<K, V> | undefined> {
    for (;;) {
      try {
        const batch = this.#buffer.take();
        if (batch instanceof Promise) return batch.catch((error: unknown) => this.#refused(error));
        if (batch !== undefined) return batch;
      } catch (error) {
        this.#refused(error);
        continue;
      }
      if (this.#pump.failure !== undefined) throw this.#pump.failure;
      return undefined;
    }
  }

  /** Lets go of everything; `take` throws CLOSED from then on. Idempotent. */
  close(): void {
    this.#pump.stop(closedError('the reader'));
    this.#buffer.clear();
  }

  get #isOver(): boolean {
    for (const at of this.#pump.partitions.values()) if (!at.isOver) return false;
    return this.#pump.partitions.size > 0;
  }

  #get(one: TopicPartition): FetchPartition {
    const found = this.#pump.partitions.get(titleOf(one));
    if (found === undefined) throw notAssigned(one);
    return found;
  }

  #drop(one: TopicPartition): void {
    const title = titleOf(one);
    this.#pump.partitions.get(title)?.rewind();
    this.#pump.partitions.delete(title);
  }

  async #nextNews(signal: AbortSignal | undefined): Promise<void> {
    this.#news ??= Promise.withResolvers();
    this.#pump.isAwaited = true;
    this.#pump.schedule();
    try {
      await abortable(this.#news.promise, signal);
    } finally {
      this.#pump.isAwaited = false;
    }
  }

  #tell(): void {
    this.#news?.resolve();
    this.#news = undefined;
  }

  #refused(error: unknown): undefined {
    if (!(error instanceof BadBatch)) throw error;
    this.#pump.refused(error);
  }
}
