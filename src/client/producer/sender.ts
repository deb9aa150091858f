import { ErrorCode, errorInfo } from '../../model/errors.ts';
import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { produceApi, type ProduceResponse } from '../../wire/apis/00-produce.ts';
import { initProducerIdApi } from '../../wire/apis/22-init-producer-id.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError, MilenaError, mayRetry } from '../errors.ts';
import type { Exchange, Versions } from '../exchange.ts';
import { backoffMs } from '../retry.ts';
import { titleOf, type TopicPartition } from '../topic-partition.ts';
import type { Batch } from './batch.ts';
import { PartitionQueue, type ProducerIdentity, SENDING_MAX } from './partition-queue.ts';
import { type Chosen, errorOf, NOT_SAID, pack, topicDataOf } from './produce-request.ts';
import { verdictOn } from './verdict.ts';

/** v3 brought batches; v13 names topics by id. */
const PRODUCE_VERSIONS = { min: 3, max: 12 };
const INIT_VERSIONS = { min: 0, max: 4 };
/** The broker answers in time, even that it is late; then at most so long for the way. */
const PATIENCE_MS = 5_000;

export interface SenderOptions {
  cluster: Cluster;
  clock: Clock;
  random: Random;
  /** -1 all in sync, 1 the leader, 0 nobody answers. */
  acks: -1 | 0 | 1;
  isIdempotent: boolean;
  /** How long a batch that is not full waits for more; at 0, while one of its partition is under way. */
  lingerMs: Millis;
  requestMaxBytes: number;
  /** What a broker may take until it has to answer. */
  requestTimeoutMs: Millis;
  deliveryTimeoutMs: Millis;
  transaction?: SenderTransaction | undefined;
}

/** What one transaction is sent in. */
export interface SenderTransaction {
  readonly transactionalId: string;
  readonly identity: ProducerIdentity;
  /** Of Produce: who speaks v12 makes partitions part of the transaction by writing (KIP-890). */
  readonly versions: Versions;
  /** Makes them part of it; left out where writing does. @throws BrokerError, ConnectionLost */
  readonly admit?: ((partitions: readonly TopicPartition[]) => Promise<void>) | undefined;
}

/** What goes to one broker; its connection is opened when it is needed. */
interface Lane {
  exchange: Exchange | undefined;
  isOpening: boolean;
  /** A request is being made whose batches have to be packed first: the next one comes behind it. */
  isPacking: boolean;
  requests: number;
}

