import { copyFileSync, existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SqlBinding, SqlCursor, SqlDatabase, SqlValue } from '../../src/hosts/durable-object/sql.ts';

const WAL = '-wal';

/**
 * A database file behind the port, with a Durable Object's manners: what is written in one turn of the event loop is
 * one transaction, whole after a crash or not there.
 */
export class NodeSqlite implements SqlDatabase {
  readonly sql = this.#port();
  /** Statements that wrote, and transactions that were committed: tests stop at each. */
  changes = 0;
  isDead = false;
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #changesMax: number;
  readonly #statements = new Map<string, StatementSync>();
  #turn: Promise<void> | undefined;

  constructor(path: string, changesMax = Infinity) {
    this.#path = path;
    this.#changesMax = changesMax;
    this.#database = new DatabaseSync(path);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
  }

  transactionSync<T>(work: () => T): T {
    this.#begin();
    this.#database.exec('SAVEPOINT work');
    try {
      const result = work();
      this.#database.exec('RELEASE work');
      return result;
    } catch (error) {
      if (!this.isDead) this.#database.exec('ROLLBACK TO work; RELEASE work');
      throw error;
    }
  }

  #port() {
    const sizeBytes = () => this.#sizeBytes();
    return {
      exec: this.#exec.bind(this) as SqlDatabase['sql']['exec'],
      get databaseSize() {
        return sizeBytes();
      },
    };
  }

  #sizeBytes(): number {
    const query = `SELECT (page_count - freelist_count) * page_size AS size
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`;
    return Number(this.#database.prepare(query).get()?.['size']);
  }

  /** Resolves once all that was written is committed. */
  async confirmed(): Promise<void> {
    await this.#turn;
  }

  close(): void {
    this.#database.close();
  }

  /** What a crash at this moment leaves, at `path`: the files as they are, for another process to recover. */
  copyTo(path: string): void {
    copyFileSync(this.#path, path);
    if (existsSync(this.#path + WAL)) copyFileSync(this.#path + WAL, path + WAL);
  }

  #exec<Row extends Record<string, SqlValue>>(query: string, ...bindings: SqlBinding[]): SqlCursor<Row> {
    if (this.isDead) throw new Error('the process is dead');
    let statement = this.#statements.get(query);
    if (!statement) this.#statements.set(query, (statement = this.#database.prepare(query)));
    if (query.trimStart().startsWith('SELECT')) {
      const rows = statement.all(...bindings).map((row) => asRow<Row>(row));
      return { toArray: () => rows, [Symbol.iterator]: () => rows.values() };
    }
    this.#begin();
    this.#change();
    statement.run(...bindings);
    return { toArray: () => [], [Symbol.iterator]: () => [].values() };
  }

  #begin(): void {
    if (this.isDead) throw new Error('the process is dead');
    if (this.#turn) return;
    this.#database.exec('BEGIN');
    const turn = Promise.withResolvers<void>();
    turn.promise.catch(() => {});
    this.#turn = turn.promise;
    setImmediate(() => {
      try {
        this.#change();
        this.#database.exec('COMMIT');
        turn.resolve();
      } catch (error) {
        turn.reject(error);
      }
      if (!this.isDead) this.#turn = undefined;
    });
  }

  #change(): void {
    if (this.changes >= this.#changesMax) this.isDead = true;
    if (this.isDead) throw new Error('the process is dead');
    this.changes++;
  }
}

/** A blob comes as a buffer of its own, as in an object. */
function asRow<Row>(row: Record<string, unknown>): Row {
  for (const [name, value] of Object.entries(row)) {
    if (value instanceof Uint8Array) row[name] = value.slice().buffer;
  }
  return row as Row;
}
