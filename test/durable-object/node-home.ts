import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteLogStore } from '../../src/hosts/durable-object/sqlite-log-store.ts';
import type { SqliteLogStoreOptions } from '../../src/hosts/durable-object/sqlite-log-store.ts';
import type { StoreHome } from '../storage/contract.ts';
import type { CrashHome } from '../storage/crash.ts';
import { gated } from './gated.ts';
import { NodeSqlite } from './node-sqlite.ts';

/** Where files are in memory, if there is such a place: a process is killed here, no power is cut. */
const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Database files, all in one directory that `remove` takes away. */
export class Databases {
  readonly #directory = mkdtempSync(join(ROOT, 'milena-sqlite-'));
  #count = 0;

  path(): string {
    return join(this.#directory, `${this.#count++}.db`);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true });
  }
}

/** Stores on a database file each. */
export function sqliteHome(databases: Databases, options: SqliteLogStoreOptions = {}) {
  return async (): Promise<StoreHome> => {
    const path = databases.path();
    return {
      keeps: true,
      open: async () => {
        const database = new NodeSqlite(path);
        const store = gated(new SqliteLogStore(database, options), () => database.confirmed());
        return { ...store, close: () => store.close().then(() => database.close()) };
      },
    };
  };
}

/**
 * Killed at any statement that writes, and at any commit: another process finds the files as they are then.
 * @param waits whether an answer waits for the commit, as the gate of an object sees to.
 */
export function sqliteCrashHome(
  databases: Databases,
  { waits = true, options = {} }: { waits?: boolean; options?: SqliteLogStoreOptions } = {},
): CrashHome {
  return {
    tears: false,
    async make() {
      let path = databases.path();
      return {
        async live(life, changesMax) {
          const database = new NodeSqlite(path, changesMax);
          try {
            const store = new SqliteLogStore(database, options);
            await life(waits ? gated(store, () => database.confirmed()) : store);
            await store.close();
            await database.confirmed();
          } catch (error) {
            if (!database.isDead) throw error;
          }
          if (database.isDead) {
            path = databases.path();
            database.copyTo(path);
          }
          database.close();
          return database.changes;
        },
      };
    },
  };
}
