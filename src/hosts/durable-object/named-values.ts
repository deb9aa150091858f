import type { BlobRow, Blobs, PieceRow } from './blobs.ts';
import type { SqlDatabase } from './sql.ts';

type StoredValue = PieceRow & { id: number };

/** The values beside one log: replacing one writes one row, for it is known where each of them lies. */
export class NamedValues {
  readonly #sql: SqlDatabase['sql'];
  readonly #blobs: Blobs;
  readonly #log: number;
  readonly #stored = new Map<string, StoredValue>();

  /** @param log its number. */
  constructor({ sql }: SqlDatabase, blobs: Blobs, log: number) {
    this.#sql = sql;
    this.#blobs = blobs;
    this.#log = log;
    const query = 'SELECT id, name, size, piece FROM named WHERE log = ?';
    for (const { name, ...stored } of sql.exec<StoredValue & { name: string }>(query, log))
      this.#stored.set(name, stored);
  }

  names(): string[] {
    return [...this.#stored.keys()];
  }

  get(name: string): Uint8Array | undefined {
    const stored = this.#stored.get(name);
    if (!stored) return undefined;
    const [row] = this.#sql
      .exec<BlobRow>('SELECT size, piece, bytes FROM named WHERE id = ?', stored.id)
      .toArray();
    return row && this.#blobs.get(row);
  }

  put(name: string, value: Uint8Array): void {
    const old = this.#stored.get(name);
    if (old) this.#blobs.forget([old]);
    const id = old?.id ?? this.#newId();
    const { size, piece, bytes } = this.#blobs.put(value);
    this.#sql.exec(
      'INSERT OR REPLACE INTO named (id, log, name, size, piece, bytes) VALUES (?, ?, ?, ?, ?, ?)',
      id,
      this.#log,
      name,
      size,
      piece,
      bytes,
    );
    this.#stored.set(name, { id, size, piece });
  }

  delete(name: string): void {
    const stored = this.#stored.get(name);
    if (!stored) return;
    this.#blobs.forget([stored]);
    this.#sql.exec('DELETE FROM named WHERE id = ?', stored.id);
    this.#stored.delete(name);
  }

  deleteAll(): void {
    for (const name of this.names()) this.delete(name);
  }

  #newId(): number {
    const [newest] = this.#sql
      .exec<{ id: number }>('SELECT id FROM named ORDER BY id DESC LIMIT 1')
      .toArray();
    return (newest?.id ?? 0) + 1;
  }
}
