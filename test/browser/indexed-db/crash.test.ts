import { vi } from 'vitest';
import type { IndexedDbStoreOptions } from '../../../src/hosts/browser/store.ts';
import { IndexedDbLogStore } from '../../../src/hosts/browser/store.ts';
import { type CrashHome, crashContract } from '../../storage/crash.ts';
import { newName, noWarning } from './home.ts';
import { clear } from './raw.ts';
import { isRead, onCommit, onRequest, onTransaction } from './spy.ts';

/**
 * A page that dies at any request of a transaction that writes, which takes the transaction along, or right after its
 * commit, of which the store then hears nothing. Each of these is a change.
 */
function crashHome(options: Partial<IndexedDbStoreOptions>): CrashHome {
  const name = newName();
  let isNew = true;
  return {
    tears: false,
    async make() {
      // One database for all: making one takes longer than all that is done with it.
      if (!isNew) await clear(name);
      isNew = false;
      return {
        async live(life, changesMax = Infinity) {
          const mortal = new Mortal(changesMax);
          let store: IndexedDbLogStore | undefined;
          try {
            const all = { name, durability: 'relaxed' as const, onWarning: noWarning, ...options };
            store = await IndexedDbLogStore.open(all);
            await life(store);
          } catch (error) {
            if (!mortal.isDead) throw error;
          } finally {
            vi.restoreAllMocks();
            await store?.close();
          }
          return mortal.changes;
        },
      };
    },
  };
}

/** The platform's IndexedDB until so many changes are made; from then on it refuses all. */
class Mortal {
  changes = 0;
  isDead = false;

  constructor(changesMax: number) {
    const dieIfDue = () => {
      this.isDead = this.changes >= changesMax;
      if (this.isDead) throw new DOMException('the page is dead', 'AbortError');
    };
    onTransaction(() => {
      if (this.isDead) dieIfDue();
    });
    onRequest(({ method, transaction }) => {
      if (isRead(method) || transaction.mode !== 'readwrite') return;
      dieIfDue();
      this.changes++;
    });
    onCommit({
      before: dieIfDue,
      after: () => {
        this.changes++;
        dieIfDue();
      },
    });
  }
}

const bare = { tailBytes: 0, pageSize: { rows: 2, bytes: 1000 } };

crashContract('IndexedDB', crashHome({}), { scripts: 3, sequences: 20, long: false });
crashContract('IndexedDB without a tail, indexed at once', crashHome(bare), { scripts: 3, sequences: 20 });
