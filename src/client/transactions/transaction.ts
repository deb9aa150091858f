import type { LeaderEpoch, Offset } from '../../model/ids.ts';
import { isList } from '../../model/lists.ts';
import { invalidArgument } from '../errors.ts';
import type { GroupPosition, Identity } from '../group/offsets.ts';
import type { Producer, SendOptions } from '../producer/producer.ts';
import type { ProducerRecord, RecordBytes, RecordMetadata } from '../producer/record.ts';
import { titleOf, type TopicPartition } from '../topic-partition.ts';
import type { WritableTopic } from '../topics/topic.ts';

/** A consumer whose positions a transaction commits. */
export interface Committing {
  /** @internal */
  readonly committer: { groupId: string; by: Identity };
}

/** A record that was consumed. */
export interface Consumed extends TopicPartition {
  readonly offset: Offset;
  readonly leaderEpoch?: LeaderEpoch;
  /** Aborts when others may work on it. */
  readonly signal?: AbortSignal;
}

type CommitOffsets = (commit: {
  groupId: string;
  by: Identity;
  positions: readonly GroupPosition[];
}) => Promise<void>;

/** What is written and committed here counts together, once the function that was given it has ended well. */
export class Transaction {
  readonly #producer: Producer;
  readonly #commitOffsets: CommitOffsets;
  readonly #pending = new Set<Promise<unknown>>();
  #failure: { error: unknown } | undefined;
  #isOver = false;
  /** @internal Something was asked of a broker: there is something to end. */
  isBegun = false;

  /** @internal */
  constructor(producer: Producer, commitOffsets: CommitOffsets) {
    this.#producer = producer;
    this.#commitOffsets = commitOffsets;
  }

  /** As `Producer.send`: acknowledged, but seen by `read_committed` once the transaction is committed. */
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
    return this.#do(() => this.#producer.send(topic, given, options));
  }

  /** As `Producer.write`; what becomes of the record is told by the end of the transaction. */
  async write<K = RecordBytes | null, V = RecordBytes | null>(
    topic: WritableTopic<K, V>,
    record: ProducerRecord<NoInfer<K>, NoInfer<V>>,
    options?: SendOptions,
  ): Promise<void> {
    return this.#do(() => this.#producer.write(topic, record, options));
  }

  /**
   * The group of `consumer` goes on behind these records, if the transaction is committed: for what was made of them
   * to be written once. The consumer should not commit by itself (`autoCommit: false`).
   * @throws MilenaError PARTITION_LOST, BrokerError: others work on these records by now (KIP-447).
   */
  async commit(consumer: Committing, records: Consumed | readonly Consumed[]): Promise<void> {
    await this.#do(async () => {
      const { groupId, by } = consumer.committer;
      const positions = positionsBehind(isList(records) ? records : [records]);
      if (positions.length > 0) await this.#commitOffsets({ groupId, by, positions });
    });
  }

  /** @internal Resolves when all it was asked is done. @throws the first failure: then it cannot be committed. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    this.#isOver = true;
    await this.#producer.flush();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** @internal What is not sent yet is not sent any more. */
  async drop(): Promise<void> {
    this.#isOver = true;
    await this.#producer.close({ timeoutMs: 0 }).catch(() => {});
    await Promise.allSettled(this.#pending);
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isOver) throw invalidArgument('this transaction is over', 'await what is done in it');
    this.isBegun = true;
    const doing = work();
    this.#pending.add(doing);
    try {
      return await doing;
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    } finally {
      this.#pending.delete(doing);
    }
  }
}

/** Behind the last of each partition. @throws what the signal of a record says */
function positionsBehind(records: readonly Consumed[]): GroupPosition[] {
  const furthest = new Map<string, GroupPosition>();
  for (const { topic, partition, offset, leaderEpoch = -1, signal } of records) {
    signal?.throwIfAborted();
    const title = titleOf({ topic, partition });
    if ((furthest.get(title)?.offset ?? 0) > offset) continue;
    furthest.set(title, { topic, partition, offset: offset + 1, leaderEpoch });
  }
  return [...furthest.values()];
}
