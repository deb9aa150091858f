import type { Kernels } from '../kernels/kernels.ts';
import type { AbortedTransaction } from '../model/aborted.ts';
import { ErrorCode } from '../model/errors.ts';
import type { Millis, Offset } from '../model/ids.ts';
import { records } from '../records/batch.ts';
import type { Record } from '../records/batch.ts';
import { CODEC } from '../records/codecs.ts';
import { ControlType, controlType, markerCoordinatorEpoch } from '../records/control.ts';
import type { BatchHeader } from '../records/header.ts';
import type { AppendOrigin, Marker } from './append.ts';
import { follows, sequenceAfter } from '../records/sequences.ts';

/** A retry may come back for any of this many batches in flight (`max.in.flight.requests.per.connection`). */
export const REMEMBERED_BATCHES = 5;

/** One batch of a producer that is in the log. */
export interface BatchMark {
  firstSequence: number;
  lastSequence: number;
  firstOffset: Offset;
  lastOffset: Offset;
  timestamp: Millis;
}

export interface ProducerState {
  producerId: number;
  epoch: number;
  /** Oldest first, of this epoch only. */
  batches: BatchMark[];
  /** Of the last transaction marker, -1 when there was none. */
  coordinatorEpoch: number;
  /** Where its open transaction began in this log, -1 when none is open. */
  txnFirstOffset: Offset;
  lastTimestamp: Millis;
}

/** A transaction that had written to this log and has its marker there. */
export interface EndedTransaction extends AbortedTransaction {
  isAborted: boolean;
}

/** Who made a batch, and by which rules of transactions. */
export interface CheckOptions {
  origin: AppendOrigin;
  /** `transaction.version` of the producer: from 2 on its epoch moves with each end (KIP-890). */
  transactionVersion?: number | undefined;
}

export type Verdict =
  | { type: 'ok' }
  | { type: 'duplicate'; batch: BatchMark }
  /** A marker that is there already. */
  | { type: 'repeated' }
  | { type: 'error'; errorCode: number; message: string };

/** Longer than clients go on sending a batch (delivery.timeout.ms, 2 minutes by default). */
const RETRY_GRACE_MS = 15 * 60 * 1000;

const OK: Verdict = { type: 'ok' };

/**
 * What each idempotent producer last wrote to one log: makes its retries harmless and its gaps visible
 * (KIP-98).
 */
export class ProducerStates {
  readonly #states = new Map<number, ProducerState>();
  /** By our clock. Not part of the log's state: lost with the process. */
  readonly #seenMs = new Map<number, Millis>();
  /** Where open transactions began, by producer id. */
  readonly #open = new Map<number, Offset>();
  #firstUnstable: Offset | undefined;

  get size(): number {
    return this.#states.size;
  }

  get(producerId: number): Readonly<ProducerState> | undefined {
    return this.#states.get(producerId);
  }

  /** In order of producer id, so that equal states give equal snapshots. */
  all(): Readonly<ProducerState>[] {
    return [...this.#states.values()].sort((a, b) => a.producerId - b.producerId);
  }

  /** Takes a state read from a snapshot. */
  restore(state: ProducerState): void {
    this.#states.set(state.producerId, state);
    if (state.txnFirstOffset >= 0) this.#begin(state.producerId, state.txnFirstOffset);
  }

  /** May this batch be appended? Changes nothing. In Kafka's order: epoch, sequence, transaction. */
  check(batch: BatchHeader, options: CheckOptions): Verdict {
    if (batch.producerId < 0) return OK;
    const state = this.#states.get(batch.producerId);
    const { origin, transactionVersion = 0 } = options;
    if (state === undefined) {
      const isMissed = batch.isTransactional && transactionVersion >= 2 && batch.baseSequence > 0;
      return isMissed ? outOfOrder(batch, -1) : OK;
    }
    if (origin === 'client') {
      const mark = findDuplicate(state, batch);
      if (mark) return { type: 'duplicate', batch: mark };
    }
    if (batch.producerEpoch < state.epoch) {
      const message = `epoch ${batch.producerEpoch} of producer ${state.producerId} is over: ${state.epoch}`;
      return { type: 'error', errorCode: ErrorCode.INVALID_PRODUCER_EPOCH, message };
    }
    return origin === 'client' ? checkSequence(state, batch) : OK;
  }

  /** May a transaction of this producer be ended? */
  checkMarker({ producerId, producerEpoch, coordinatorEpoch, transactionVersion }: Marker): Verdict {
    const state = this.#states.get(producerId);
    if (state === undefined) return OK;
    const isSame = producerEpoch === state.epoch;
    // Its epoch is of this end alone: whatever was written under it comes after the marker.
    const isRepeated = transactionVersion >= 2 && isSame && state.txnFirstOffset < 0;
    if (producerEpoch < state.epoch || (transactionVersion >= 2 && isSame && !isRepeated)) {
      const message = `a marker of epoch ${producerEpoch} ends nothing of producer ${producerId}: ${state.epoch}`;
      return { type: 'error', errorCode: ErrorCode.INVALID_PRODUCER_EPOCH, message };
    }
    if (coordinatorEpoch < state.coordinatorEpoch) {
      const message = `coordinator epoch ${coordinatorEpoch} is over: ${state.coordinatorEpoch}`;
      return { type: 'error', errorCode: ErrorCode.TRANSACTION_COORDINATOR_FENCED, message };
    }
    return isRepeated && state.coordinatorEpoch >= 0 ? { type: 'repeated' } : OK;
  }

  /**
   * Takes in a batch that is in the log at its base offset, live and on replay alike. @param nowMs live
   * only. @returns the transaction that ends with it.
   */
  update(batch: BatchHeader, kernels: Kernels, nowMs?: Millis): EndedTransaction | undefined {
    if (batch.producerId < 0) return undefined;
    if (nowMs !== undefined) this.#seenMs.set(batch.producerId, nowMs);
    const state = this.#stateFor(batch);
    state.lastTimestamp = batch.maxTimestamp;
    if (batch.isControl) return this.#end(state, batch, kernels);
    if (remember(state, batch)) this.#begin(state.producerId, state.txnFirstOffset);
    return undefined;
  }

  /** Forgets producers not seen for `idleMs` that have no transaction open. */
  expire(nowMs: Millis, idleMs: Millis): void {
    for (const { producerId, txnFirstOffset } of this.#states.values()) {
      const seenMs = this.#seenMs.get(producerId) ?? nowMs;
      if (txnFirstOffset < 0 && nowMs - seenMs >= idleMs) {
        this.#states.delete(producerId);
        this.#seenMs.delete(producerId);
      }
    }
  }

  /**
   * After a load: when each was last seen. Kafka counts from the last record's timestamp and so forgets, at a
   * restart, a producer that writes records of last week; here all have time to retry what was in flight.
   */
  seenBeforeLoad(nowMs: Millis, idleMs: Millis): void {
    for (const { producerId, lastTimestamp } of this.#states.values()) {
      const atLeast = Math.max(lastTimestamp, nowMs - idleMs + RETRY_GRACE_MS);
      this.#seenMs.set(producerId, Math.min(atLeast, nowMs));
    }
  }

  /** Start of the earliest open transaction, undefined when none is open. */
  get firstUnstableOffset(): Offset | undefined {
    return this.#firstUnstable;
  }

  #begin(producerId: number, offset: Offset): void {
    this.#open.set(producerId, offset);
    this.#firstUnstable = Math.min(this.#firstUnstable ?? Infinity, offset);
  }

