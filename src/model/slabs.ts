const SLAB_MAX_BYTES = 64 * 1024;

/**
 * Copies of few bytes, side by side in memory they share: a buffer of its own costs each more than its bytes do, and
 * the garbage collector most of all. Nothing is reused: a slab goes when the last of its copies goes.
 */
export class Slabs {
  readonly #slabBytes: number;
  /** What is larger has memory of its own. */
  readonly sharedMaxBytes: number;
  #slab = new Uint8Array(0);
  #at = 0;

  /** @param keptBytes what is kept of all copies, roughly: a slab is a small part of it. */
  constructor(keptBytes: number) {
    this.#slabBytes = Math.min(SLAB_MAX_BYTES, keptBytes >> 6);
    this.sharedMaxBytes = this.#slabBytes >> 2;
  }

  copy(bytes: Uint8Array): Uint8Array {
    const copy = this.take(bytes.length);
    copy.set(bytes);
    return copy;
  }

  /** Memory to be filled by the caller. */
  take(sizeBytes: number): Uint8Array {
    if (sizeBytes > this.sharedMaxBytes) return new Uint8Array(sizeBytes);
    if (this.#at + sizeBytes > this.#slab.length) {
      this.#slab = new Uint8Array(this.#slabBytes);
      this.#at = 0;
    }
    const start = this.#at;
    this.#at += sizeBytes;
    return this.#slab.subarray(start, this.#at);
  }
}
