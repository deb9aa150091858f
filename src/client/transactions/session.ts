import type { Millis } from '../../model/ids.ts';
import type { ClientParts } from '../client-parts.ts';
import { ErrorCode } from '../../model/errors.ts';
import { BrokerError } from '../errors.ts';
import type { Versions } from '../exchange.ts';
import type { ProducerIdentity } from '../producer/partition-queue.ts';
import { Producer, type ProducerOptions } from '../producer/producer.ts';
import type { SenderTransaction } from '../producer/sender.ts';
import { isFenced, TransactionCalls, type TransactionsVersion } from './calls.ts';
import { Transaction } from './transaction.ts';

export interface SessionOptions extends ProducerOptions {
  transactionalId: string;
  transactionTimeoutMs: Millis;
}

/** By the version of transactions. */
const PRODUCE_VERSIONS: Readonly<Record<TransactionsVersion, Versions>> = {
  1: { min: 3, max: 11 },
  2: { min: 12, max: 12 },
};

/**
 * A producer of a transactional id, from its first transaction on. Each transaction has an epoch of its own, and so
 * begins to number its batches anew: with v2 the end of the one before gives it, else it is asked for (KIP-360).
 */
export class TransactionSession {
  readonly #parts: ClientParts;
  readonly #options: SessionOptions;
  readonly #calls: TransactionCalls;
  #version: TransactionsVersion | undefined;
  #identity: ProducerIdentity | undefined;
  /** Nothing was sent under its epoch. */
  #isFresh = false;
  /** Another is the producer now: for good. */
  #fenced: BrokerError | undefined;

  constructor(parts: ClientParts, options: SessionOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#calls = new TransactionCalls(parts, options.transactionalId);
  }

  /** @throws what `fn` throws, once its transaction is aborted; BrokerError PRODUCER_FENCED */
  async run<T>(fn: (transaction: Transaction) => T | Promise<T>): Promise<T> {
    const { identity, version } = await this.#begin();
    const transaction = this.#transaction(identity, version);
    let result: T;
    try {
      result = await fn(transaction);
      await transaction.settle();
      if (transaction.isBegun) await this.#end({ identity, version }, true);
    } catch (error) {
      await this.#abort(transaction, { identity, version });
      throw error;
    }
    await transaction.drop();
    return result;
  }

  close(): void {
    this.#calls.close();
  }

  async #begin(): Promise<{ identity: ProducerIdentity; version: TransactionsVersion }> {
    if (this.#fenced !== undefined) throw this.#fenced;
    try {
      const version = (this.#version ??= await this.#calls.version());
      if (!this.#isFresh || this.#identity === undefined) {
        this.#identity = await this.#calls.initProducerId(this.#options.transactionTimeoutMs, this.#identity);
        this.#isFresh = true;
      }
      return { identity: this.#identity, version };
    } catch (error) {
      throw this.#told(error);
    }
  }

  #transaction(identity: ProducerIdentity, version: TransactionsVersion): Transaction {
    const { transactionalId } = this.#options;
    const calls = this.#calls;
    const admit: SenderTransaction['admit'] =
      version === 1 ? (partitions) => calls.addPartitions(identity, partitions) : undefined;
    const versions = PRODUCE_VERSIONS[version];
    const producer = new Producer(this.#parts, this.#options, { transactionalId, identity, versions, admit });
    return new Transaction(producer, async (commit) => {
      if (version === 1) await calls.addOffsets(identity, commit.groupId);
      await calls.commitOffsets(identity, version, commit);
    });
  }

  /** Where nobody can be told, the coordinator ends it when its time is up; the next one of this id does so before. */
  async #abort(
    transaction: Transaction,
    open: { identity: ProducerIdentity; version: TransactionsVersion },
  ): Promise<void> {
    await transaction.drop();
    // After an end that was asked for nobody knows what it is, unless the coordinator wants an abort.
    if (!transaction.isBegun || this.#identity === undefined) return;
    try {
      await this.#end(open, false);
    } catch (error) {
      if (this.#fenced !== undefined) throw error;
    }
  }

  async #end(
    { identity, version }: { identity: ProducerIdentity; version: TransactionsVersion },
    committed: boolean,
  ): Promise<void> {
    this.#isFresh = false;
    try {
      this.#identity = await this.#calls.end(identity, version, committed);
      this.#isFresh = version === 2;
    } catch (error) {
      const code = error instanceof BrokerError ? error.errorCode : undefined;
      // What has nothing to abort is as good as aborted.
      if (code === ErrorCode.INVALID_TXN_STATE && !committed) return;
      if (code !== ErrorCode.TRANSACTION_ABORTABLE) this.#identity = undefined;
      throw this.#told(error);
    }
  }

  /** What comes after is told the same: whoever was fenced must not take the id back unasked. */
  #told(error: unknown): unknown {
    if (!isFenced(error)) return error;
    this.#fenced = new BrokerError(ErrorCode.PRODUCER_FENCED, this.#calls.title);
    return this.#fenced;
  }
}
