import { invariant } from '../model/assert.ts';
import type { Millis, Offset } from '../model/ids.ts';
import type { ReplacedRange, Replacement } from '../ports/log-store.ts';
import { forEachBatch } from '../records/header.ts';

/** One batch as stores keep it. */
export interface HeldBatch {
  baseOffset: Offset;
  /** Inclusive. */
  lastOffset: Offset;
  maxTimestamp: Millis;
  bytes: Uint8Array;
}

/** What a log that keeps rows of batches does for it. */
export interface ReplacedRows {
  /** False once the log was cut or trimmed in the range, or is given up. */
  isCurrent(): boolean;
  /** `offset`, or the start of the row that reaches over it. */
  rowStart(offset: Offset): Offset;
  /** The rows from one row's start to another's become `batches`, each at once; rows that are the same stay. */
  replaceRows(range: ReplacedRange, batches: readonly HeldBatch[]): Promise<void>;
  /** The segments of the range are one. */
  mergeSegments(range: ReplacedRange): Promise<void>;
}

/** Rows stand alone, so each is replaced as soon as all that belongs into it has come: nothing is written aside. */
export class RowReplacement implements Replacement {
  readonly #range: ReplacedRange;
  readonly #rows: ReplacedRows;
  #doneOffset: Offset;
  #pending: HeldBatch[] = [];

  constructor(range: ReplacedRange, rows: ReplacedRows) {
    this.#range = range;
    this.#rows = rows;
    this.#doneOffset = range.fromOffset;
  }

  async write(batches: Uint8Array, nextOffset: Offset): Promise<void> {
    invariant(nextOffset <= this.#range.toOffset, 'a replacement stays in its range');
    if (!this.#rows.isCurrent()) return;
    // Rows keep them; their memory is the caller's again.
    this.#pending.push(...batchesOf(batches.slice()));
    const fromOffset = this.#doneOffset;
    const toOffset = this.#rows.rowStart(nextOffset);
    if (toOffset <= fromOffset) return;
    const ready = this.#pending.filter(({ lastOffset }) => lastOffset < toOffset);
    this.#pending = this.#pending.slice(ready.length);
    this.#doneOffset = toOffset;
    await this.#rows.replaceRows({ fromOffset, toOffset }, ready);
  }

  async finish(): Promise<boolean> {
    if (!this.#rows.isCurrent()) return false;
    invariant(this.#doneOffset === this.#range.toOffset, 'all of a range is written anew');
    await this.#rows.mergeSegments(this.#range);
    return true;
  }

  async abandon(): Promise<void> {
    this.#pending = [];
  }
}

/** The batches that lie one behind the other in `bytes`. */
export function batchesOf(bytes: Uint8Array): HeldBatch[] {
  const batches: HeldBatch[] = [];
  forEachBatch(bytes, ({ baseOffset, lastOffset, maxTimestamp, bytes: own }) => {
    batches.push({ baseOffset, lastOffset, maxTimestamp, bytes: own });
  });
  return batches;
}
