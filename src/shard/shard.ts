import { PartitionLog } from '../log/partition-log.ts';
import { ErrorCode } from '../model/errors.ts';
import type { LeaderEpoch, Offset } from '../model/ids.ts';
import type { Address, Machine, TransactionEnd } from '../model/machine.ts';
import { LogDamaged, type LogWrite } from '../ports/log-store.ts';
import type { ShardReply, ShardRequest } from '../ports/shard-link.ts';
import { fetchApi } from '../wire/apis/01-fetch.ts';
import { listOffsetsApi } from '../wire/apis/02-list-offsets.ts';
import { produceApi } from '../wire/apis/00-produce.ts';
import { deleteRecordsApi } from '../wire/apis/21-delete-records.ts';
import { offsetForLeaderEpochApi } from '../wire/apis/23-offset-for-leader-epoch.ts';
import { shareFetchApi } from '../wire/apis/78-share-fetch.ts';
import { shareAcknowledgeApi } from '../wire/apis/79-share-acknowledge.ts';
import { writeTxnMarkersApi } from '../wire/apis/27-write-txn-markers.ts';
import { describeProducersApi } from '../wire/apis/61-describe-producers.ts';
import { Appends, recordsOf } from './appends.ts';
import { Coordinator } from './coordinator.ts';
import { deleteRecords } from './delete-records.ts';
import { Fetches } from './fetches.ts';
import { Lookups } from './lookups.ts';
import { Markers } from './markers.ts';
import { Refusals } from './refusals.ts';
import type { ShardParts, ShardSpec } from './shard-spec.ts';
import { SharePartitions } from './share-partitions.ts';
import { WaitingReplies } from './waiting.ts';

/** How long a shard whose storage failed answers KAFKA_STORAGE_ERROR before it tries to load again. */
const RELOAD_AFTER_MS = 1_000;

/**
 * One replicated log and what is mounted on it. One writer, one loop: commit, then send, then reply. It opens on its
 * first request, and when its storage fails it forgets all it knew and reloads: nothing is ever undone in memory.
 *
 *   closed ──first request──> opening ──log loaded──> open ──drop──> gone
 *                                │                      │
 *                                └──────> failed <──────┘ storage failed
 *                                            └─ RELOAD_AFTER_MS, and a request or a need ──> opening
 */
export class Shard {
  readonly parts: ShardParts;
  readonly spec: ShardSpec;
  /** Outlive the log: of clients that go on sending. */
  readonly refusals = new Refusals();
  /** Exclusive: what was handed to `onCommitted`, by whatever load of the log. */
  toldEnd: Offset = 0;
  #state: 'closed' | 'opening' | 'open' | 'failed' | 'gone' = 'closed';
  #failedAtMs = 0;
  #failure = '';
  #cancelReload: (() => void) | undefined;
  /** Came while opening. */
  #queue: ShardRequest[] = [];
  #waiting = new WaitingReplies();
  #log: PartitionLog | undefined;
  #leaderEpoch: LeaderEpoch = 0;
  #appends: Appends | undefined;
  #fetches: Fetches | undefined;
  #lookups: Lookups | undefined;
  #markers: Markers | undefined;
  #shares: SharePartitions | undefined;
  #coordinator: Coordinator | undefined;
  #round: { promise: Promise<void>; endOffset: Offset; endBytes: number } | undefined;
  #appendedBytes = 0;
  /** Bytes of batches below the high watermark, counted since this object was made. */
  committedBytes = 0;
  /** Writes handed to the store since the log was loaded and not yet durable. */
  #openRounds = 0;

  constructor(parts: ShardParts, spec: ShardSpec) {
    this.parts = parts;
    this.spec = spec;
  }

  get state(): string {
    return this.#state;
  }

  /** Why it failed last, in words for people. */
  get failure(): string {
    return this.#failure;
  }

  /** The log, while open. */
  get log(): PartitionLog | undefined {
    return this.#log;
  }

  /** The coordinator's, while open. */
  get machine(): Machine | undefined {
    return this.#coordinator?.machine;
  }

  get leaderEpoch(): LeaderEpoch {
    return this.#leaderEpoch;
  }

