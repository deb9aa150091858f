/**
 * Lets so many reads at once go to the disk, and so many bytes of memory with them; the others wait in line and hold
 * nothing yet. A read larger than all there is goes alone.
 */
export class ReadGate {
  readonly #countMax: number;
  readonly #bytesMax: number;
  #count = 0;
  #bytes = 0;
  #line: { sizeBytes: number; enter: () => void }[] = [];

  constructor({ countMax, bytesMax }: { countMax: number; bytesMax: number }) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  /** Bytes on their way. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  async run<T>(sizeBytes: number, read: () => Promise<T>): Promise<T> {
    if (this.#line.length > 0 || !this.#has(sizeBytes)) {
      await new Promise<void>((enter) => this.#line.push({ sizeBytes, enter }));
    } else {
      this.#take(sizeBytes);
    }
    try {
      return await read();
    } finally {
      this.#leave(sizeBytes);
    }
  }

  #has(sizeBytes: number): boolean {
    return this.#count === 0 || (this.#count < this.#countMax && this.#bytes + sizeBytes <= this.#bytesMax);
  }

  #take(sizeBytes: number): void {
    this.#count++;
    this.#bytes += sizeBytes;
  }

  #leave(sizeBytes: number): void {
    this.#count--;
    this.#bytes -= sizeBytes;
    let entered = 0;
    for (const next of this.#line) {
      if (!this.#has(next.sizeBytes)) break;
      this.#take(next.sizeBytes);
      next.enter();
      entered++;
    }
    if (entered > 0) this.#line.splice(0, entered);
  }
}
