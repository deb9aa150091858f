import { at } from '../../model/assert.ts';
import { type HeldBatch, batchesOf } from '../../log/row-replacement.ts';
import { concat, sameBytes } from '../../model/bytes.ts';
import type { Millis, Offset } from '../../model/ids.ts';
import type { ReadRange, ReplacedRange } from '../../ports/log-store.ts';
import { forEachBatch } from '../../records/header.ts';
import { chooseBatches } from '../../segments/choose-batches.ts';
import type { BlobRow, Blobs, PieceRow } from './blobs.ts';
import { tablesOf } from './schema.ts';
import type { SqlDatabase } from './sql.ts';

type RowPlace = { base: Offset; last: Offset; size: number };

/** What there is of a log from some offset on; -1 where there is nothing. */
export interface Sums {
  sizeBytes: number;
  maxTimestamp: Millis;
  firstTimestamp: Millis;
}

type SumRow = { size: number | null; maxTimestamp: Millis | null };

const EMPTY = new Uint8Array(0);
/** Rows looked for at first: a read of large ones needs no more. */
const FIRST_ROWS = 4;

/** The rows of one log: each has whole batches, one behind the other, and its key is the first one's base offset. */
export class BatchRows {
  readonly #sql: SqlDatabase['sql'];
  readonly #blobs: Blobs;
  readonly #table: string;

  /** @param log its number. */
  constructor({ sql }: SqlDatabase, blobs: Blobs, log: number) {
    this.#sql = sql;
    this.#blobs = blobs;
    this.#table = tablesOf(log).batches;
  }

  /** Adds one row. The bytes are copied: what else is in their buffers is not stored, and not kept alive. */
  insert(batches: readonly HeldBatch[]): void {
    const [first] = batches;
    if (!first) return;
    const whole = batches.length === 1 ? first.bytes : concat(batches.map((batch) => batch.bytes));
    const { size, piece, bytes } = this.#blobs.put(whole);
    this.#sql.exec(
      `INSERT INTO ${this.#table} (base, last, maxTimestamp, firstTimestamp, size, piece, bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      first.baseOffset,
      at(batches, batches.length - 1).lastOffset,
      batches.reduce((largest, batch) => Math.max(largest, batch.maxTimestamp), -1),
      first.maxTimestamp,
      size,
      piece,
      bytes,
    );
  }

  /** As {@link LogStore.read}. */
  read(range: ReadRange): Uint8Array {
    const bytes = this.#bytesOf(this.#placesFor(range));
    if (bytes.length === 0) return bytes;
    const chosen = chooseBatches(bytes, bytes.length, range);
    if (chosen?.type === 'end') return EMPTY;
    if (chosen?.type === 'batches') return bytes.subarray(chosen.start, chosen.end);
    throw new Error(`${this.#table} holds no batches where offset ${range.fromOffset} must be`);
  }

  /** Base offset of the first batch at or after `fromOffset` whose max timestamp is >= `timestamp`. */
  batchAt(timestamp: Millis, fromOffset: Offset): Offset | undefined {
    for (let from = fromOffset; ;) {
      const [place] = this.#placesFrom(from, { timestamp, limit: 1 });
      if (!place) return undefined;
      let found: Offset | undefined;
      forEachBatch(this.#bytesOf([place]), ({ baseOffset, lastOffset, maxTimestamp }) => {
        if (lastOffset >= from && maxTimestamp >= timestamp) found ??= baseOffset;
      });
      if (found !== undefined) return found;
      from = place.last + 1;
    }
  }

  /** Follows the last batch; 0 when there is none. */
  endOffset(): Offset {
    const [newest] = this.#sql
      .exec<{ last: Offset }>(`SELECT last FROM ${this.#table} ORDER BY base DESC LIMIT 1`)
      .toArray();
    return newest ? newest.last + 1 : 0;
  }

  /** Of the rows that begin in between. */
  sums(offset: Offset, endOffset: Offset = Number.MAX_SAFE_INTEGER): Sums {
    const [sums] = this.#sql
      .exec<SumRow>(
        `SELECT sum(size) AS size, max(maxTimestamp) AS maxTimestamp FROM ${this.#table}
         WHERE base >= ? AND base < ?`,
        offset,
        endOffset,
      )
      .toArray();
    const [first] = this.#sql
      .exec<{ firstTimestamp: Millis }>(
        `SELECT firstTimestamp FROM ${this.#table} WHERE base >= ? AND base < ? ORDER BY base LIMIT 1`,
        offset,
        endOffset,
      )
      .toArray();
    return {
      sizeBytes: sums?.size ?? 0,
      maxTimestamp: sums?.maxTimestamp ?? -1,
      firstTimestamp: first?.firstTimestamp ?? -1,
    };
  }

