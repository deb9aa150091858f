import type { Offset } from '../../model/ids.ts';
import { DIGEST_WORDS, KeyDigest } from './key-digest.ts';

/** A digest and an offset. */
export const ENTRY_BYTES = 24;

/** How much memory there may be, and how much is wanted. */
export interface KeyOffsetsSize {
  /** log.cleaner.dedupe.buffer.size. */
  budgetBytes: number;
  /** log.cleaner.io.buffer.load.factor: so full the table may get. */
  loadFactor: number;
  /** So many keys there are at most. */
  keysMax: number;
}

/**
 * Where each key of a log stands last: an open table of digests in memory that is taken once. What it does not know, or
 * has no room for, is not known to be superseded.
 */
export class KeyOffsets {
  readonly #digest: KeyDigest;
  readonly #digests: Uint32Array;
  /** Offset + 1; 0 is free. */
  readonly #offsets: Float64Array;
  readonly #slots: number;
  readonly #keysMax: number;
  #count = 0;

  /** @param seed four words by chance. */
  constructor({ budgetBytes, loadFactor, keysMax }: KeyOffsetsSize, seed: readonly number[]) {
    // One is always free: a search ends there.
    const most = Math.max(2, Math.floor(budgetBytes / ENTRY_BYTES));
    this.#slots = Math.min(most, Math.ceil(keysMax / loadFactor) + 1);
    this.#keysMax = Math.max(1, Math.min(Math.floor(this.#slots * loadFactor), this.#slots - 1));
    this.#digests = new Uint32Array(this.#slots * DIGEST_WORDS);
    this.#offsets = new Float64Array(this.#slots);
    this.#digest = new KeyDigest(seed);
  }

  get size(): number {
    return this.#count;
  }
  get sizeBytes(): number {
    return this.#slots * ENTRY_BYTES;
  }
  /** How full it is, of what it may be. */
  get utilization(): number {
    return this.#count / this.#keysMax;
  }

  /** The key of `length` bytes at `at` stands at `offset`, above all before. @returns false when there is no room. */
  put(bytes: Uint8Array, at: number, length: number, offset: Offset): boolean {
    const slot = this.#find(bytes, at, length);
    if (this.#offsets[slot] === 0) {
      if (this.#count >= this.#keysMax) return false;
      this.#count++;
      this.#digests.set(this.#digest.words, slot * DIGEST_WORDS);
    }
    this.#offsets[slot] = offset + 1;
    return true;
  }

  /** -1 when it is not known. */
  get(bytes: Uint8Array, at: number, length: number): Offset {
    return (this.#offsets[this.#find(bytes, at, length)] ?? 0) - 1;
  }

  /** The slot of a key, or the free one where it would go. */
  #find(bytes: Uint8Array, at: number, length: number): number {
    this.#digest.take(bytes, at, length);
    const { words } = this.#digest;
    const digests = this.#digests;
    let slot = Math.floor(((words[0] ?? 0) / 2 ** 32) * this.#slots);
    while (this.#offsets[slot] !== 0) {
      const first = slot * DIGEST_WORDS;
      const isSame =
        digests[first] === words[0] &&
        digests[first + 1] === words[1] &&
        digests[first + 2] === words[2] &&
        digests[first + 3] === words[3];
      if (isSame) return slot;
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    }
    return slot;
  }
}
