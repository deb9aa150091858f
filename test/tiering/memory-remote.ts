import type { RemoteObject, RemoteStorage } from '../../src/ports/remote-storage.ts';

const LIST_MAX = 100;

/** An object store in memory, with R2's manners, and faults where a test wants them. */
export class MemoryRemote implements RemoteStorage {
  readonly objects = new Map<string, { bytes: Uint8Array; uploadedMs: number }>();
  /** What was asked of it: `put key`, `get key`. */
  readonly calls: string[] = [];
  /** Is called before anything is done, and after it was: what throws there is what the asker gets. */
  before: (call: string) => void | Promise<void> = () => {};
  after: (call: string) => void | Promise<void> = () => {};
  readonly #now: () => number;
  /** An object's gate: nothing goes out before what was written is. */
  readonly #gate: () => Promise<void>;

  constructor(now: () => number = Date.now, gate: () => Promise<void> = async () => {}) {
    this.#now = now;
    this.#gate = gate;
  }

  async #do<T>(call: string, work: () => T): Promise<T> {
    this.calls.push(call);
    await this.#gate();
    await this.before(call);
    const done = work();
    await this.after(call);
    return done;
  }

  put(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return this.#do(`put ${key}`, () => {
      if (this.objects.has(key)) return 'exists';
      this.objects.set(key, { bytes: bytes.slice(), uploadedMs: this.#now() });
      return 'created';
    });
  }

  replace(key: string, bytes: Uint8Array): Promise<void> {
    return this.#do(`replace ${key}`, () => {
      this.objects.set(key, { bytes: bytes.slice(), uploadedMs: this.#now() });
    });
  }

  sizeOf(key: string): Promise<number | undefined> {
    return this.#do(`head ${key}`, () => this.objects.get(key)?.bytes.length);
  }

  get(key: string, { offset, length }: { offset: number; length: number }): Promise<Uint8Array | undefined> {
    return this.#do(`get ${key}`, () => this.objects.get(key)?.bytes.slice(offset, offset + length));
  }

  list(prefix: string, after = ''): Promise<readonly RemoteObject[]> {
    return this.#do(`list ${prefix}`, () =>
      [...this.objects]
        .filter(([key]) => key.startsWith(prefix) && key > after)
        .map(([key, { uploadedMs }]) => ({ key, uploadedMs }))
        .toSorted((a, b) => (a.key < b.key ? -1 : 1))
        .slice(0, LIST_MAX),
    );
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#do(`delete ${keys.join(' ')}`, () => {
      for (const key of keys) this.objects.delete(key);
    });
  }
}