  /** Drops the rows that begin in between. */
  dropBetween({ baseOffset, nextOffset }: { baseOffset: Offset; nextOffset: Offset }): void {
    this.#delete('base >= ? AND base < ?', baseOffset, nextOffset);
  }

  /** Drops every batch that begins below `offset`, which begins a row. */
  dropBelow(offset: Offset): void {
    this.#delete('base < ?', offset);
  }

  /** Drops every batch that reaches `toOffset`. @returns whether there was one. */
  cutFrom(toOffset: Offset): boolean {
    const [place] = this.#placesFrom(toOffset, { limit: 1 });
    if (!place) return false;
    const kept = place.base < toOffset ? batchesBelow(toOffset, this.#bytesOf([place])) : [];
    this.#delete('base >= ?', place.base);
    this.insert(kept);
    return true;
  }

  /** `offset`, or the base offset of the row that reaches over it. */
  rowStart(offset: Offset): Offset {
    const [place] = this.#placesFrom(offset, { limit: 1 });
    return place ? Math.min(place.base, offset) : offset;
  }

  /**
   * The rows from one row's start to another's become `batches`; rows that are the same stay: each write is billed.
   * @returns where those began that are others now.
   */
  replace({ fromOffset, toOffset }: ReplacedRange, batches: readonly HeldBatch[]): Offset[] {
    const changed: Offset[] = [];
    const places = this.#sql
      .exec<RowPlace>(
        `SELECT base, last, size FROM ${this.#table} WHERE base >= ? AND base < ? ORDER BY base`,
        fromOffset,
        toOffset,
      )
      .toArray();
    for (const place of places) {
      const kept = batches.filter(
        ({ baseOffset, lastOffset }) => baseOffset >= place.base && lastOffset <= place.last,
      );
      const size = kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
      const isSame =
        size === place.size && sameBytes(this.#bytesOf([place]), concat(kept.map(({ bytes }) => bytes)));
      if (isSame) continue;
      this.#delete('base = ?', place.base);
      this.insert(kept);
      changed.push(place.base);
    }
    return changed;
  }

  /** Deletes what is not in the table itself. */
  forgetPieces(): void {
    this.#delete('piece IS NOT NULL');
  }

  /** The rows to fetch for `range`. What of the first one counts is not known before. */
  #placesFor({ fromOffset, endOffset, maxBytes }: ReadRange): RowPlace[] {
    const chosen: RowPlace[] = [];
    let sizeBytes = 0;
    for (let limit = FIRST_ROWS, from = fromOffset; ; limit *= 4) {
      const places = this.#placesFrom(from, { limit });
      for (const place of places) {
        if (place.base >= endOffset || (chosen.length > 0 && sizeBytes >= maxBytes)) return chosen;
        if (chosen.length > 0) sizeBytes += place.size;
        chosen.push(place);
        from = place.last + 1;
      }
      if (places.length < limit) return chosen;
    }
  }

  /** Ascending, from the row that holds `offset` or the next one; only those that reach `timestamp`. */
  #placesFrom(offset: Offset, { timestamp = -Infinity, limit }: { timestamp?: Millis; limit: number }) {
    return this.#sql
      .exec<RowPlace>(
        `SELECT base, last, size FROM ${this.#table}
         WHERE base >= coalesce((SELECT max(base) FROM ${this.#table} WHERE base <= ?), 0)
         AND last >= ? AND maxTimestamp >= ? ORDER BY base LIMIT ?`,
        offset,
        offset,
        timestamp,
        limit,
      )
      .toArray();
  }

  /** What rows that follow each other hold, one behind the other. */
  #bytesOf(places: readonly RowPlace[]): Uint8Array {
    const [first] = places;
    const last = places.at(-1);
    if (!first || !last) return EMPTY;
    const rows = this.#sql
      .exec<BlobRow>(
        `SELECT size, piece, bytes FROM ${this.#table} WHERE base >= ? AND base <= ? ORDER BY base`,
        first.base,
        last.base,
      )
      .toArray();
    const values = rows.map((row) => this.#blobs.get(row));
    return values.length === 1 ? at(values, 0) : concat(values);
  }

  #delete(where: string, ...bindings: Offset[]): void {
    const large = `SELECT size, piece FROM ${this.#table} WHERE piece IS NOT NULL AND ${where}`;
    this.#blobs.forget(this.#sql.exec<PieceRow>(large, ...bindings).toArray());
    this.#sql.exec(`DELETE FROM ${this.#table} WHERE ${where}`, ...bindings);
  }
}

/** The batches of a row that end below `toOffset`, as they were appended. */
function batchesBelow(toOffset: Offset, row: Uint8Array): HeldBatch[] {
  return batchesOf(row).filter(({ lastOffset }) => lastOffset < toOffset);
}