  /** The snapshot file has one time for a producer and its last batch, so a marker moves both. */
  #end(state: ProducerState, batch: BatchHeader, kernels: Kernels): EndedTransaction | undefined {
    const marker = firstRecord(batch, kernels);
    const type = controlType(marker?.key ?? null);
    if (type !== ControlType.abort && type !== ControlType.commit) return undefined;
    const { producerId, txnFirstOffset: firstOffset } = state;
    state.coordinatorEpoch = markerCoordinatorEpoch(marker?.value ?? null);
    state.txnFirstOffset = -1;
    const mark = state.batches.at(-1);
    if (mark) mark.timestamp = batch.maxTimestamp;
    if (!this.#open.delete(producerId)) return undefined;
    if (this.#firstUnstable === firstOffset) {
      const first = Math.min(...this.#open.values());
      this.#firstUnstable = first === Infinity ? undefined : first;
    }
    const { baseOffset: lastOffset } = batch;
    const lastStableOffset = this.#firstUnstable ?? lastOffset + 1;
    const isAborted = type === ControlType.abort;
    return { producerId, firstOffset, lastOffset, lastStableOffset, isAborted };
  }

  #stateFor({ producerId, producerEpoch, maxTimestamp }: BatchHeader): ProducerState {
    let state = this.#states.get(producerId);
    if (!state) {
      state = {
        producerId,
        epoch: producerEpoch,
        batches: [],
        coordinatorEpoch: -1,
        txnFirstOffset: -1,
        lastTimestamp: maxTimestamp,
      };
      this.#states.set(producerId, state);
    } else if (state.epoch !== producerEpoch) {
      state.epoch = producerEpoch;
      state.batches = [];
    }
    return state;
  }
}

function findDuplicate(state: ProducerState, batch: BatchHeader): BatchMark | undefined {
  if (batch.producerEpoch !== state.epoch) return undefined;
  const first = batch.baseSequence;
  const last = sequenceAfter(first, batch.lastOffsetDelta);
  return state.batches.find((mark) => mark.firstSequence === first && mark.lastSequence === last);
}

function checkSequence(state: ProducerState, batch: BatchHeader): Verdict {
  const last = batch.producerEpoch === state.epoch ? (state.batches.at(-1)?.lastSequence ?? -1) : -1;
  if (!follows(last, batch.baseSequence)) return outOfOrder(batch, last);
  if (state.txnFirstOffset < 0 || batch.isTransactional) return OK;
  const message = `producer ${state.producerId} has a transaction open and wrote outside it`;
  return { type: 'error', errorCode: ErrorCode.INVALID_TXN_STATE, message };
}

function outOfOrder({ baseSequence, producerId }: BatchHeader, last: number): Verdict {
  const message = `sequence ${baseSequence} of producer ${producerId} does not follow ${last}`;
  return { type: 'error', errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, message };
}

/** @returns whether a transaction begins with it. */
function remember(state: ProducerState, batch: BatchHeader): boolean {
  state.batches.push({
    firstSequence: batch.baseSequence,
    lastSequence: sequenceAfter(batch.baseSequence, batch.lastOffsetDelta),
    firstOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    timestamp: batch.maxTimestamp,
  });
  if (state.batches.length > REMEMBERED_BATCHES) state.batches.shift();
  if (!batch.isTransactional || state.txnFirstOffset >= 0) return false;
  state.txnFirstOffset = batch.baseOffset;
  return true;
}

/** Control batches are never compressed. */
function firstRecord(batch: BatchHeader, kernels: Kernels): Record | undefined {
  if (batch.codec !== CODEC.none || batch.recordsCount < 1) return undefined;
  const found = records(batch.bytes, kernels, new Map());
  return found instanceof Promise ? undefined : found.at(0);
}
