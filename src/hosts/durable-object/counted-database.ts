import type { SqlDatabase } from './sql.ts';

/** What the platform says of a statement that has run. */
interface Billed {
  readonly rowsRead?: number;
  readonly rowsWritten?: number;
}

/** A database whose rows are counted as they are billed, since this instance of the object woke. */
export class CountedDatabase implements SqlDatabase {
  readonly sql: SqlDatabase['sql'];
  readonly #database: SqlDatabase;
  rowsWritten = 0;
  transactions = 0;

  constructor(database: SqlDatabase) {
    this.#database = database;
    this.sql = {
      exec: (query, ...bindings) => {
        const cursor = database.sql.exec<never>(query, ...bindings);
        this.rowsWritten += (cursor as Billed).rowsWritten ?? 0;
        return cursor;
      },
    };
  }

  transactionSync<T>(work: () => T): T {
    this.transactions++;
    return this.#database.transactionSync(work);
  }
}
