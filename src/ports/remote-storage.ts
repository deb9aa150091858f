import type { Millis, Offset } from '../model/ids.ts';

/** What readers have to know of a copied segment. */
export interface RemotePlace {
  /** Of the object that has it. */
  key: string;
  baseOffset: Offset;
  /** Exclusive. */
  nextOffset: Offset;
  /** Of its batches; behind them comes the footer. */
  sizeBytes: number;
  footerBytes: number;
  maxTimestamp: Millis;
}

/** What a shard answers a Fetch with that has to be read in remote storage (OFFSET_MOVED_TO_TIERED_STORAGE). */
export interface TieredAnswer {
  /** The one to read next. */
  place: RemotePlace;
  /** It, and others behind it, by offset. */
  places: readonly RemotePlace[];
  highWatermark: Offset;
  lastStableOffset: Offset;
  logStartOffset: Offset;
}

/** One object of {@link RemoteStorage.list}. */
export interface RemoteObject {
  key: string;
  /** When it was written, by the storage's clock. */
  uploadedMs: Millis;
}

/**
 * Where closed segments go: an object store such as R2. What rejects may have happened all the same.
 * `test/tiering/contract.ts` is the definition; this is the summary.
 */
export interface RemoteStorage {
  /** Writes a new object, never over another. @returns `exists` when there is one of that key: it stays as it is. */
  put(key: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /** Writes an object, over another if there is one. */
  replace(key: string, bytes: Uint8Array): Promise<void>;
  /** Undefined when there is none. */
  sizeOf(key: string): Promise<number | undefined>;
  /** What is there of that range, less at the object's end; undefined when there is no such object. */
  get(key: string, range: { offset: number; length: number }): Promise<Uint8Array | undefined>;
  /** Objects whose keys begin so, some at a time in the order of their keys. @param after the last of those before. */
  list(prefix: string, after?: string): Promise<readonly RemoteObject[]>;
  /** Of those that are there. */
  delete(keys: readonly string[]): Promise<void>;
}
