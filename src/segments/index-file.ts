import type { Kernels } from '../kernels/kernels.ts';
import { invariant } from '../model/assert.ts';
import type { FileCache } from './file-cache.ts';
import type { IndexCache } from './index-cache.ts';

/** An offset index: int32 offset, int32 position. A time index: int64 timestamp, int32 offset. Offsets relative. */
export type EntrySize = 8 | 12;

export interface IndexEntry {
  /** Relative offset, or timestamp. */
  key: number;
  /** Position in the log file, or relative offset. */
  value: number;
}

export interface IndexParts {
  files: FileCache;
  cache: IndexCache;
  kernels: Kernels;
}

/** Entries collected before they are worth a write; what a crash takes of them is rebuilt. */
const WRITE_AFTER_ENTRIES = 512;
const FIRST_CAPACITY = 32;
const SEARCHED_ENTRIES = 256;

/**
 * One of Kafka's sparse index files, big-endian, keys and values rising. The file's part is loaded when asked and may
 * be unloaded; new entries are in memory until `write`. Writes, truncation and removal are called one at a time.
 */
export class IndexFile {
  readonly path: string;
  readonly #entrySize: EntrySize;
  readonly #parts: IndexParts;
  /** Entries in the file. */
  #stored = 0;
  #loaded: Uint8Array | undefined;
  #loading: Promise<boolean> | undefined;
  #pending = new Uint8Array(0);
  #pendingCount = 0;
  #last: IndexEntry | undefined;
  /** Whether the file exists and holds `stored` entries and no more. */
  #tidy = false;
  /** Whether the file has what was not flushed. */
  #unflushed = false;

  constructor(path: string, entrySize: EntrySize, parts: IndexParts) {
    this.path = path;
    this.#entrySize = entrySize;
    this.#parts = parts;
  }

  get count(): number {
    return this.#stored + this.#pendingCount;
  }
  get last(): IndexEntry | undefined {
    return this.#last;
  }
  get isDue(): boolean {
    return this.#pendingCount >= WRITE_AFTER_ENTRIES;
  }

