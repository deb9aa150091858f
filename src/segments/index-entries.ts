import { OffsetTop } from './offset-top.ts';
import { TimestampTop, timestampAt } from './timestamp-top.ts';

/** An offset index: int32 offset, int32 position. A time index: int64 timestamp, int32 offset. Offsets relative. */
export type EntrySize = 8 | 12;

export interface IndexEntry {
  /** Relative offset, or timestamp. */
  key: number;
  /** Position in the log file, or relative offset. */
  value: number;
}

/** Index entries as Kafka writes them, big-endian, keys rising from 0 on. */
export class IndexEntries {
  readonly #bytes: DataView;
  readonly #entrySize: EntrySize;
  /** Made when something is looked for: many are only asked for an entry, or whether they begin beyond a key. */
  #top: OffsetTop | TimestampTop | undefined;
  /** Infinity when there is none. */
  readonly #firstKey: number;
  readonly count: number;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array, entrySize: EntrySize) {
    this.#bytes = new DataView(buffer, byteOffset, byteLength);
    this.#entrySize = entrySize;
    this.count = Math.floor(byteLength / entrySize);
    this.#firstKey = this.count === 0 ? Infinity : this.#key(0);
  }

  /** Of the entries and their top. */
  get sizeBytes(): number {
    return this.#bytes.byteLength + (this.#top ??= this.#makeTop()).sizeBytes;
  }

  at(number: number): IndexEntry {
    const value = this.#bytes.getInt32((number + 1) * this.#entrySize - 4);
    return { key: this.#key(number), value };
  }

  /** Number of the last entry with a key <= `target` (an integer), -1 when there is none. */
  floor(target: number): number {
    return this.#firstKey <= target ? (this.#top ??= this.#makeTop()).floor(target) : -1;
  }

  #makeTop(): OffsetTop | TimestampTop {
    const Top = this.#entrySize === 8 ? OffsetTop : TimestampTop;
    return new Top(this.#bytes, this.count);
  }

  #key(number: number): number {
    const at = number * this.#entrySize;
    return this.#entrySize === 8 ? this.#bytes.getInt32(at) : timestampAt(this.#bytes, at);
  }
}

/** `bytes` hold at least `number` + 1 entries. */
export function writeEntry(bytes: Uint8Array, entrySize: EntrySize, number: number, entry: IndexEntry): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = number * entrySize;
  if (entrySize === 12) view.setBigInt64(at, BigInt(entry.key));
  else view.setInt32(at, entry.key);
  view.setInt32(at + entrySize - 4, entry.value);
}
