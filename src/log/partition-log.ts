import type { Kernels } from '../kernels/kernels.ts';
import type { AbortedTransaction } from '../model/aborted.ts';
import { ErrorCode } from '../model/errors.ts';
import { invariant } from '../model/assert.ts';
import type { LeaderEpoch, Millis, Offset } from '../model/ids.ts';
import type { RemotePlace } from '../ports/remote-storage.ts';
import type { LogName, LogStore, LogWrite, ReadRange } from '../ports/log-store.ts';
import type { Codecs, MaybePromise } from '../records/codecs.ts';
import { buildBatch } from '../records/builder.ts';
import { ControlType, controlKey, markerValue } from '../records/control.ts';
import { BatchHeader } from '../records/header.ts';
import { ActiveSegment } from './active-segment.ts';
import { refused } from './append.ts';
import type { Appended, AppendOptions, AppendResult, Marker, Refused, TimestampOffset } from './append.ts';
import type { LogConfig } from './config.ts';
import { EPOCHS_NAME } from './epochs.ts';
import type { EpochCache } from './epochs.ts';
import { batchStartAt, loadLog, rebuildProducers } from './load.ts';
import type { LoadedLog } from './load.ts';
import { findTimestamp } from './lookup.ts';
import { checkProduced, prepareProduced } from './produce-checks.ts';
import { encodeSnapshot } from './producer-snapshot.ts';
import type { EndedTransaction, ProducerStates } from './producers.ts';
import { retainedFrom } from './retention.ts';
import { Snapshots } from './snapshots.ts';

/** Kafka's producer.id.expiration.check.interval.ms. */
const EXPIRY_CHECK_MS = 10 * 60 * 1000;
/** Producers that send it move their epoch with each transaction (KIP-890). */
export const TRANSACTIONS_V2_SINCE_PRODUCE_VERSION = 12;

type MarkerOptions = Pick<AppendOptions, 'leaderEpoch' | 'nowMs'>;

export interface LogParts {
  store: LogStore;
  name: LogName;
  kernels: Kernels;
  codecs: Codecs;
  /** Asked at every use: settings change while a log is open. */
  config: () => LogConfig;
  onWarning?: (message: string) => void;
}

/**
 * One partition's log over a store. It decides at once and remembers at once: its offsets, epochs and
 * producers run ahead of the store by the writes it has handed out, which the caller commits in that order.
 * When a commit fails the caller throws the whole object away and opens it again. Not reentrant: one
 * caller, one call at a time.
 */
export class PartitionLog {
  /** All below is committed. Kept here, moved by the shard alone. */
  highWatermark: Offset;
  readonly epochs: EpochCache;
  readonly #parts: LogParts;
  readonly #snapshots: Snapshots;
  #producers: ProducerStates;
  /** Transactions whose marker was not committed when somebody looked last. */
  #ended: EndedTransaction[] = [];
  /** Undefined after a truncation: the store knows once it has been told. */
  #segment: ActiveSegment | undefined;
  #startOffset: Offset;
  #endOffset: Offset;
  #expiredAtMs: Millis;

  /**
   * Opens the store's log, which exists, and rebuilds what is not stored from the newest usable snapshot on.
   */
  static async open(parts: LogParts & { nowMs: Millis }): Promise<PartitionLog> {
    return new PartitionLog(parts, await loadLog(parts, parts.nowMs), parts.nowMs);
  }

  private constructor(parts: LogParts, loaded: LoadedLog, nowMs: Millis) {
    this.#parts = parts;
    this.#expiredAtMs = nowMs;
    this.epochs = loaded.epochs;
    this.#producers = loaded.producers;
    this.#snapshots = loaded.snapshots;
    this.#segment = loaded.segment;
    this.#startOffset = loaded.extent.logStartOffset;
    this.#endOffset = loaded.extent.logEndOffset;
    this.highWatermark = this.#startOffset;
  }

  get name(): LogName {
    return this.#parts.name;
  }
  get logStartOffset(): Offset {
    return this.#startOffset;
  }
  get logEndOffset(): Offset {
    return this.#endOffset;
  }
  /** -1 before the first one. */
  get latestEpoch(): LeaderEpoch {
    return this.epochs.latest;
  }
  get producers(): ProducerStates {
    return this.#producers;
  }

