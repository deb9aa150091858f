/**
 * What the store needs of a Durable Object's storage: `ctx.storage` is one. All of it is synchronous. An int64 comes
 * back as a number, exact below 2^53; a statement has at most 100 bindings; there is no BEGIN, and no user_version.
 */
export interface SqlDatabase {
  readonly sql: {
    /**
     * Runs one statement; a binding's bytes are copied. Rows are read as the cursor is stepped: take what is wanted
     * before the next statement, and hold no cursor over an `await`.
     */
    exec<Row extends Record<string, SqlValue>>(query: string, ...bindings: SqlBinding[]): SqlCursor<Row>;
  };
  /** All that `work` writes, or nothing of it when it throws. */
  transactionSync<T>(work: () => T): T;
}

export type SqlValue = ArrayBuffer | string | number | null;
export type SqlBinding = Uint8Array | string | number | null;

export interface SqlCursor<Row> extends Iterable<Row> {
  toArray(): Row[];
}
