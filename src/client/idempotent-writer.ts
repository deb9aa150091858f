import type { Kernels } from '../kernels/kernels.ts';
import type { Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Cluster } from './cluster.ts';
import { Batch } from './producer/batch.ts';
import { SealedContent } from './producer/contents.ts';
import { Sender } from './producer/sender.ts';

/** How long one write is tried again before it has failed. */
const DELIVERY_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 30_000;
const REQUEST_MAX_BYTES = 1024 * 1024;
/** Writes that are not acknowledged in full, beyond which the next one waits. */
const WRITES_MAX = 5;

/** What went wrong with the batch of one partition. */
export class WriteFailed extends Error {
  override name = 'WriteFailed';
  readonly partition: number;

  constructor(partition: number, cause: Error) {
    super(cause.message, { cause });
    this.partition = partition;
  }

  /** What the client says of it: a `RefusedError` names the record. */
  get why(): Error {
    return this.cause as Error;
  }
}

export interface IdempotentWriterOptions {
  cluster: Cluster;
  topic: string;
  kernels: Kernels;
  clock: Clock;
  random: Random;
  deliveryTimeoutMs?: Millis;
}

/**
 * Appends batches that are made already to one topic, each exactly once however often it has to be sent. Order holds
 * within a partition. Once a write has failed, nothing is written any more.
 */
export class IdempotentWriter {
  readonly #options: IdempotentWriterOptions;
  readonly #deliveryTimeoutMs: Millis;
  readonly #sender: Sender;
  #underWay: Promise<unknown>[] = [];
  #failure: WriteFailed | undefined;

  constructor(options: IdempotentWriterOptions) {
    const { cluster, clock, random, deliveryTimeoutMs = DELIVERY_TIMEOUT_MS } = options;
    this.#options = options;
    this.#deliveryTimeoutMs = deliveryTimeoutMs;
    this.#sender = new Sender({
      cluster,
      clock,
      random,
      acks: -1,
      isIdempotent: true,
      lingerMs: 0,
      requestMaxBytes: REQUEST_MAX_BYTES,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      deliveryTimeoutMs,
    });
  }

  /**
   * Takes one sealed batch for each of some partitions, and stamps it as its own. Resolves when there is room for the
   * next; `acknowledged` is called once for each partition.
   * @throws WriteFailed for this or an earlier write.
   */
  async write(
    batches: ReadonlyMap<number, Uint8Array>,
    acknowledged: (partition: number) => void,
  ): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const some = Array.from(batches, ([partition, bytes]) => this.#offer(partition, bytes, acknowledged));
    this.#underWay.push(Promise.all(some));
    if (this.#underWay.length >= WRITES_MAX) await this.#settleOldest();
  }

  /** Resolves when all is acknowledged. @throws WriteFailed */
  async drain(): Promise<void> {
    while (this.#underWay.length > 0) await this.#settleOldest();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #offer(partition: number, bytes: Uint8Array, acknowledged: (partition: number) => void): Promise<void> {
    const { topic, kernels, clock } = this.#options;
    const content = new SealedContent(bytes, kernels, {
      stored: () => acknowledged(partition),
      failed: (error) => this.#fail(new WriteFailed(partition, error)),
    });
    const createdAtMs = clock.now();
    const batch = new Batch(content, { createdAtMs, deadlineMs: createdAtMs + this.#deliveryTimeoutMs });
    batch.state = 'waiting';
    const queue = this.#sender.queueOf(topic, partition);
    queue.push(batch);
    this.#sender.offer(queue);
    return batch.over;
  }

  async #settleOldest(): Promise<void> {
    await this.#underWay.shift();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What was sent before may arrive; what was not is not sent. */
  #fail(failure: WriteFailed): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#sender.stop(failure);
  }
}
