import { afterEach, vi } from 'vitest';

afterEach(() => {
  vi.restoreAllMocks();
});

/** One request, as it was made. */
export interface Asked {
  method: string;
  transaction: IDBTransaction;
}

const READS = ['get', 'getAll', 'getAllKeys', 'getKey', 'count', 'openCursor', 'openKeyCursor'] as const;
const WRITES = ['add', 'put', 'delete', 'clear'] as const;

/** Tells `listener` of each request to an object store, before it is made. A throw keeps it from being made. */
export function onRequest(listener: (asked: Asked) => void): void {
  for (const method of [...READS, ...WRITES]) {
    if (!(method in IDBObjectStore.prototype)) continue;
    const original = IDBObjectStore.prototype[method] as (...args: unknown[]) => IDBRequest;
    vi.spyOn(IDBObjectStore.prototype, method).mockImplementation(function made(
      this: IDBObjectStore,
      ...args: unknown[]
    ) {
      listener({ method, transaction: this.transaction });
      return original.apply(this, args) as never;
    });
  }
}

/** Tells `listener` of each transaction that is about to begin. A throw keeps it from beginning. */
export function onTransaction(listener: (mode: IDBTransactionMode) => void): void {
  const original: (this: IDBDatabase, ...args: Parameters<IDBDatabase['transaction']>) => IDBTransaction =
    Reflect.get(IDBDatabase.prototype, 'transaction');
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function begun(
    this: IDBDatabase,
    ...[stores, mode, options]: Parameters<IDBDatabase['transaction']>
  ) {
    listener(mode ?? 'readonly');
    return original.call(this, stores, mode, options);
  });
}

/** Tells `listener` of each commit that is asked for, before (it may throw) and after it is. */
export function onCommit(listener: {
  before?: (transaction: IDBTransaction) => void;
  after?: () => void;
}): void {
  const original: (this: IDBTransaction) => void = Reflect.get(IDBTransaction.prototype, 'commit');
  vi.spyOn(IDBTransaction.prototype, 'commit').mockImplementation(function committed(this: IDBTransaction) {
    if (this.mode !== 'readwrite') return original.call(this);
    listener.before?.(this);
    original.call(this);
    listener.after?.();
  });
}

export function isRead(method: string): boolean {
  return READS.some((read) => read === method);
}
