import { deleteDB } from 'idb';
import { afterAll, inject } from 'vitest';
import { commands } from 'vitest/browser';
import { IndexedDbLogStore, type IndexedDbStoreOptions } from '../../../src/hosts/browser/store.ts';
import type { StoreHome } from '../../storage/contract.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** What IndexedDB stands on in this browser, as far as it was asked for. */
    backEnd: 'leveldb' | 'sqlite' | 'firefox';
  }
}

declare module 'vitest/browser' {
  interface BrowserCommands {
    /** Paths of all files of the browser's profile. */
    profileFiles: () => Promise<string[]>;
    /** Does to IndexedDB what a person does who clears the data of this site. */
    clearIndexedDb: () => Promise<void>;
  }
}

export const backEnd = inject('backEnd');
export const profileFiles = () => commands.profileFiles();

const made: string[] = [];
afterAll(() => Promise.all(made.splice(0).map((name) => deleteDB(name))));

/** The name of a database that is not there yet, and goes when the file of tests is through. */
export function newName(): string {
  const name = `test-${crypto.randomUUID()}`;
  made.push(name);
  return name;
}

/** For stores that find their database as they left it. */
export function noWarning(message: string): never {
  throw new Error(message);
}

/** A database of its own for the store. */
export function home(options: Partial<IndexedDbStoreOptions> = {}): () => Promise<StoreHome> {
  return async () => {
    const name = newName();
    const all = { name, durability: 'relaxed' as const, onWarning: noWarning, ...options };
    return { keeps: true, open: () => IndexedDbLogStore.open(all) };
  };
}
