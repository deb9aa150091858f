import type { ConsumerRecord } from './fetch/consumer-record.ts';
import type { Position } from './fetch/position.ts';
import type { Reader, ReadOptions } from './read.ts';
import { abortable } from './retry.ts';
import { titleOf, type TopicPartition } from './topic-partition.ts';

export interface LatestOptions extends Pick<
  ReadOptions,
  'isolation' | 'maxBufferedBytes' | 'onInvalid' | 'partitions' | 'rack' | 'signal'
> {
  /** Goes on with what is written later; the default. */
  live?: boolean | undefined;
}

/**
 * The newest record of each key of a topic, as a map that follows the topic. Bytes are keys by what they hold, texts
 * stand for their UTF-8; records without a key are left out, and a value of null takes its key away. Records here keep
 * nothing but themselves in memory.
 */
export class Latest<K = Uint8Array | null, V = Uint8Array | null>
  implements Iterable<[K, ConsumerRecord<K, V>]>, AsyncIterable<ConsumerRecord<K, V>>, AsyncDisposable
{
  /**
   * Resolves once the topic is not followed any more, rejects with why if that was not asked for. Nobody has to look:
   * `changes` throws the same.
   */
  readonly closed: Promise<void>;
  readonly #records = new Map<string, ConsumerRecord<K, V>>();
  readonly #changes = new Set<Changes<K, V>>();
  readonly #followed = Promise.withResolvers<void>();
  #reader: Reader<K, V> | undefined;
  #isOver = false;

  private constructor() {
    this.closed = this.#followed.promise;
    this.closed.catch(() => {});
  }

  /** @param read begins to read the topic. @returns once all that was there has been read. */
  static async load<K, V>(
    read: (options: ReadOptions) => Reader<K, V>,
    { live = true, ...options }: LatestOptions,
  ): Promise<Latest<K, V>> {
    const latest = new Latest<K, V>();
    const reader = read({ ...options, from: 'earliest', live: false });
    for await (const record of reader) latest.#put(record);
    if (!live) latest.#end();
    else latest.#follow(read({ ...options, from: behind(reader), outOfRange: 'earliest' }));
    return latest;
  }

  get size(): number {
    return this.#records.size;
  }

  get(key: K | string): ConsumerRecord<K, V> | undefined {
    return this.#records.get(identityOf(key));
  }

  has(key: K | string): boolean {
    return this.#records.has(identityOf(key));
  }

  *keys(): IterableIterator<K> {
    for (const { key } of this.#records.values()) yield key;
  }

  values(): IterableIterator<ConsumerRecord<K, V>> {
    return this.#records.values();
  }

  *entries(): IterableIterator<[K, ConsumerRecord<K, V>]> {
    for (const record of this.#records.values()) yield [record.key, record];
  }

  [Symbol.iterator](): IterableIterator<[K, ConsumerRecord<K, V>]> {
    return this.entries();
  }

  /**
   * What changes from now on, tombstones too. Who is slow sees the newest record of each key and not those between: a
   * record a key is the most that waits. Ends when the map is closed. @throws why the topic cannot be followed.
   */
  changes({ signal }: { signal?: AbortSignal } = {}): AsyncGenerator<ConsumerRecord<K, V>, void, undefined> {
    const following = this.#follower(signal);
    // As far as to where it hears: what changes between this call and the first `next` is given, too.
    void following.next();
    return following as AsyncGenerator<ConsumerRecord<K, V>, void, undefined>;
  }

  [Symbol.asyncIterator](): AsyncGenerator<ConsumerRecord<K, V>, void, undefined> {
    return this.changes();
  }

  /** The map stays as it is. Idempotent. */
  close(): void {
    this.#reader?.close();
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** What it gives first stands for nothing but that it hears now. */
  async *#follower(
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ConsumerRecord<K, V> | undefined, void, undefined> {
    const changes = new Changes<K, V>();
    this.#changes.add(changes);
    try {
      yield;
      for (;;) {
        const [first] = changes.waiting;
        if (first !== undefined) {
          changes.waiting.delete(first[0]);
          yield first[1];
        } else if (this.#isOver) {
          return await this.closed;
        } else {
          await abortable(changes.news(), signal);
        }
      }
    } finally {
      this.#changes.delete(changes);
    }
  }

  #follow(reader: Reader<K, V>): void {
    this.#reader = reader;
    const follow = async () => {
      for await (const record of reader) this.#put(record);
    };
    follow().then(
      () => this.#end(),
      (error: Error) => this.#end(error),
    );
  }

  #put(record: ConsumerRecord<K, V>): void {
    if (record.keyBytes === null) return;
    const kept = record.kept();
    const identity = identityOf(record.key);
    // The newest comes last.
    this.#records.delete(identity);
    if (kept.valueBytes !== null) this.#records.set(identity, kept);
    for (const changes of this.#changes) changes.put(identity, kept);
  }

  #end(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error === undefined) this.#followed.resolve();
    else this.#followed.reject(error);
    for (const changes of this.#changes) changes.tell();
  }
}

/** What one follower has not seen: the newest record of each key. */
class Changes<K, V> {
  readonly waiting = new Map<string, ConsumerRecord<K, V>>();
  #news = Promise.withResolvers<void>();

  put(identity: string, record: ConsumerRecord<K, V>): void {
    this.waiting.delete(identity);
    this.waiting.set(identity, record);
    this.tell();
  }

  tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  news(): Promise<void> {
    return this.#news.promise;
  }
}

/** Where a reader that has come to its end stands; what is not read by it is read from its beginning. */
function behind(reader: Reader<unknown, unknown>): (of: TopicPartition) => Position {
  const positions = new Map(
    reader.assignment.map((one) => [titleOf(one), reader.progress(one)?.position ?? ('earliest' as const)]),
  );
  return (one) => positions.get(titleOf(one)) ?? 'earliest';
}

const UTF8 = new TextEncoder();

/** Equal for keys that people take for the same. */
function identityOf(key: unknown): string {
  if (typeof key === 'string') return textOf(UTF8.encode(key));
  if (key instanceof Uint8Array) return textOf(key);
  return typeof key === 'bigint' ? `bigint ${key}` : `json ${JSON.stringify(key)}`;
}

/** Bytes as characters, one each. */
function textOf(bytes: Uint8Array): string {
  let text = 'bytes ';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
