import type { Millis } from '../model/ids.ts';
import { CallLine } from './call-line.ts';
import type { ClientParts } from './client-parts.ts';
import { closedError, invalidArgument } from './errors.ts';
import { onDemand } from './on-demand.ts';
import type { ProducerOptions } from './producer/producer.ts';
import { within } from './retry.ts';
import type { TransactionSession } from './transactions/session.ts';
import type { Transaction } from './transactions/transaction.ts';

export interface TransactionalProducerOptions extends Omit<ProducerOptions, 'acks' | 'idempotent'> {
  /** Who writes, over restarts: of two with the same, the one that began last goes on, and the other is fenced. */
  transactionalId: string;
  /** What is open longer is aborted by the broker; 60,000 unless given. */
  transactionTimeoutMs?: Millis;
}

/** Only who writes in transactions loads what that takes. */
const transactionSession = onDemand('what transactions take', () => import('./transactions/session.ts'));

const TRANSACTION_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 5_000;

/** Writes in transactions: all of one counts, in all partitions, or nothing. Made by `client.producer()`. */
export class TransactionalProducer implements AsyncDisposable {
  readonly #parts: ClientParts;
  readonly #options: TransactionalProducerOptions;
  readonly #line = new CallLine();
  #session: TransactionSession | undefined;
  #closing: Promise<void> | undefined;

  /** @internal @throws MilenaError INVALID_ARGUMENT */
  constructor(parts: ClientParts, options: TransactionalProducerOptions) {
    if (options.transactionalId === '') throw invalidArgument('a transactionalId has at least one character');
    this.#parts = parts;
    this.#options = options;
  }

  /**
   * Calls `fn`, and commits what it did once it has ended well; else that is aborted. Those of one producer come one
   * after the other.
   * @throws what `fn` throws, or what became of something it did not await: nothing of it counts, and it may be tried
   *   again. BrokerError PRODUCER_FENCED: another has begun with the same id, or it took too long: this producer is
   *   over, and nothing of it counts, unless an answer to its commit was lost before. ConnectionLost while it was
   *   committed: it may count or not.
   */
  transaction<T>(fn: (transaction: Transaction) => T | Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closedError('the transactional producer'));
    return this.#line.add(async () => {
      this.#session ??= await this.#load();
      return this.#session.run(fn);
    });
  }

  /** Waits for the transaction that is open, at most `timeoutMs` (5,000) long. Always settles; idempotent. */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { timeoutMs?: Millis } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #load(): Promise<TransactionSession> {
    const { TransactionSession } = await transactionSession();
    const { transactionTimeoutMs = TRANSACTION_TIMEOUT_MS } = this.#options;
    return new TransactionSession(this.#parts, { ...this.#options, transactionTimeoutMs });
  }

  async #close(timeoutMs: Millis): Promise<void> {
    await within(
      this.#line.add(async () => {}),
      { clock: this.#parts.clock, timeoutMs },
    );
    this.#session?.close();
  }
}
