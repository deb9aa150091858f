/** The platform's own IndexedDB, to look at what a store wrote and to write what it did not. */
export async function withDatabase<Result>(
  name: string,
  work: (database: IDBDatabase) => Promise<Result>,
): Promise<Result> {
  const database = await answer(indexedDB.open(name));
  try {
    return await work(database);
  } finally {
    database.close();
  }
}

export function answer<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('no reason given'));
  });
}

export interface StoredRow {
  key: IDBValidKey;
  bytes: Uint8Array;
}

/** All rows of batches, in order of their keys. */
export function storedRows(name: string): Promise<StoredRow[]> {
  return withDatabase(name, async (database) => {
    const batches = database.transaction('batches').objectStore('batches');
    const [keys, values] = await Promise.all([answer(batches.getAllKeys()), answer(batches.getAll())]);
    return keys.map((key, number) => ({ key, bytes: values[number] as Uint8Array }));
  });
}

/** Changes what is stored, behind the store's back. */
export function change(
  name: string,
  storeName: string,
  work: (store: IDBObjectStore) => void,
): Promise<void> {
  return withDatabase(name, (database) => {
    const transaction = database.transaction(storeName, 'readwrite');
    work(transaction.objectStore(storeName));
    return ended(transaction);
  });
}

/** Empties a database. */
export function clear(name: string): Promise<void> {
  return withDatabase(name, (database) => {
    const transaction = database.transaction(database.objectStoreNames, 'readwrite');
    for (const store of database.objectStoreNames) transaction.objectStore(store).clear();
    return ended(transaction);
  });
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((done, failed) => {
    transaction.oncomplete = () => done();
    transaction.onabort = () => failed(transaction.error ?? new Error('aborted'));
  });
}