  /** True when `prepare` must come before `append`: the topic repacks what clients send. */
  get needsPrepare(): boolean {
    return this.#parts.config().compressionType !== 'producer';
  }

  /**
   * The batch as this topic stores it (`compression.type`), or why it cannot be. Only when
   * {@link needsPrepare}; a batch that `append` would refuse comes back as it is. Later calls may overtake:
   * the caller keeps the order.
   */
  prepare(bytes: Uint8Array): MaybePromise<Uint8Array | Refused> {
    return prepareProduced(bytes, { ...this.#parts, config: this.#parts.config() });
  }

  /**
   * Checks one batch, gives it its offset and leader epoch in place, and says what to commit. `bytes`
   * belongs to the log from now on.
   */
  append(bytes: Uint8Array, options: AppendOptions): AppendResult {
    const { kernels, codecs } = this.#parts;
    const config = this.#parts.config();
    const { nowMs, apiVersion } = options;
    const header = new BatchHeader(bytes);
    if (options.origin === 'client') {
      const refusal = checkProduced(bytes, header, { kernels, codecs, config, nowMs, apiVersion });
      if (refusal) return refusal;
    } else {
      invariant(kernels.validateBatch(bytes) === 0, 'a coordinator appends whole batches');
    }
    this.#expireProducers(nowMs, config);
    const transactionVersion = (apiVersion ?? 0) >= TRANSACTIONS_V2_SINCE_PRODUCE_VERSION ? 2 : 1;
    const verdict = this.#producers.check(header, { origin: options.origin, transactionVersion });
    if (verdict.type === 'error') return refused(verdict.errorCode, verdict.message);
    if (verdict.type === 'duplicate') {
      const { firstOffset, lastOffset, timestamp } = verdict.batch;
      const logAppendTimeMs = appendTimeMs(timestamp, config);
      const logStartOffset = this.#startOffset;
      return { type: 'duplicate', baseOffset: firstOffset, lastOffset, logAppendTimeMs, logStartOffset };
    }
    if (config.timestampType === 'LogAppendTime' && options.origin === 'client') {
      header.setLogAppendTime(nowMs);
      header.seal(kernels);
    }
    header.stamp(this.#endOffset, options.leaderEpoch);
    return this.#accept(bytes, header, { config, nowMs });
  }

  /**
   * Ends a producer's transaction with a control batch.
   * @returns undefined when that marker is there already.
   */
  appendMarker(marker: Marker, { leaderEpoch, nowMs }: MarkerOptions): Appended | Refused | undefined {
    const { kernels } = this.#parts;
    const verdict = this.#producers.checkMarker(marker);
    if (verdict.type === 'error') return refused(verdict.errorCode, verdict.message);
    if (verdict.type === 'repeated') return undefined;
    const { producerId, producerEpoch, coordinatorEpoch, isCommit } = marker;
    const key = controlKey(isCommit ? ControlType.commit : ControlType.abort);
    const bytes = buildBatch(kernels, {
      records: [{ key, value: markerValue(coordinatorEpoch), timestamp: nowMs }],
      producerId,
      producerEpoch,
      isTransactional: true,
      isControl: true,
    });
    const header = new BatchHeader(bytes);
    header.stamp(this.#endOffset, leaderEpoch);
    return this.#accept(bytes, header, { config: this.#parts.config(), nowMs });
  }

  /** Why a client's batch would be refused for what it is, whatever was written before it. */
  refusalOf(
    bytes: Uint8Array,
    { nowMs, apiVersion }: { nowMs: Millis; apiVersion: number },
  ): Refused | undefined {
    const { kernels, codecs } = this.#parts;
    const context = { kernels, codecs, config: this.#parts.config(), nowMs, apiVersion };
    return checkProduced(bytes, new BatchHeader(bytes), context);
  }

  /** All below is committed, and no record there is of a transaction that is still open. */
  get lastStableOffset(): Offset {
    let stable = Math.min(this.highWatermark, this.#producers.firstUnstableOffset ?? Infinity);
    this.#forgetCommitted();
    for (const { firstOffset } of this.#ended) stable = Math.min(stable, firstOffset);
    return Math.max(stable, this.#startOffset);
  }

  /**
   * The aborted transactions of which a reader of that range sees records, in the order of their first offsets; below
   * `endOffset` all is stable.
   */
  aborted(range: { fromOffset: Offset; endOffset: Offset }): readonly AbortedTransaction[] {
    const found = this.#parts.store.aborted(this.name.log, range);
    return found.length < 2 ? found : found.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Of aborted transactions with these markers no record is left: readers are not told of them any more. */
  forgetAborted(markers: ReadonlySet<Offset>): LogWrite[] {
    if (markers.size === 0) return [];
    const { log } = this.name;
    const known = this.#parts.store.aborted(log, { fromOffset: 0, endOffset: Infinity });
    const transactions = known.filter(({ lastOffset }) => !markers.has(lastOffset));
    return transactions.length === known.length
      ? []
      : [{ type: 'aborted', log, fromOffset: 0, transactions }];
  }

  /**
   * Whole batches from the store; undefined when `fromOffset` is below the log start or above the log end
   * (OFFSET_OUT_OF_RANGE).
   */
  read(range: ReadRange): MaybePromise<Uint8Array> | undefined {
    if (range.fromOffset < this.#startOffset || range.fromOffset > this.#endOffset) return undefined;
    return this.#parts.store.read(this.name.log, range);
  }

  /** See {@link LogStore.remoteAt}. */
  remoteAt(offset: Offset): RemotePlace | undefined {
    return this.#parts.store.remoteAt?.(this.name.log, offset);
  }

  get remoteSegments(): readonly RemotePlace[] {
    return this.#parts.store.remoteSegments?.(this.name.log) ?? [];
  }

  /**
   * First record at or after a time, as ListOffsets asks: a timestamp, or `LookupTime`'s latest (gives
   * `endOffset`), earliest, max timestamp, earliest local.
   * @param endOffset high watermark or last stable offset: nothing at or above it is found.
   */
  offsetForTimestamp(target: Millis, endOffset: Offset): Promise<TimestampOffset> {
    return findTimestamp(
      { ...this.#parts, epochs: this.epochs },
      { target, start: this.#startOffset, endOffset },
    );
  }

  /** A leader begins its reign, before its first record: its epoch starts at the log end. */
  beginEpoch(epoch: LeaderEpoch): LogWrite[] {
    return this.epochs.assign(epoch, this.#endOffset) ? [this.#putEpochs()] : [];
  }

  /**
   * Divergence: drops every batch that reaches `offset` or beyond, and rebuilds producers from what is left.
   */
  async truncateTo(offset: Offset): Promise<LogWrite[]> {
    if (offset >= this.#endOffset) return [];
    const newEnd = await batchStartAt(this.#parts, Math.max(offset, this.#startOffset));
    const { producers } = await rebuildProducers(this.#parts, this.#snapshots, {
      start: this.#startOffset,
      end: newEnd,
    });
    producers.seenBeforeLoad(this.#expiredAtMs, this.#parts.config().producerIdExpirationMs);
    const { log } = this.name;
    const writes: LogWrite[] = [{ type: 'truncate', log, toOffset: offset }];
    writes.push(...this.#snapshots.dropAbove(newEnd));
    if (this.epochs.truncateFromEnd(newEnd)) writes.push(this.#putEpochs());
    this.#producers = producers;
    this.#ended = [];
    this.#endOffset = newEnd;
    this.#segment = undefined;
    this.highWatermark = Math.min(this.highWatermark, newEnd);
    return writes;
  }

  /** Moves the log start forward (DeleteRecords, retention), never back; refused above the high watermark. */
  trimTo(offset: Offset): LogWrite[] | Refused {
    if (offset > this.highWatermark)
      return refused(ErrorCode.OFFSET_OUT_OF_RANGE, 'above the high watermark');
    if (offset <= this.#startOffset) return [];
    this.#startOffset = offset;
    // Producers outlive their records: replay cannot find these any more.
    const writes = this.snapshotWrites();
    const { fileDeleteDelayMs } = this.#parts.config();
    writes.push({ type: 'trim', log: this.name.log, beforeOffset: offset, fileDeleteDelayMs });
    if (this.epochs.truncateFromStart(offset)) writes.push(this.#putEpochs());
    return writes;
  }

  /** Drops the segments that `retention.ms` and `retention.bytes` do not keep; an active one is rolled first. */
  deleteOldSegments(nowMs: Millis): LogWrite[] {
    const { store, config } = this.#parts;
    const { log } = this.name;
    const { highWatermark } = this;
    const from = retainedFrom(store.segments(log), { config: config(), nowMs, highWatermark });
    if (from === undefined || from <= this.#startOffset) return [];
    const isActive = from === this.#endOffset;
    const rolls: LogWrite[] = isActive ? [...this.snapshotWrites(), { type: 'roll', log }] : [];
    if (isActive) this.#segment = new ActiveSegment(this.name.log, from);
    const trims = this.trimTo(from);
    invariant(Array.isArray(trims), 'retention stays below the high watermark');
    return [...rolls, ...trims];
  }

  /** Producer state at the log end, so that the next open replays nothing; empty when it is there already. */
  snapshotWrites(): LogWrite[] {
    return this.#snapshots.take(this.#endOffset, () => encodeSnapshot(this.#producers, this.#parts.kernels));
  }

  #accept(
    bytes: Uint8Array,
    header: BatchHeader,
    { config, nowMs }: { config: LogConfig; nowMs: Millis },
  ): Appended {
    const { log } = this.name;
    const { baseOffset, lastOffset, maxTimestamp, partitionLeaderEpoch: epoch } = header;
    // Most batches are one write.
    const writes: LogWrite[] = [{ type: 'append', log, baseOffset, lastOffset, maxTimestamp, epoch, bytes }];
    let segment = this.#segment ?? ActiveSegment.before(log, baseOffset, this.#parts.store.segments(log));
    if (segment.mustRoll(header, config)) {
      writes.unshift(...this.snapshotWrites(), { type: 'roll', log });
      segment = new ActiveSegment(log, baseOffset);
    } else if (this.#snapshots.isDue) {
      writes.unshift(...this.snapshotWrites());
    }
    if (this.epochs.assign(epoch, baseOffset)) writes.unshift(this.#putEpochs());
    segment.add(header);
    this.#segment = segment;
    this.#snapshots.appended(bytes.length);
    const ended = this.#producers.update(header, this.#parts.kernels, nowMs);
    if (ended) writes.push(...this.#end(ended));
    this.#endOffset = lastOffset + 1;
    const logAppendTimeMs = appendTimeMs(maxTimestamp, config);
    return {
      type: 'appended',
      writes,
      baseOffset,
      lastOffset,
      logAppendTimeMs,
      logStartOffset: this.#startOffset,
    };
  }

  #end(ended: EndedTransaction): LogWrite[] {
    this.#forgetCommitted();
    this.#ended.push(ended);
    const { isAborted, ...transaction } = ended;
    if (!isAborted) return [];
    const { log } = this.name;
    return [{ type: 'aborted', log, fromOffset: transaction.lastOffset, transactions: [transaction] }];
  }

  /** Ends whose markers are committed hold nothing back. Markers stand in the order in which they were written. */
  #forgetCommitted(): void {
    if (this.#ended.length === 0) return;
    const first = this.#ended.findIndex(({ lastOffset }) => lastOffset >= this.highWatermark);
    this.#ended.splice(0, first < 0 ? this.#ended.length : first);
  }

  #expireProducers(nowMs: Millis, config: LogConfig): void {
    if (nowMs - this.#expiredAtMs < EXPIRY_CHECK_MS) return;
    this.#expiredAtMs = nowMs;
    this.#producers.expire(nowMs, config.producerIdExpirationMs);
  }

  #putEpochs(): LogWrite {
    return { type: 'put', log: this.name.log, name: EPOCHS_NAME, value: this.epochs.encode() };
  }
}

/** What an answer says of it: -1 where records keep their own time. */
function appendTimeMs(timestamp: Millis, { timestampType }: LogConfig): Millis {
  return timestampType === 'LogAppendTime' ? timestamp : -1;
}
