import { type AbortedTransaction, AbortedTransactions } from '../../model/aborted.ts';
import type { LogKey, Offset } from '../../model/ids.ts';
import { encodeAborted } from '../../records/aborted-entries.ts';
import { abortedKey, abortedOf } from './database.ts';
import type { Round } from './rounds.ts';

/** The aborted transactions of one log: in memory, each change written by the round it is given. */
export class AbortedValues {
  readonly #log: LogKey;
  readonly #known = new AbortedTransactions();

  constructor(log: LogKey) {
    this.#log = log;
  }

  overlapping(fromOffset: Offset, endOffset: Offset): readonly AbortedTransaction[] {
    return this.#known.overlapping(fromOffset, endOffset);
  }

  /** What the database has of it. */
  loaded(transactions: readonly AbortedTransaction[]): void {
    this.#known.replaceFrom(0, transactions);
  }

  replaceFrom(fromOffset: Offset, transactions: readonly AbortedTransaction[], round: Round): void {
    if (this.#known.countBelow(fromOffset) < this.#known.count)
      round.writes.push({ type: 'delete', store: 'values', key: abortedOf(this.#log, fromOffset) });
    this.#known.replaceFrom(fromOffset, transactions);
    for (const transaction of transactions) {
      const value = encodeAborted([transaction]);
      const key = abortedKey(this.#log, transaction.lastOffset);
      round.writes.push({ type: 'put', store: 'values', key, value: () => value });
    }
  }

  dropBelow(offset: Offset, round: Round): void {
    if (this.#known.countBelow(offset) === 0) return;
    round.writes.push({ type: 'delete', store: 'values', key: abortedOf(this.#log, 0, offset) });
    this.#known.dropBelow(offset);
  }
}