  append(key: number, value: number): void {
    const at = this.#pendingCount * this.#entrySize;
    if (at === this.#pending.length) this.#pending = grown(this.#pending, this.#entrySize * FIRST_CAPACITY);
    const view = new DataView(this.#pending.buffer, at, this.#entrySize);
    if (this.#entrySize === 12) view.setBigInt64(0, BigInt(key));
    else view.setInt32(0, key);
    view.setInt32(this.#entrySize - 4, value);
    this.#pendingCount++;
    this.#last = { key, value };
  }

  /**
   * Takes over the file as an earlier process left it, looking at its size and last entry.
   * @returns false when it is missing or damaged; then it counts as empty.
   */
  async adopt(isPlausible: (last: IndexEntry) => boolean): Promise<boolean> {
    this.clear();
    try {
      return await this.#parts.files.use(this.path, async (file) => {
        const sizeBytes = await file.size();
        if (sizeBytes % this.#entrySize !== 0) return false;
        if (sizeBytes === 0) return true;
        const bytes = new Uint8Array(this.#entrySize);
        await file.read(sizeBytes - this.#entrySize, bytes);
        const last = this.#entry(bytes, 0);
        if (!isPlausible(last)) return false;
        this.#stored = sizeBytes / this.#entrySize;
        this.#last = last;
        this.#tidy = true;
        return true;
      });
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return false;
      throw error;
    }
  }

  /** Reads the file's part unless it is in memory. @returns false when its entries do not rise. */
  load(): Promise<boolean> | boolean {
    if (this.#stored === 0) return true;
    if (this.#loaded) {
      this.#parts.cache.used(this, this.#loaded.length);
      return true;
    }
    return (this.#loading ??= this.#read().finally(() => (this.#loading = undefined)));
  }

  /** Greatest entry with a key <= `target`. Only after `load`, with no await between. */
  floor(target: number): { entry: IndexEntry; number: number } | undefined {
    const pending = this.#pending.subarray(0, this.#pendingCount * this.#entrySize);
    const inPending = this.#search(pending, target);
    if (inPending >= 0) return { entry: this.#entry(pending, inPending), number: this.#stored + inPending };
    if (this.#stored === 0) return undefined;
    invariant(this.#loaded, 'an index is loaded before it is searched');
    const stored = this.#loaded.subarray(0, this.#stored * this.#entrySize);
    const inStored = this.#search(stored, target);
    return inStored < 0 ? undefined : { entry: this.#entry(stored, inStored), number: inStored };
  }

  /** Keeps the first `count` entries. In memory; `write` makes the file follow. Only after `load`. */
  keep(count: number): void {
    if (count >= this.count) return;
    this.#pendingCount = Math.max(0, count - this.#stored);
    if (count < this.#stored) {
      this.#stored = count;
      this.#tidy = false;
    }
    this.#last = count > 0 ? this.#at(count - 1) : undefined;
  }

  /** Keeps the entries with a value <= `limit`. In memory; `write` makes the file follow. Only after `load`. */
  keepUpTo(limit: number): void {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle).value <= limit) low = middle + 1;
      else high = middle;
    }
    this.keep(low);
  }

  /** Forgets all entries. In memory; `write` makes the file follow. */
  clear(): void {
    this.unload();
    this.#stored = 0;
    this.#pendingCount = 0;
    this.#last = undefined;
    this.#tidy = false;
  }

  /** Brings the file up to the entries, creating it when missing. Entries appended meanwhile stay pending. */
  async write(): Promise<void> {
    if (this.#tidy && this.#pendingCount === 0) return;
    this.#unflushed = true;
    const position = this.#stored * this.#entrySize;
    const count = this.#pendingCount;
    const bytes = this.#pending.slice(0, count * this.#entrySize);
    await this.#parts.files.use(
      this.path,
      async (file) => {
        if (!this.#tidy) await file.truncate(position);
        if (count > 0) await file.write(position, [bytes]);
      },
      true,
    );
    this.#tidy = true;
    this.unload();
    this.#stored += count;
    this.#pending = this.#pending.slice(count * this.#entrySize);
    this.#pendingCount -= count;
  }

  /** Makes what was written durable. */
  async flush(): Promise<void> {
    if (!this.#unflushed) return;
    this.#unflushed = false;
    await this.#parts.files.use(this.path, (file) => file.flush());
  }

  unload(): void {
    this.#parts.cache.gone(this);
    this.#loaded = undefined;
  }

  async #read(): Promise<boolean> {
    // Entries may be written while we read: then there is more to read.
    for (;;) {
      const stored = this.#stored;
      const bytes = new Uint8Array(stored * this.#entrySize);
      const count = await this.#parts.files.use(this.path, (file) => file.read(0, bytes));
      if (this.#stored !== stored) continue;
      if (count < bytes.length || !this.#rises(bytes)) return false;
      this.#loaded = bytes;
      this.#parts.cache.used(this, bytes.length);
      return true;
    }
  }

  #rises(bytes: Uint8Array): boolean {
    let before: IndexEntry = { key: -1, value: -1 };
    for (let number = 0; number * this.#entrySize < bytes.length; number++) {
      const entry = this.#entry(bytes, number);
      if (entry.key <= before.key || entry.value <= before.value) return false;
      before = entry;
    }
    return true;
  }

  /** A kernel call copies what it searches: of a large index only the part that decides. */
  #search(bytes: Uint8Array, target: number): number {
    let low = 0;
    let high = bytes.length / this.#entrySize;
    while (high - low > SEARCHED_ENTRIES) {
      const middle = (low + high) >>> 1;
      if (this.#entry(bytes, middle).key <= target) low = middle;
      else high = middle;
    }
    const part = bytes.subarray(low * this.#entrySize, high * this.#entrySize);
    return low + this.#parts.kernels.indexFloor(part, this.#entrySize, target);
  }

  #at(number: number): IndexEntry {
    if (number >= this.#stored) return this.#entry(this.#pending, number - this.#stored);
    invariant(this.#loaded, 'an index is loaded before its entries are read');
    return this.#entry(this.#loaded, number);
  }

  #entry(bytes: Uint8Array, number: number): IndexEntry {
    const view = new DataView(bytes.buffer, bytes.byteOffset + number * this.#entrySize, this.#entrySize);
    const key = this.#entrySize === 12 ? Number(view.getBigInt64(0)) : view.getInt32(0);
    return { key, value: view.getInt32(this.#entrySize - 4) };
  }
}

function grown(bytes: Uint8Array, atLeast: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(atLeast, bytes.length * 2));
  larger.set(bytes);
  return larger;
}