/** Sends what stands in queues to the leaders of their partitions, and again if need be, until time is up. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #queues = new Map<string, PartitionQueue[]>();
  /** Those that hold something. */
  readonly #active = new Set<PartitionQueue>();
  readonly #lanes = new Map<number, Lane>();
  #identity: ProducerIdentity | undefined;
  #isAskingIdentity = false;
  #isPumpDue = false;
  #alarm: { atMs: Millis; cancel: () => void } | undefined;
  #closed: Error | undefined;
  readonly #stopListening: (() => void) | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#identity = options.transaction?.identity;
    this.#stopListening = options.clock.wakes?.on(() => this.#woke());
  }

  queueOf(topic: string, partition: number): PartitionQueue {
    const queues = this.#queues.get(topic) ?? [];
    this.#queues.set(topic, queues);
    const { acks, isIdempotent } = this.#options;
    // Without numbers only one at a time keeps its order.
    const sendingMax = isIdempotent || acks === 0 ? SENDING_MAX : 1;
    return (queues[partition] ??= new PartitionQueue({ topic, partition }, { isIdempotent, sendingMax }));
  }

  /** The queue has something to send, or more of it. */
  offer(queue: PartitionQueue): void {
    if (this.#closed !== undefined) return queue.failAll(this.#closed);
    this.#active.add(queue);
    this.#schedule();
  }

  /** All that stands in queues now goes without waiting for more; resolves when it is over, well or badly. */
  async flush(): Promise<void> {
    const batches = [...this.#active].flatMap((queue) => queue.batches);
    for (const batch of batches) if (batch.state === 'open') batch.state = 'waiting';
    this.#schedule();
    await Promise.all(batches.map(({ over }) => over));
  }

  /** Nothing is sent any more; what is not over fails with that. */
  stop(error: Error): void {
    this.#closed = error;
    for (const queue of this.#active) queue.failAll(error);
    this.#active.clear();
    this.#alarm?.cancel();
    this.#stopListening?.();
  }

  /** What was put off may work now. */
  #woke(): void {
    for (const queue of this.#active) queue.notBeforeMs = 0;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    // After all that is written in this turn.
    void Promise.resolve().then(() => {
      this.#isPumpDue = false;
      if (this.#closed === undefined) this.#pump();
    });
  }

  #pump(): void {
    const nowMs = this.#options.clock.now();
    const byLeader = new Map<number, PartitionQueue[]>();
    let wakeAtMs = Infinity;
    for (const queue of this.#active) {
      wakeAtMs = Math.min(wakeAtMs, queue.expire(nowMs, (batch) => this.#tooLate(queue, batch)) ?? Infinity);
      if (queue.batches.length === 0) this.#active.delete(queue);
      else if (this.#isReady(queue, nowMs)) this.#assign(queue, byLeader);
      else wakeAtMs = Math.min(wakeAtMs, this.#wakeOf(queue, nowMs));
    }
    for (const [leaderId, queues] of byLeader) this.#send(leaderId, queues);
    this.#wakeAt(wakeAtMs);
  }

  #isReady(queue: PartitionQueue, nowMs: Millis): boolean {
    return !queue.isHeld && queue.next(nowMs, (batch) => this.#isDue(queue, batch, nowMs)) !== undefined;
  }

  #isDue(queue: PartitionQueue, batch: Batch, nowMs: Millis): boolean {
    const { lingerMs } = this.#options;
    return lingerMs === 0 ? queue.sending === 0 : nowMs >= batch.createdAtMs + lingerMs;
  }

  /** When something may have changed that nobody tells. */
  #wakeOf(queue: PartitionQueue, nowMs: Millis): Millis {
    if (queue.notBeforeMs > nowMs) return queue.notBeforeMs;
    const lingersUntilMs = (queue.open?.createdAtMs ?? Infinity) + this.#options.lingerMs;
    return lingersUntilMs > nowMs ? lingersUntilMs : Infinity;
  }

  #wakeAt(atMs: Millis): void {
    if (this.#alarm?.atMs === atMs) return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    if (atMs === Infinity) return;
    const cancel = this.#options.clock.at(atMs, () => {
      this.#alarm = undefined;
      this.#schedule();
    });
    this.#alarm = { atMs, cancel };
  }

  /** To its leader, or to whoever may know it. */
  #assign(queue: PartitionQueue, byLeader: Map<number, PartitionQueue[]>): void {
    if (queue.needsIdentity) {
      if (this.#identity === undefined) return this.#askIdentity();
      queue.identify(this.#identity);
    }
    if (this.#options.transaction?.admit !== undefined && !queue.isAdmitted) return this.#admit();
    const leaderId = this.#options.cluster.leaderIdOf(queue.topic, queue.partition);
    if (leaderId === undefined) return void this.#findLeader(queue);
    const queues = byLeader.get(leaderId);
    if (queues === undefined) byLeader.set(leaderId, [queue]);
    else queues.push(queue);
  }

  /** Metadata, asked anew. A partition without a leader is looked for again later. */
  async #findLeader(queue: PartitionQueue): Promise<void> {
    const { cluster } = this.#options;
    await this.#hold([queue], async () => {
      const topic = await cluster.topic(queue.topic);
      if (cluster.leaderIdOf(queue.topic, queue.partition) !== undefined) return;
      cluster.forget(queue.topic);
      const isThere = queue.partition < topic.partitions.length;
      const code = isThere ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      throw new BrokerError(code, titleOf(queue));
    });
  }

  /** For all partitions at once: each numbers its batches by itself. */
  #askIdentity(): void {
    if (this.#isAskingIdentity) return;
    this.#isAskingIdentity = true;
    const queues = [...this.#active].filter((queue) => queue.needsIdentity && !queue.isHeld);
    void this.#hold(queues, async () => {
      try {
        const broker = await this.#options.cluster.anyBroker();
        const request = { transactionalId: null, transactionTimeoutMs: 60_000 };
        const answer = await broker.request(initProducerIdApi, INIT_VERSIONS, request);
        const { errorCode, producerId, producerEpoch } = answer;
        if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, 'no producer id');
        this.#identity = { producerId, producerEpoch };
      } finally {
        this.#isAskingIdentity = false;
      }
    });
  }

  /** All that wait for it at once. */
  #admit(): void {
    const queues = [...this.#active].filter((queue) => !queue.isAdmitted && !queue.isHeld);
    void this.#hold(queues, async () => {
      await this.#options.transaction?.admit?.(queues);
      for (const queue of queues) queue.isAdmitted = true;
    });
  }

  /** Keeps queues until what they need is there. What fails for good fails their batches; the rest is tried later. */
  async #hold(queues: readonly PartitionQueue[], work: () => Promise<void>): Promise<void> {
    for (const queue of queues) queue.isHeld = true;
    try {
      await work();
    } catch (error) {
      for (const queue of queues) {
        if (mayRetry(error)) this.#backOff(queue, error as Error);
        else queue.failAll(error as Error);
      }
    } finally {
      for (const queue of queues) queue.isHeld = false;
      this.#schedule();
    }
  }

  #backOff(queue: PartitionQueue, error: Error): void {
    const { clock, random } = this.#options;
    queue.lastError = error;
    queue.notBeforeMs = clock.now() + backoffMs(queue.failures++, random);
  }

  /** As many requests as the broker may have without an answer. */
  #send(leaderId: number, queues: readonly PartitionQueue[]): void {
    const lane = this.#laneTo(leaderId);
    const { exchange } = lane;
    if (exchange === undefined || exchange.isClosed) return void this.#open(leaderId, lane, queues);
    while (!lane.isPacking && lane.requests < SENDING_MAX) {
      const chosen = this.#choose(queues, exchange);
      if (chosen.length === 0) return;
      this.#request(lane, exchange, chosen);
    }
  }

  #laneTo(leaderId: number): Lane {
    const known = this.#lanes.get(leaderId);
    if (known !== undefined) return known;
    const lane = { exchange: undefined, isOpening: false, isPacking: false, requests: 0 };
    this.#lanes.set(leaderId, lane);
    return lane;
  }

  async #open(leaderId: number, lane: Lane, queues: readonly PartitionQueue[]): Promise<void> {
    if (lane.isOpening) return;
    lane.isOpening = true;
    const { cluster } = this.#options;
    await this.#hold(queues, async () => {
      try {
        lane.exchange = await cluster.broker(leaderId);
      } catch (error) {
        // It may have gone for good, and others lead.
        for (const { topic } of queues) cluster.forget(topic);
        throw error;
      } finally {
        lane.isOpening = false;
      }
    });
  }

  /** At most one batch of each partition, and as much as a request may hold. */
  #choose(queues: readonly PartitionQueue[], exchange: Exchange): Chosen[] {
    const nowMs = this.#options.clock.now();
    const chosen: Chosen[] = [];
    let sizeBytes = 0;
    for (const queue of queues) {
      if (queue.isHeld || (queue.sending > 0 && queue.via !== exchange)) continue;
      const batch = queue.next(nowMs, (open) => this.#isDue(queue, open, nowMs));
      if (batch === undefined) continue;
      sizeBytes += batch.bytes?.length ?? batch.content.sizeBytes;
      if (chosen.length > 0 && sizeBytes > this.#options.requestMaxBytes) break;
      queue.send(batch, exchange);
      chosen.push({ queue, batch });
    }
    return chosen;
  }

  /** In the order of the calls, also where packing takes a while. */
  #request(lane: Lane, exchange: Exchange, chosen: readonly Chosen[]): void {
    lane.requests++;
    const packed = pack(chosen);
    if (!(packed instanceof Promise)) return void this.#ask(lane, exchange, packed);
    lane.isPacking = true;
    void packed.then((ready) => {
      lane.isPacking = false;
      return this.#ask(lane, exchange, ready);
    });
  }

  async #ask(lane: Lane, exchange: Exchange, chosen: readonly Chosen[]): Promise<void> {
    const { acks, requestTimeoutMs, transaction } = this.#options;
    const { transactionalId = null, versions = PRODUCE_VERSIONS } = transaction ?? {};
    const body = { transactionalId, acks, timeoutMs: requestTimeoutMs, topicData: topicDataOf(chosen) };
    try {
      if (acks === 0) {
        if (chosen.length > 0) await exchange.post(produceApi, PRODUCE_VERSIONS, body);
        for (const { queue, batch } of chosen) queue.answered(batch, 'stored', NOT_SAID);
      } else if (chosen.length > 0) {
        const timeoutMs = requestTimeoutMs + Math.min(PATIENCE_MS, requestTimeoutMs);
        this.#answered(chosen, await exchange.request(produceApi, versions, body, { timeoutMs }));
      }
    } catch (error) {
      for (const one of chosen) this.#failed(one, error as Error);
    } finally {
      lane.requests--;
      this.#schedule();
    }
  }

  /** The connection was lost, or the request could not be made. */
  #failed({ queue, batch }: Chosen, error: Error): void {
    const isRetried = mayRetry(error);
    queue.answered(batch, isRetried ? 'again' : 'refused', { ...NOT_SAID, error });
    if (!isRetried) return;
    this.#options.cluster.forget(queue.topic);
    this.#backOff(queue, error);
  }

  #answered(chosen: readonly Chosen[], { responses, nodeEndpoints }: ProduceResponse): void {
    const { cluster } = this.#options;
    for (const { queue, batch } of chosen) {
      const topic = responses.find(({ name }) => name === queue.topic);
      const answer = topic?.partitionResponses.find(({ index }) => index === queue.partition);
      const errorCode = answer?.errorCode ?? ErrorCode.NETWORK_EXCEPTION;
      const verdict = verdictOn(errorCode, queue.situationOf(batch));
      const error = errorOf(queue, errorCode, answer);
      queue.answered(batch, verdict, { stored: answer ?? NOT_SAID.stored, error });
      if (verdict !== 'again') continue;
      const { leaderId = -1, leaderEpoch = -1 } = answer?.currentLeader ?? {};
      const { topic: name, partition } = queue;
      // Who is told the new leader need not ask, nor wait (KIP-951).
      if (leaderId >= 0 && cluster.learn({ topic: name, partition, leaderId, leaderEpoch }, nodeEndpoints))
        continue;
      if (errorInfo(errorCode).refreshes) cluster.forget(queue.topic);
      this.#backOff(queue, error);
    }
  }

  #tooLate(queue: PartitionQueue, batch: Batch): Error {
    const { deliveryTimeoutMs } = this.#options;
    const sent = batch.attempts === 0 ? 'it was never sent' : 'it may be stored or not';
    const why = queue.lastError === undefined ? '' : `: ${queue.lastError.message}`;
    const message = `${titleOf(queue)}: not acknowledged within ${deliveryTimeoutMs} ms, ${sent}${why}`;
    const hint = 'is the leader of the partition reachable, and fast enough for what is written?';
    return new MilenaError(message, { code: 'DELIVERY_TIMEOUT', hint, cause: queue.lastError });
  }
}
