import { readAgain } from '../ports/read-again.ts';
import type { FileCache } from './file-cache.ts';
import type { IndexCache } from './index-cache.ts';
import { IndexEntries, writeEntry } from './index-entries.ts';
import type { EntrySize, IndexEntry } from './index-entries.ts';
import { IndexView } from './index-view.ts';
import { readAlike } from './read-alike.ts';

export interface IndexParts {
  files: FileCache;
  cache: IndexCache;
}

/** Entries collected before they are worth a write; what a crash takes of them is rebuilt. */
const WRITE_AFTER_ENTRIES = 512;
const FIRST_CAPACITY = 32;
const NONE = new IndexEntries(new Uint8Array(0), 8);

/**
 * One of Kafka's sparse index files, big-endian, keys and values rising. The file's part is read when asked for and
 * may be forgotten; new entries are in memory until `write`. Everything but `view` is called one at a time.
 */
export class IndexFile {
  readonly path: string;
  readonly #entrySize: EntrySize;
  readonly #parts: IndexParts;
  /** Entries in the file, and the last one of them. */
  #stored = 0;
  #lastStored: IndexEntry | undefined;
  #loaded: IndexEntries | undefined;
  #loading: Promise<IndexView | undefined> | undefined;
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
  /** Whether the file durably has all entries and no others; when there are none it need not be there. */
  get isSettled(): boolean {
    return !this.#unflushed && this.#pendingCount === 0 && (this.#tidy || this.#stored === 0);
  }
  get isDue(): boolean {
    return this.#pendingCount >= WRITE_AFTER_ENTRIES;
  }

  append(entry: IndexEntry): void {
    if (this.#pendingCount * this.#entrySize === this.#pending.length)
      this.#pending = grown(this.#pending, this.#entrySize * FIRST_CAPACITY);
    writeEntry(this.#pending, this.#entrySize, this.#pendingCount++, entry);
    this.#last = entry;
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
        this.#tidy = true;
        if (sizeBytes === 0) return true;
        // It decides where batches are looked for as long as the log is open, and nothing else says it again.
        const bytes = await readAlike(file, sizeBytes - this.#entrySize, this.#entrySize);
        const last = new IndexEntries(bytes, this.#entrySize).at(0);
        this.#tidy = isPlausible(last);
        if (!this.#tidy) return false;
        this.#stored = sizeBytes / this.#entrySize;
        this.#lastStored = last;
        this.#last = last;
        return true;
      });
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return false;
      throw error;
    }
  }

  /** The entries, at once when they are in memory; undefined when the file is damaged. */
  view(): Promise<IndexView | undefined> | IndexView {
    if (this.#stored === 0) return this.#view(NONE);
    if (!this.#loaded)
      return (this.#loading ??= readAgain(() => this.#readOnce()).finally(() => (this.#loading = undefined)));
    this.#parts.cache.used(this, this.#loaded.sizeBytes);
    return this.#view(this.#loaded);
  }

  /** Keeps the first `count` entries of `view`, which shows all. In memory; `write` makes the file follow. */
  keep(view: IndexView, count: number): void {
    if (count >= this.count) return;
    this.#pendingCount = Math.max(0, count - this.#stored);
    if (count < this.#stored) {
      this.unload();
      this.#stored = count;
      this.#tidy = false;
    }
    this.#last = count > 0 ? view.at(count - 1) : undefined;
    if (this.#pendingCount === 0) this.#lastStored = this.#last;
  }

  /** Forgets all entries. In memory; `write` makes the file follow. */
  clear(): void {
    this.unload();
    this.#stored = 0;
    this.#lastStored = undefined;
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
    const last = count > 0 ? new IndexEntries(bytes, this.#entrySize).at(count - 1) : this.#lastStored;
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
    this.#lastStored = last;
    this.#pending = this.#pending.slice(count * this.#entrySize);
    this.#pendingCount -= count;
  }

  /** Makes what was written durable. */
  async flush(): Promise<void> {
    if (!this.#unflushed) return;
    this.#unflushed = false;
    await this.#parts.files.use(this.path, (file) => file.flush());
  }

  /** Frees what can be read again. */
  unload(): void {
    this.#parts.cache.gone(this);
    this.#loaded = undefined;
  }

  async #readOnce(): Promise<IndexView | undefined> {
    // Entries may be written while we read: then there is more to read.
    for (;;) {
      const stored = this.#stored;
      const bytes = new Uint8Array(stored * this.#entrySize);
      const count = await this.#parts.files.use(this.path, (file) => file.read(0, bytes));
      if (this.#stored !== stored) continue;
      const entries = new IndexEntries(bytes, this.#entrySize);
      const view = this.#view(entries);
      const isWhole = stored === 0 || isSame(entries.at(stored - 1), this.#lastStored);
      if (count < bytes.length || !view.rises || !isWhole) return undefined;
      this.#loaded = entries;
      this.#parts.cache.used(this, entries.sizeBytes);
      return view;
    }
  }

  #view(stored: IndexEntries): IndexView {
    const pending = this.#pending.subarray(0, this.#pendingCount * this.#entrySize);
    return new IndexView(stored, new IndexEntries(pending, this.#entrySize));
  }
}

function isSame(entry: IndexEntry, other: IndexEntry | undefined): boolean {
  return entry.key === other?.key && entry.value === other.value;
}

function grown(bytes: Uint8Array, atLeast: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(atLeast, bytes.length * 2));
  larger.set(bytes);
  return larger;
}
