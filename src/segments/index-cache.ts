/** What holds bytes read from a file that can be read again. */
export interface Unloadable {
  unload(): void;
}

/** Bounds the memory of all loaded indexes: the least recently used go. */
export class IndexCache {
  readonly #maxBytes: number;
  #bytes = 0;
  /** In order of use. */
  readonly #sizes = new Map<Unloadable, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  used(index: Unloadable, sizeBytes: number): void {
    this.gone(index);
    this.#sizes.set(index, sizeBytes);
    this.#bytes += sizeBytes;
    for (const oldest of this.#sizes.keys()) {
      if (this.#bytes <= this.#maxBytes || oldest === index) return;
      this.gone(oldest);
      oldest.unload();
    }
  }

  gone(index: Unloadable): void {
    this.#bytes -= this.#sizes.get(index) ?? 0;
    this.#sizes.delete(index);
  }
}
