import type { Kernels } from '../kernels/kernels.ts';
import { invariant } from '../model/assert.ts';
import { ErrorCode, errorInfo } from '../model/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { BatchHeader } from '../records/header.ts';
import { produceApi, type ProduceResponse } from '../wire/apis/00-produce.ts';
import { initProducerIdApi } from '../wire/apis/22-init-producer-id.ts';
import type { Cluster } from './cluster.ts';
import { BrokerError, mayRetry } from './errors.ts';
import type { Exchange } from './exchange.ts';

/** v3 brought batches; v13 names topics by id. */
const PRODUCE_VERSIONS = { min: 3, max: 12 };
const INIT_VERSIONS = { min: 0, max: 4 };
const ALL_IN_SYNC = -1;
const PRODUCE_TIMEOUT_MS = 30_000;

/** A broker remembers the last five batches of a producer and partition: what is in flight can be sent again. */
const IN_FLIGHT_MAX = 5;
/** How long one write is tried again before it has failed. */
const RETRY_FOR_MS = 30_000;
const RETRY_PAUSE_MS = 100;
const RETRY_PAUSE_MAX_MS = 2_000;

/** What went wrong with the batch of one partition. */
export class WriteFailed extends Error {
  override name = 'WriteFailed';
  readonly partition: number;
  /** Kafka's; undefined when no broker answered. */
  readonly code: number | undefined;
  /** The first record of the batch that the broker named, from 0. */
  readonly recordIndex: number | undefined;

  constructor(
    partition: number,
    message: string,
    { code, recordIndex }: { code?: number; recordIndex?: number },
  ) {
    super(message);
    this.partition = partition;
    this.code = code;
    this.recordIndex = recordIndex;
  }
}

/** One batch for each of some partitions, on its way. */
interface Write {
  /** Without answer yet, or to be tried again. */
  pending: Map<number, Uint8Array>;
  failure: Error | undefined;
  outcome: Promise<void>;
  acknowledged: (partition: number) => void;
}

export interface IdempotentWriterOptions {
  cluster: Cluster;
  topic: string;
  kernels: Kernels;
  clock: Clock;
}

/**
 * Appends batches to one topic, each exactly once however often it has to be sent. Order holds within a partition.
 * Once a write has failed, nothing is written any more.
 */
export class IdempotentWriter {
  readonly #options: IdempotentWriterOptions;
  readonly #producer: { producerId: number; producerEpoch: number };
  readonly #sequences = new Map<number, number>();
  /** Partitions that have taken a batch of ours: to one that has not, any sequence is the first. */
  readonly #knownTo = new Set<number>();
  #underWay: Write[] = [];

  private constructor(
    options: IdempotentWriterOptions,
    producer: { producerId: number; producerEpoch: number },
  ) {
    this.#options = options;
    this.#producer = producer;
  }

