import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { SqlDatabase } from '../../src/hosts/durable-object/sql.ts';
import { SqliteLogStore } from '../../src/hosts/durable-object/sqlite-log-store.ts';
import { gated } from '../durable-object/gated.ts';
import type { StoreHome, Within } from '../storage/contract.ts';
import type { CrashHome } from '../storage/crash.ts';

/** The words that vitest's plugin knows for an object that was stopped on purpose, and does not print. */
export const STOPPED = 'Instance disposed by a test';

/**
 * Objects of their own, killed at any statement that writes and before any confirmation: `abort` stops the object there
 * and then, and what was not confirmed may be gone.
 */
export const objectCrashHome: CrashHome = {
  tears: false,
  async make() {
    const id = env.SHARDS.newUniqueId();
    return {
      async live(life, changesMax = Infinity) {
        let changes = 0;
        let isDead = false;
        try {
          await runInDurableObject(env.SHARDS.get(id), async (_, state) => {
            const { storage } = state;
            const change = () => {
              if (changes === changesMax) {
                isDead = true;
                state.abort(STOPPED);
              }
              changes++;
            };
            const store = new SqliteLogStore(watched(storage, change));
            await life(
              gated(store, () => {
                change();
                return storage.sync();
              }),
            );
            await store.close();
          });
        } catch (error) {
          if (!isDead) throw error;
        }
        return changes;
      },
    };
  },
};

let storage: SqlDatabase | undefined;

/** Runs `body` in an object of its own, which {@link objectHome} opens its store in. */
export const inObject: Within = (body) =>
  runInDurableObject(env.SHARDS.get(env.SHARDS.newUniqueId()), (_, state) => {
    ({ storage } = state);
    return body();
  });

export async function objectHome(): Promise<StoreHome> {
  const here = storage;
  if (!here) throw new Error('no test runs in an object');
  return { keeps: true, open: async () => new SqliteLogStore(here) };
}

/** Calls `change` before each statement that writes. */
function watched(storage: DurableObjectStorage, change: () => void): SqlDatabase {
  return {
    sql: {
      exec(query, ...bindings) {
        if (!query.trimStart().startsWith('SELECT')) change();
        return storage.sql.exec(query, ...bindings);
      },
    },
    transactionSync: (work) => storage.transactionSync(work),
  };
}
