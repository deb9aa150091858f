import type { Millis } from '../model/ids.ts';
import type { Address, Ask, Decision, MachineRecord, MachineRequest, Reply } from '../model/machine.ts';
import { sizeOf } from '../wire/coordinator-record.ts';
import type { TxnConfig } from './config.ts';
import type { Markers } from './markers.ts';
import type { ProducerIds } from './producer-ids.ts';
import { transactionRecord } from './records.ts';
import type { TransactionRecord } from './records.ts';
import { SteadyTime } from './steady-time.ts';
import type { Transaction } from './transaction.ts';

/** A request with its body of the API's schema. */
export interface Asked<Body> extends MachineRequest {
  body: Body;
}

/** All that the decisions of one machine share. What the log says is in `transactions` alone. */
export class Context {
  readonly config: TxnConfig;
  readonly transactions = new Map<string, Transaction>();
  readonly markers: Markers;
  readonly producerIds: ProducerIds;
  readonly time = new SteadyTime();
  /** Open transactions, and when their time is up, in steady time. */
  readonly open = new Map<string, Millis>();
  /** When to look for open ones whose time is up, in steady time; never later than it is for any. */
  timeoutAtMs: Millis = Infinity;
  /** When to look for ids that nobody has used for long, by the wall clock. */
  expiryAtMs: Millis = Infinity;

  constructor(config: TxnConfig, parts: { markers: Markers; producerIds: ProducerIds }) {
    this.config = config;
    this.markers = parts.markers;
    this.producerIds = parts.producerIds;
  }

  get wakeAtMs(): Millis {
    return Math.min(this.time.wall(this.timeoutAtMs), this.expiryAtMs);
  }

  /** Makes a record of the log true. */
  apply({ transactionalId, transaction }: TransactionRecord, nowMs: Millis): void {
    if (transaction === null || transaction.state === 'Dead') {
      this.transactions.delete(transactionalId);
      this.open.delete(transactionalId);
      return;
    }
    this.transactions.set(transactionalId, transaction);
    if (transaction.state !== 'Ongoing') this.open.delete(transactionalId);
    else if (!this.open.has(transactionalId)) this.#open(transactionalId, transaction, nowMs);
    const { transactionalIdExpirationMs, transactionRemoveExpiredTransactionCleanupIntervalMs } = this.config;
    const earliestMs = nowMs + transactionRemoveExpiredTransactionCleanupIntervalMs;
    const expiresAtMs = transaction.updatedAtMs + transactionalIdExpirationMs;
    this.expiryAtMs = Math.min(this.expiryAtMs, Math.max(earliestMs, expiresAtMs));
  }

  /** What is read from the log began some time ago, but never in the future. */
  #open(transactionalId: string, { startedAtMs, timeoutMs }: Transaction, nowMs: Millis): void {
    const remainingMs = Math.min(timeoutMs, Math.max(0, startedAtMs + timeoutMs - nowMs));
    const dueAtMs = this.time.steady(nowMs) + remainingMs;
    this.open.set(transactionalId, dueAtMs);
    this.checkTimeoutAt(dueAtMs, nowMs);
  }

  /** Looks again and again while transactions are open, for a clock that is set to be noticed soon. */
  checkTimeoutAt(dueAtMs: Millis, nowMs: Millis): void {
    const { transactionAbortTimedOutTransactionCleanupIntervalMs: intervalMs } = this.config;
    this.timeoutAtMs = Math.min(this.timeoutAtMs, dueAtMs, this.time.steady(nowMs) + intervalMs);
  }
}

/** One `decide`, `tick` or answer: when it is, and what it wants done so far. */
export class Turn implements Decision {
  readonly nowMs: Millis;
  readonly records: MachineRecord[] = [];
  readonly replies: Reply[] = [];
  readonly asks: Ask[] = [];
  readonly #context: Context;
  /** Decided in this turn and not applied yet. */
  readonly #decided = new Map<string, Transaction | null>();
  #recordsBytes = 0;

  constructor(context: Context, nowMs: Millis) {
    this.#context = context;
    this.nowMs = nowMs;
  }

  get isFull(): boolean {
    return this.#recordsBytes > this.#context.config.recordsMaxBytes;
  }

  find(transactionalId: string): Transaction | undefined {
    const decided = this.#decided.get(transactionalId);
    if (decided !== undefined) return decided ?? undefined;
    return this.#context.transactions.get(transactionalId);
  }

  write(transactionalId: string, transaction: Transaction | null): void {
    const record = transactionRecord(transactionalId, transaction);
    this.#decided.set(transactionalId, transaction);
    this.records.push(record);
    this.#recordsBytes += sizeOf([record]);
  }

  reply(to: Address, body: unknown): void {
    this.replies.push({ to, body });
  }
}