  receive(request: ShardRequest): void {
    switch (this.#state) {
      case 'open':
        return this.#handle(request);
      case 'opening':
        this.#queue.push(request);
        return;
      case 'gone':
        return this.refuse(request.from, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      case 'failed':
        if (this.parts.clock.now() - this.#failedAtMs < RELOAD_AFTER_MS) {
          return this.#refuseAll([request], ErrorCode.KAFKA_STORAGE_ERROR);
        }
        break;
      default:
    }
    this.#queue.push(request);
    void this.open();
  }

  cancel(from: Address): void {
    if (this.#fetches?.cancel(from) || this.#shares?.cancel(from)) return;
    // What was sent is written though its sender is gone: with acks=0 it never meant to wait.
    this.#queue = this.#queue.filter(
      (request) => request.apiKey === produceApi.key || request.from.correlationId !== from.correlationId,
    );
    if (!this.#coordinator?.cancel(from)) this.#coordinator?.forget(from.link);
  }

  /** Loads the log; a failure is reported and answered, not thrown. */
  async open(): Promise<void> {
    if (this.#state !== 'closed' && this.#state !== 'failed') return;
    this.#state = 'opening';
    try {
      await this.#create();
      // What a read finds damaged the store mends when it opens the log again: that is tried at once.
      await this.#load().catch(() => this.#reload());
    } catch (error) {
      if (!this.#isGone) this.#fail(error);
      return;
    }
    if (!this.#isOpening) return;
    this.#state = 'open';
    const queue = this.#queue;
    this.#queue = [];
    for (const request of queue) this.receive(request);
  }

  async #reload(): Promise<void> {
    if (this.#isGone) return;
    this.#forgetState();
    await this.#load();
  }

  async #load(): Promise<void> {
    const { store, kernels, codecs, clock, onWarning } = this.parts;
    const { name, config } = this.spec;
    if (this.#isGone) return;
    const log = await PartitionLog.open({
      store,
      name,
      kernels,
      codecs,
      config,
      onWarning,
      nowMs: clock.now(),
    });
    if (this.#isGone) return;
    log.highWatermark = log.logEndOffset;
    this.#leaderEpoch = this.spec.leaderEpoch(log);
    this.#log = log;
    this.#appends = new Appends(this, log);
    this.#fetches = new Fetches(this, log);
    this.#lookups = new Lookups(this, log);
    this.#markers = new Markers(this, log);
    this.#shares = new SharePartitions(this, log);
    if (this.spec.machine !== undefined) {
      this.#coordinator = new Coordinator(this, log, this.spec.machine(this.#leaderEpoch));
      await this.#coordinator.load();
    }
    if (this.#isGone) return;
    const writes = log.beginEpoch(this.#leaderEpoch);
    if (writes.length > 0) this.commit(writes);
    this.#coordinator?.boot();
  }

  /** Known as stored from the start, so that a drop meanwhile comes behind it. */
  async #create(): Promise<void> {
    const { name, stored } = this.spec;
    if (stored.has(name.log)) return;
    stored.add(name.log);
    try {
      await this.parts.store.commit([{ type: 'create', ...name }]);
    } catch (error) {
      stored.delete(name.log);
      throw error;
    }
  }

  /** No more when its first writes have failed already. */
  get #isOpening(): boolean {
    return this.#state === 'opening';
  }

  /** `drop` may come while something is awaited. */
  get #isGone(): boolean {
    return this.#state === 'gone';
  }

  #handle(request: ShardRequest): void {
    switch (request.apiKey) {
      case produceApi.key:
        return this.#appends?.produce(request);
      case fetchApi.key:
        return this.#fetches?.fetch(request);
      case listOffsetsApi.key:
        return this.#lookups?.listOffsets(request);
      case offsetForLeaderEpochApi.key:
        return this.#lookups?.offsetForLeaderEpoch(request);
      case deleteRecordsApi.key:
        return deleteRecords(this, request);
      case writeTxnMarkersApi.key:
        return this.#markers?.write(request);
      case shareFetchApi.key:
        return this.#shares?.fetch(request);
      case shareAcknowledgeApi.key:
        return this.#shares?.acknowledge(request);
      case describeProducersApi.key:
        return this.#lookups?.describeProducers(request);
      default:
        if (this.#coordinator === undefined) return this.refuse(request.from, ErrorCode.NOT_COORDINATOR);
        this.#coordinator.handle(request);
    }
  }

  /** A producer's transaction has its marker, which is about to be committed. */
  ended(end: TransactionEnd): void {
    this.#appends?.ended(end.producerId);
    this.#coordinator?.ended(end);
  }

  /** Hands writes to the store; what waits for the high watermark goes on when they are durable. */
  commit(writes: readonly LogWrite[]): void {
    const log = this.#log;
    if (log === undefined) return;
    for (const write of writes) if (write.type === 'append') this.#appendedBytes += write.bytes.length;
    const promise = this.parts.store.commit(writes);
    const { logEndOffset: endOffset } = log;
    const endBytes = this.#appendedBytes;
    if (this.#round?.promise === promise) {
      this.#round.endOffset = endOffset;
      this.#round.endBytes = endBytes;
      return;
    }
    const round = { promise, endOffset, endBytes };
    this.#round = round;
    this.#openRounds++;
    const { clock, meter } = this.parts;
    const startedAtMs = clock.now();
    promise.then(
      () => {
        meter?.committed(clock.now() - startedAtMs);
        this.#committed(log, round);
      },
      (error) => {
        if (this.#log === log) this.#fail(error);
      },
    );
  }

  #committed(log: PartitionLog, { endOffset, endBytes }: { endOffset: Offset; endBytes: number }): void {
    if (this.#log !== log) return;
    this.#openRounds--;
    if (this.#openRounds === 0) this.#round = undefined;
    this.committedBytes = endBytes;
    if (endOffset > log.highWatermark) {
      log.highWatermark = endOffset;
      this.#coordinator?.committed(endOffset);
    }
    this.#waiting.release(log.highWatermark, this.parts.reply);
    this.#fetches?.advanced();
    this.#shares?.advanced();
  }

  /** Resolves when all that was handed to the store is durable, or the shard has failed. */
  async settled(): Promise<void> {
    await this.#round?.promise.catch(() => undefined);
  }

  /** Sends a reply once all below `offset` is committed, after the replies that were given before it. */
  replyAfter(offset: Offset, reply: ShardReply): void {
    const log = this.#log;
    if (log !== undefined && this.#waiting.size === 0 && offset <= log.highWatermark) this.parts.reply(reply);
    else this.#waiting.add(offset, reply);
  }

  /** Answers with nothing but an error. */
  refuse(to: Address, errorCode: number): void {
    this.parts.reply({ to, body: undefined, errorCode });
  }

  /**
   * Says so to people and to whoever asked. What is written is not in doubt, so the shard goes on, unless the store
   * wants to mend the log.
   */
  readFailed(to: Address, error: unknown): void {
    if (error instanceof LogDamaged) this.storageFailed(error);
    else this.#warn(`read failed: ${messageOf(error)}`, error);
    this.refuse(to, ErrorCode.KAFKA_STORAGE_ERROR);
  }

  /** The store wants to mend the log, or has given it up, as whoever worked on it has found. */
  storageFailed(error: unknown): void {
    if (this.#log !== undefined) this.#fail(error);
  }

  #warn(message: string, err: unknown): void {
    const { topic, partition } = this.spec.name;
    this.parts.onWarning(`${topic}-${partition}: ${message}`, { component: 'shard', topic, partition, err });
  }

  #fail(error: unknown): void {
    this.#failure = messageOf(error);
    this.#warn(`cannot be served (${this.#failure}); its state is dropped and will be reloaded`, error);
    this.#failedAtMs = this.parts.clock.now();
    this.#state = 'failed';
    if (this.#log) this.refusals.addUncommitted(this.#log, this.#failedAtMs);
    this.#forgetAll(ErrorCode.KAFKA_STORAGE_ERROR);
    if (!this.spec.isNeeded) return;
    const reloadAtMs = this.#failedAtMs + RELOAD_AFTER_MS;
    this.#cancelReload = this.parts.clock.at(reloadAtMs, () => void this.open());
  }

  #forgetAll(errorCode: number): void {
    const waiting = [
      ...this.#waiting.drain().map(({ to }) => to),
      ...(this.#fetches?.stop() ?? []),
      ...(this.#shares?.stop() ?? []),
      ...(this.#coordinator?.drain() ?? []),
    ];
    const unheard = [...(this.#appends?.stop() ?? []), ...this.#queue];
    this.#queue = [];
    this.#forgetState();
    for (const to of waiting) this.refuse(to, errorCode);
    this.#refuseAll(unheard, errorCode);
  }

  #refuseAll(requests: readonly ShardRequest[], errorCode: number): void {
    for (const request of requests) {
      if (request.apiKey === produceApi.key) this.refusals.add(recordsOf(request), this.parts.clock.now());
      this.refuse(request.from, errorCode);
    }
  }

  #forgetState(): void {
    this.#coordinator?.stop();
    this.#log = undefined;
    this.#appends = undefined;
    this.#fetches = undefined;
    this.#lookups = undefined;
    this.#markers = undefined;
    this.#shares = undefined;
    this.#coordinator = undefined;
    this.#round = undefined;
    this.#openRounds = 0;
  }

  /** The topic is deleted: nothing is accepted any more. The caller drops the log in the store. */
  drop(): void {
    this.#state = 'gone';
    this.#forgetAll(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  }

  /** Before a clean shutdown: what makes the next start fast. */
  closingWrites(): readonly LogWrite[] {
    this.#coordinator?.stop();
    this.#cancelReload?.();
    return this.#log?.snapshotWrites() ?? [];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
