import { at } from '../../model/assert.ts';
import type { Offset } from '../../model/ids.ts';
import { type DatabaseWrite, rowsOf } from './database.ts';
import type { LogState } from './log-state.ts';
import { packIndex } from './row.ts';

/** How much is in no page of the index, at most, and so is read again when a log is opened. */
export interface PageSize {
  bytes: number;
  rows: number;
}

export const PAGE_SIZE: PageSize = { bytes: 1024 * 1024, rows: 256 };
/** A page that catches up holds so many times the rows. */
const CATCH_UP = 4;

/** What is in the database. */
export interface StoredPages {
  /** Where pages begin. */
  pages: readonly Offset[];
  /** Rows that begin below are in a page. */
  endOffset: Offset;
  /** They do not fit the rows. */
  isStale: boolean;
}

/**
 * Keeps the pages of a log's index. They are written once the rows they speak of are there, so that a transaction of
 * which a part fails leaves none that lies; what no page speaks of is read from the rows.
 */
export class RowIndex {
  readonly #state: LogState;
  readonly #pageSize: PageSize;
  #pages: Offset[];
  #endOffset: Offset;
  #isStale: boolean;

  constructor(state: LogState, pageSize: PageSize, stored: StoredPages) {
    this.#state = state;
    this.#pageSize = pageSize;
    this.#pages = [...stored.pages];
    this.#endOffset = stored.endOffset;
    this.#isStale = stored.isStale;
  }

  /** What brings the stored index up to the rows that are written, when there are enough of them. */
  advance(): DatabaseWrite[] {
    const { rows, key } = this.#state;
    const pageSize = this.#pageSize;
    const writes: DatabaseWrite[] = this.#isStale ? [this.#delete(0, Infinity)] : [];
    this.#isStale = false;
    const start = this.#state.floor(this.#endOffset);
    let end = start;
    let sizeBytes = 0;
    for (; end < rows.length && at(rows, end).isWritten && end - start < CATCH_UP * pageSize.rows; end++)
      sizeBytes += at(rows, end).sizeBytes;
    if (sizeBytes < pageSize.bytes && end - start < pageSize.rows) return writes;
    const page = rows.slice(start, end);
    const first = at(page, 0).baseOffset;
    const value = packIndex(page, rows[start - 1]?.lastOffset ?? -1);
    this.#pages.push(first);
    this.#endOffset = at(page, page.length - 1).lastOffset + 1;
    return [...writes, { type: 'put', store: 'index', key: [key, first], value: () => value }];
  }

  /** Rows from the one at `offset` on are gone: so are pages that speak of them; what else these say is due again. */
  cut(offset: Offset): DatabaseWrite[] {
    if (offset >= this.#endOffset) return [];
    const kept = this.#pages.findLastIndex((first) => first <= offset);
    const from = this.#pages[kept] ?? 0;
    this.#pages.length = Math.max(kept, 0);
    // Not `from`: before it there may have been a gap, and what is appended next begins in it.
    const { rows } = this.#state;
    this.#endOffset = (rows[this.#state.floor(from) - 1]?.lastOffset ?? -1) + 1;
    return [this.#delete(from, Infinity)];
  }

  /** Rows below `oldest` are gone: so are pages that speak of no others. */
  trim(oldest: Offset): DatabaseWrite[] {
    const next = this.#pages.findIndex((_, page) => (this.#pages[page + 1] ?? this.#endOffset) > oldest);
    const gone = this.#pages.splice(0, next < 0 ? this.#pages.length : next);
    return gone.length === 0 ? [] : [this.#delete(0, this.#pages[0] ?? oldest)];
  }

  #delete(from: Offset, to: Offset): DatabaseWrite {
    return { type: 'delete', store: 'index', key: rowsOf(this.#state.key, from, to) };
  }
}