  static async open(options: IdempotentWriterOptions): Promise<IdempotentWriter> {
    const broker = await options.cluster.anyBroker();
    const request = { transactionalId: null, transactionTimeoutMs: 60_000 };
    const { errorCode, ...producer } = await broker.request(initProducerIdApi, INIT_VERSIONS, request);
    if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode);
    return new IdempotentWriter(options, producer);
  }

  /**
   * Takes one sealed batch for each of some partitions, and stamps it as its own. Resolves when there is room for the
   * next; `acknowledged` is called once for each partition.
   * @throws WriteFailed for this or an earlier write.
   */
  async write(batches: ReadonlyMap<number, Uint8Array>, acknowledged: Write['acknowledged']): Promise<void> {
    for (const [partition, bytes] of batches) this.#stamp(partition, bytes);
    const write: Write = {
      pending: new Map(batches),
      failure: undefined,
      outcome: Promise.resolve(),
      acknowledged,
    };
    // Leaders first, so that what is sent leaves in the order of the calls.
    const leaders = await this.#leadersOf(write);
    write.outcome = this.#send(write, leaders);
    this.#underWay.push(write);
    const isFirst = Array.from(batches.keys()).some((partition) => !this.#knownTo.has(partition));
    if (isFirst) await this.drain();
    else if (this.#underWay.length >= IN_FLIGHT_MAX) await this.#settleOldest();
  }

  /** Resolves when all is acknowledged. @throws WriteFailed */
  async drain(): Promise<void> {
    while (this.#underWay.length > 0) await this.#settleOldest();
  }

  async #settleOldest(): Promise<void> {
    const [oldest] = this.#underWay;
    invariant(oldest !== undefined, 'something is in flight');
    await oldest.outcome;
    if (oldest.pending.size === 0) {
      this.#underWay.shift();
      return;
    }
    // What was sent behind it may have been refused for coming too early: all again, one after the other.
    await Promise.all(this.#underWay.map(({ outcome }) => outcome));
    while (this.#underWay[0] !== undefined) {
      await this.#retry(this.#underWay[0]);
      this.#underWay.shift();
    }
  }

  async #retry(write: Write): Promise<void> {
    const { clock, cluster, topic } = this.#options;
    const untilMs = clock.now() + RETRY_FOR_MS;
    for (
      let pauseMs = RETRY_PAUSE_MS;
      write.pending.size > 0;
      pauseMs = Math.min(2 * pauseMs, RETRY_PAUSE_MAX_MS)
    ) {
      if (write.failure !== undefined && !canRetry(write.failure, pauseMs === RETRY_PAUSE_MS))
        throw write.failure;
      if (clock.now() > untilMs) throw write.failure ?? new WriteFailed(-1, 'no answer in time', {});
      await new Promise<void>((resolve) => clock.at(clock.now() + pauseMs, resolve));
      cluster.forget(topic);
      await this.#send(write, await this.#leadersOf(write));
    }
  }

  /** Who takes what is pending; a partition without a leader leaves a `failure`. */
  async #leadersOf(write: Write): Promise<Map<Exchange, number[]>> {
    write.failure = undefined;
    const byLeader = new Map<Exchange, number[]>();
    for (const partition of write.pending.keys()) {
      try {
        const leader = await this.#options.cluster.leaderOf(this.#options.topic, partition);
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
      } catch (error) {
        write.failure = asFailure(partition, error);
      }
    }
    return byLeader;
  }

  /** What goes wrong is left in `failure`. */
  async #send(write: Write, leaders: ReadonlyMap<Exchange, readonly number[]>): Promise<void> {
    await Promise.all(Array.from(leaders, ([leader, partitions]) => this.#sendTo(leader, write, partitions)));
  }

  async #sendTo(leader: Exchange, write: Write, partitions: readonly number[]): Promise<void> {
    const partitionData = partitions.map((index) => ({ index, records: write.pending.get(index) ?? null }));
    try {
      const { responses } = await leader.request(produceApi, PRODUCE_VERSIONS, {
        acks: ALL_IN_SYNC,
        timeoutMs: PRODUCE_TIMEOUT_MS,
        topicData: [{ name: this.#options.topic, partitionData }],
      });
      for (const answer of responses[0]?.partitionResponses ?? []) this.#answered(write, answer);
    } catch (error) {
      write.failure = asFailure(partitions[0] ?? -1, error);
    }
  }

  #answered(write: Write, answer: ProduceResponse['responses'][number]['partitionResponses'][number]): void {
    const { index, errorCode, errorMessage, recordErrors } = answer;
    if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      this.#knownTo.add(index);
      if (write.pending.delete(index)) write.acknowledged(index);
      return;
    }
    const [first] = recordErrors;
    const why = first?.batchIndexErrorMessage ?? errorMessage;
    const { name } = errorInfo(errorCode);
    const message = `${this.#options.topic}-${index} refused it: ${name}${why ? ` (${why})` : ''}`;
    const about = first === undefined ? {} : { recordIndex: first.batchIndex };
    write.failure = new WriteFailed(index, message, { code: errorCode, ...about });
  }

  #stamp(partition: number, bytes: Uint8Array): void {
    const baseSequence = this.#sequences.get(partition) ?? 0;
    const header = new BatchHeader(bytes);
    header.setProducer({ ...this.#producer, baseSequence });
    header.stamp(0, -1);
    header.seal(this.#options.kernels);
    // After 2^31 - 1 comes 0.
    this.#sequences.set(partition, (baseSequence + header.lastOffsetDelta + 1) % 2 ** 31);
  }
}

function asFailure(partition: number, error: unknown): Error {
  if (mayRetry(error) || error instanceof BrokerError) return error as Error;
  return new WriteFailed(partition, error instanceof Error ? error.message : String(error), {});
}

/** @param isFirst whether it may have been sent before what it follows was there. */
function canRetry(failure: Error, isFirst: boolean): boolean {
  if (!(failure instanceof WriteFailed)) return mayRetry(failure);
  if (failure.code === undefined) return false;
  if (failure.code === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) return isFirst;
  return errorInfo(failure.code).retriable;
}
