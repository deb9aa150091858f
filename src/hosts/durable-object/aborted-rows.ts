import { type AbortedTransaction, AbortedTransactions } from '../../model/aborted.ts';
import type { Offset } from '../../model/ids.ts';
import { tablesOf } from './schema.ts';
import type { SqlDatabase } from './sql.ts';

type Row = { last: Offset; producer: number; first: Offset; stable: Offset };

/** The aborted transactions of one log: in memory, each change stored at once. */
export class AbortedRows {
  readonly #sql: SqlDatabase['sql'];
  readonly #table: string;
  readonly #known = new AbortedTransactions();

  /** @param log its number. */
  constructor({ sql }: SqlDatabase, log: number) {
    this.#sql = sql;
    this.#table = tablesOf(log).aborted;
    const rows = sql.exec<Row>(`SELECT last, producer, first, stable FROM ${this.#table} ORDER BY last`);
    const transactions = Array.from(rows, ({ last, producer, first, stable }) => ({
      producerId: producer,
      firstOffset: first,
      lastOffset: last,
      lastStableOffset: stable,
    }));
    this.#known.replaceFrom(0, transactions);
  }

  overlapping(fromOffset: Offset, endOffset: Offset): readonly AbortedTransaction[] {
    return this.#known.overlapping(fromOffset, endOffset);
  }

  replaceFrom(fromOffset: Offset, transactions: readonly AbortedTransaction[]): void {
    if (this.#known.countBelow(fromOffset) < this.#known.count)
      this.#sql.exec(`DELETE FROM ${this.#table} WHERE last >= ?`, fromOffset);
    for (const { lastOffset, producerId, firstOffset, lastStableOffset } of transactions)
      this.#sql.exec(
        `INSERT INTO ${this.#table} (last, producer, first, stable) VALUES (?, ?, ?, ?)`,
        lastOffset,
        producerId,
        firstOffset,
        lastStableOffset,
      );
    this.#known.replaceFrom(fromOffset, transactions);
  }

  dropBelow(offset: Offset): void {
    if (this.#known.countBelow(offset) === 0) return;
    this.#sql.exec(`DELETE FROM ${this.#table} WHERE last < ?`, offset);
    this.#known.dropBelow(offset);
  }
}
