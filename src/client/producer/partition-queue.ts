import type { Millis } from '../../model/ids.ts';
import type { ProducerStamp } from '../../records/header.ts';
import { sequenceAfter } from '../../records/sequences.ts';
import type { Batch, Stored } from './batch.ts';
import type { Situation, Verdict } from './verdict.ts';

/** Of an idempotent producer. */
export interface ProducerIdentity {
  producerId: number;
  producerEpoch: number;
  /** It is that of one transaction: its epoch is not ours to move. */
  isTransactional?: boolean;
}

/** A broker remembers the last five batches of a producer and partition: what is under way can be sent again. */
export const SENDING_MAX = 5;
const EPOCH_MAX = 0x7fff;

/**
 * The batches of one partition, oldest first, and the numbers they are sent under. It keeps their order whatever fails:
 * what is sent again goes before all that is younger, once nothing younger is under way. It decides, others send.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  readonly #sendingMax: number;
  readonly #isIdempotent: boolean;
  #batches: Batch[] = [];
  #sending = 0;
  #identity: ProducerIdentity | undefined;
  #nextSequence = 0;
  /** The broker has a batch of ours. To a log that knows nothing of a producer any number is the first. */
  #isKnown = false;
  /** What waits is numbered anew once nothing is under way. */
  #mustRenumber = false;
  /** Failures in a row. */
  failures = 0;
  /** Nothing is sent before. */
  notBeforeMs: Millis = 0;
  /** Where what is under way was sent: only there do the next ones come behind it. */
  via: object | undefined;
  lastError: Error | undefined;
  /** Whoever sends waits for something that this queue needs. */
  isHeld = false;
  /** The coordinator knows that it is part of the transaction. */
  isAdmitted = false;

  constructor(
    place: { topic: string; partition: number },
    { isIdempotent, sendingMax }: { isIdempotent: boolean; sendingMax: number },
  ) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.#isIdempotent = isIdempotent;
    this.#sendingMax = sendingMax;
  }

  get batches(): readonly Batch[] {
    return this.#batches;
  }

  /** How many are without an answer. */
  get sending(): number {
    return this.#sending;
  }

  /** The youngest, while it takes records. */
  get open(): Batch | undefined {
    const last = this.#batches.at(-1);
    return last?.state === 'open' ? last : undefined;
  }

  /** Whether an identity has to be given before anything is sent. */
  get needsIdentity(): boolean {
    return this.#isIdempotent && this.#identity === undefined;
  }

  identify(identity: ProducerIdentity): void {
    this.#identity = identity;
    this.#nextSequence = 0;
    this.#isKnown = false;
  }

  push(batch: Batch): void {
    const before = this.open;
    if (before !== undefined) before.state = 'waiting';
    this.#batches.push(batch);
  }

  /** The next to be sent now. @param isDue whether one that takes records need not wait for more. */
  next(nowMs: Millis, isDue: (batch: Batch) => boolean): Batch | undefined {
    if (nowMs < this.notBeforeMs) return undefined;
    if (this.#mustRenumber && this.#sending > 0) return undefined;
    const batch = this.#batches[this.#sending];
    // While a younger one is under way, the older one has to wait for its answer.
    if (batch === undefined || batch.state === 'sending') return undefined;
    if (this.#batches.slice(0, this.#sending).some(({ state }) => state !== 'sending')) return undefined;
    const most = this.#isIdempotent && !this.#isKnown ? 1 : this.#sendingMax;
    if (this.#sending >= most) return undefined;
    return batch.state === 'open' && !isDue(batch) ? undefined : batch;
  }

  /** It is being sent: gets its number if it has none. */
  send(batch: Batch, via: object): void {
    if (this.#mustRenumber) this.#renumber();
    if (this.#isIdempotent && batch.stamp === undefined) batch.stamp = this.#number(batch);
    batch.state = 'sending';
    batch.attempts++;
    this.#sending++;
    this.via = via;
  }

  /** What a verdict depends on. */
  situationOf(batch: Batch): Situation {
    const { isRenumbered } = batch;
    const isTransactional = this.#identity?.isTransactional ?? false;
    const isOldest = this.#batches[0] === batch;
    return { isIdempotent: this.#isIdempotent, isTransactional, isOldest, isRenumbered };
  }

  /** What was sent has its answer. @param error what its records are told when it is refused. */
  answered(batch: Batch, verdict: Verdict, { stored, error }: { stored: Stored; error: Error }): void {
    this.#sending--;
    this.lastError = error;
    if (verdict === 'stored') {
      this.#isKnown = true;
      this.failures = 0;
      this.#remove(batch);
      return batch.stored(stored);
    }
    const halves = verdict === 'smaller' && !batch.isExpired ? batch.split() : undefined;
    if (halves !== undefined) {
      this.#batches.splice(this.#batches.indexOf(batch), 1, ...halves);
      return;
    }
    // One whose time is up is not sent again: what becomes of its number is seen by the next one.
    if (batch.isExpired || verdict === 'refused' || verdict === 'smaller') {
      this.#remove(batch);
      return batch.failed(error);
    }
    batch.state = 'waiting';
    if (verdict !== 'anew') return;
    batch.isRenumbered = true;
    this.#mustRenumber = true;
  }

  /** Gives up what is too old. @returns when the next one is; undefined when there is none. */
  expire(nowMs: Millis, errorOf: (batch: Batch) => Error): Millis | undefined {
    for (let at = 0; ;) {
      const batch = this.#batches[at];
      if (batch === undefined || batch.deadlineMs > nowMs) return batch?.deadlineMs;
      if (batch.state === 'sending') at++;
      this.#giveUp(batch, errorOf(batch));
    }
  }

  /** Gives up all of it. */
  failAll(error: Error): void {
    for (const batch of this.#batches.slice()) this.#giveUp(batch, error);
  }

  /** One that a broker has keeps its place, and its number, until that is answered. */
  #giveUp(batch: Batch, error: Error): void {
    if (batch.state === 'sending') return batch.expire(error);
    this.#remove(batch);
    batch.failed(error);
  }

  #remove(batch: Batch): void {
    this.#batches.splice(this.#batches.indexOf(batch), 1);
  }

  #number(batch: Batch): ProducerStamp | undefined {
    if (this.#identity === undefined) return undefined;
    const stamp = { ...this.#identity, baseSequence: this.#nextSequence };
    this.#nextSequence = sequenceAfter(this.#nextSequence, batch.content.recordsCount);
    return stamp;
  }

  /**
   * A higher epoch begins at 0 again (KIP-360), and the broker takes nothing of the old one any more, should it still
   * be on its way somewhere.
   */
  #renumber(): void {
    this.#mustRenumber = false;
    for (const batch of this.#batches) batch.renumber();
    this.#nextSequence = 0;
    const { producerId, producerEpoch } = this.#identity ?? { producerId: -1, producerEpoch: EPOCH_MAX };
    this.#identity = producerEpoch < EPOCH_MAX ? { producerId, producerEpoch: producerEpoch + 1 } : undefined;
  }
}
