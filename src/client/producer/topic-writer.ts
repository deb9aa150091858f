import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { NewRecord } from '../../records/builder.ts';
import type { Cluster } from '../cluster.ts';
import { invalidArgument } from '../errors.ts';
import type { KnownTopic } from '../topic-cache.ts';
import { Batch, type BatchTold } from './batch.ts';
import { type Packing, RecordsContent, type RecordWaiter } from './contents.ts';
import { type Partitioner, StickyPartition } from './partitioner.ts';
import type { Sender } from './sender.ts';

export interface TopicWriterOptions {
  cluster: Cluster;
  sender: Sender;
  clock: Clock;
  random: Random;
  packing: Packing;
  partitioner: Partitioner;
  batchBytes: number;
  deliveryTimeoutMs: Millis;
  released: (sizeBytes: number) => void;
  toldOf?: ((place: { topic: string; partition: number }) => BatchTold) | undefined;
}

/** A record that has its room. */
export interface Admitted {
  record: NewRecord;
  sizeBytes: number;
  /** Where the user wants it. */
  partition: number | undefined;
  waiter: RecordWaiter;
}

/** Puts the records of one topic into batches of its partitions, in the order they come. */
export class TopicWriter {
  readonly topic: string;
  readonly #options: TopicWriterOptions;
  readonly #sticky: StickyPartition;
  /** The last record that waits for its room, or for the topic to be known; the next one comes behind it. */
  line: Promise<void> | undefined;

  constructor(topic: string, options: TopicWriterOptions) {
    this.topic = topic;
    this.#options = options;
    this.#sticky = new StickyPartition(options.random, options.batchBytes);
  }

  /** @throws MilenaError INVALID_ARGUMENT when it would go to a partition that is none. */
  append(topic: KnownTopic, admitted: Admitted): void {
    const { sender, batchBytes } = this.#options;
    const queue = sender.queueOf(this.topic, this.#partitionOf(topic, admitted));
    const { record, sizeBytes, waiter } = admitted;
    const current = queue.open?.content;
    const fits = current instanceof RecordsContent && current.sizeBytes + sizeBytes <= batchBytes;
    const content = fits ? current : this.#begin(queue);
    if (!fits) sender.offer(queue);
    content.add(record, sizeBytes, waiter);
    // One that is full goes at once; any other when nothing is under way, which is known already.
    const { open } = queue;
    if (open === undefined || content.sizeBytes < batchBytes) return;
    open.state = 'waiting';
    sender.offer(queue);
  }

  #begin(queue: ReturnType<Sender['queueOf']>): RecordsContent {
    const { clock, packing, deliveryTimeoutMs, released, toldOf } = this.#options;
    const content = new RecordsContent({ partition: queue.partition, packing, released });
    const createdAtMs = clock.now();
    const told = toldOf?.(queue);
    const deadlineMs = createdAtMs + deliveryTimeoutMs;
    queue.push(new Batch(content, { createdAtMs, deadlineMs, told }));
    return content;
  }

  #partitionOf({ partitions }: KnownTopic, { record, sizeBytes, partition: wanted }: Admitted): number {
    const { length } = partitions;
    const { key } = record;
    if (wanted === undefined && (key === null || key === undefined))
      return this.#sticky.next(sizeBytes, length, (at) => ({
        hasLeader: (partitions[at]?.leaderId ?? -1) >= 0,
        batches: this.#options.sender.queueOf(this.topic, at).batches.length,
      }));
    const partition = wanted ?? this.#options.partitioner({ topic: this.topic, key: key ?? '' }, length);
    if (Number.isInteger(partition) && partition >= 0 && partition < length) return partition;
    const message = `${this.topic} has no partition ${partition}, but 0 to ${length - 1}`;
    throw invalidArgument(message, 'leave the partition out, or look at the partitioner');
  }
}
