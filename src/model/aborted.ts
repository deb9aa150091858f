import { invariant } from './assert.ts';
import type { Offset } from './ids.ts';

/** A transaction of one log that was aborted and had written there, as an entry of Kafka's `.txnindex` says it. */
export interface AbortedTransaction {
  producerId: number;
  firstOffset: Offset;
  /** Of its marker. */
  lastOffset: Offset;
  /** Once the marker was written: where the earliest transaction began that was still open, else behind the marker. */
  lastStableOffset: Offset;
}

const FIELDS = 4;
const FIRST_CAPACITY = 16;
const NONE: readonly AbortedTransaction[] = Object.freeze([]);

/** The aborted transactions of one log, in the order of their markers; 32 bytes each. */
export class AbortedTransactions {
  #fields = new Float64Array(0);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** How many have their marker below `offset`. */
  countBelow(offset: Offset): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#marker(middle) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Those whose marker lies at or above `fromOffset` are `transactions` from now on, in the order of their markers. */
  replaceFrom(fromOffset: Offset, transactions: readonly AbortedTransaction[]): void {
    this.#count = this.countBelow(fromOffset);
    for (const transaction of transactions) this.#push(transaction);
  }

  /** Those whose marker lies below `offset` go. */
  dropBelow(offset: Offset): void {
    const gone = this.countBelow(offset);
    if (gone === 0) return;
    this.#fields = this.#fields.slice(gone * FIELDS, this.#count * FIELDS);
    this.#count -= gone;
  }

  /** From the `start`-th to before the `end`-th. */
  slice(start: number, end: number): AbortedTransaction[] {
    return Array.from({ length: Math.max(0, end - start) }, (_, number) => this.#get(start + number));
  }

  /**
   * Those that have records at or above `fromOffset` and below `endOffset`. A marker may lie far behind its records; a
   * transaction whose marker finds all below `endOffset` decided is the last that can.
   */
  overlapping(fromOffset: Offset, endOffset: Offset): readonly AbortedTransaction[] {
    const start = this.countBelow(fromOffset);
    if (start === this.#count) return NONE;
    const found: AbortedTransaction[] = [];
    for (let number = start; number < this.#count; number++) {
      const transaction = this.#get(number);
      if (transaction.firstOffset < endOffset) found.push(transaction);
      if (transaction.lastStableOffset >= endOffset) break;
    }
    return found;
  }

  #push({ producerId, firstOffset, lastOffset, lastStableOffset }: AbortedTransaction): void {
    invariant(this.#count === 0 || lastOffset > this.#marker(this.#count - 1), 'markers rise');
    const position = this.#count * FIELDS;
    if (position === this.#fields.length) {
      const larger = new Float64Array(Math.max(FIRST_CAPACITY * FIELDS, position * 2));
      larger.set(this.#fields);
      this.#fields = larger;
    }
    this.#fields.set([producerId, firstOffset, lastOffset, lastStableOffset], position);
    this.#count++;
  }

  #get(number: number): AbortedTransaction {
    const [producerId = 0, firstOffset = 0, lastOffset = 0, lastStableOffset = 0] = this.#fields.subarray(
      number * FIELDS,
      (number + 1) * FIELDS,
    );
    return { producerId, firstOffset, lastOffset, lastStableOffset };
  }

  #marker(number: number): Offset {
    return this.#fields[number * FIELDS + 2] ?? -1;
  }
}
