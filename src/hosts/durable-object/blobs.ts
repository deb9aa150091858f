import { concat } from '../../model/bytes.ts';
import type { SqlDatabase } from './sql.ts';

/** Rows of 2,000,000 bytes are what the platform promises, all columns counted. */
export const ROW_MAX_BYTES = 1_900_000;

/** The columns of a value: what is in its own row, and the first of the pieces that have the rest. */
export type BlobRow = PieceRow & { bytes: ArrayBuffer };
export type PieceRow = { size: number; piece: number | null };

/**
 * Values of any size in rows that have a limit. What does not fit a value's own row lies in pieces with numbers that
 * follow each other: rare, but a topic may allow larger batches than a row, and a snapshot grows with its machine.
 */
export class Blobs {
  readonly #database: SqlDatabase;
  #nextPiece: number;

  constructor(database: SqlDatabase) {
    this.#database = database;
    const [newest] = database.sql
      .exec<{ id: number }>('SELECT id FROM pieces ORDER BY id DESC LIMIT 1')
      .toArray();
    this.#nextPiece = (newest?.id ?? 0) + 1;
  }

  /** Stores what does not fit a row. @returns the columns of the value's own row. */
  put(value: Uint8Array): PieceRow & { bytes: Uint8Array } {
    const size = value.length;
    if (size <= ROW_MAX_BYTES) return { size, piece: null, bytes: value };
    const piece = this.#nextPiece;
    for (let from = ROW_MAX_BYTES; from < size; from += ROW_MAX_BYTES) {
      const bytes = value.subarray(from, from + ROW_MAX_BYTES);
      this.#database.sql.exec('INSERT INTO pieces (id, bytes) VALUES (?, ?)', this.#nextPiece++, bytes);
    }
    return { size, piece, bytes: value.subarray(0, ROW_MAX_BYTES) };
  }

  /** The value of a row. */
  get({ size, piece, bytes }: BlobRow): Uint8Array {
    const own = new Uint8Array(bytes);
    if (piece === null) return own;
    const rest = this.#database.sql.exec<{ bytes: ArrayBuffer }>(
      'SELECT bytes FROM pieces WHERE id >= ? AND id < ? ORDER BY id',
      piece,
      piece + piecesOf(size),
    );
    return concat([own, ...rest.toArray().map((row) => new Uint8Array(row.bytes))]);
  }

  /** Deletes the pieces of the values in these rows, which the caller deletes. */
  forget(rows: Iterable<PieceRow>): void {
    for (const { size, piece } of rows) {
      if (piece === null) continue;
      this.#database.sql.exec('DELETE FROM pieces WHERE id >= ? AND id < ?', piece, piece + piecesOf(size));
    }
  }
}

function piecesOf(size: number): number {
  return Math.ceil(size / ROW_MAX_BYTES) - 1;
}
