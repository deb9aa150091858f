import { at, invariant } from '../../model/assert.ts';
import type { Uuid } from '../../model/ids.ts';
import type { Random } from '../../ports/random.ts';

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** All the chance of a seed: sfc32, whose streams are told apart by `stream`. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0;
    this.#c = stream | 0;
    for (let round = 0; round < 12; round++) this.#uint32();
  }

  /** In [0, 1). */
  next(): number {
    return this.#uint32() / 0x1_0000_0000;
  }

  uuid(): Uuid {
    let uuid = BASE64URL[this.int(62)] ?? '';
    while (uuid.length < 21) uuid += BASE64URL[this.int(64)];
    // The last character has two bits of the sixteen bytes.
    return uuid + at(['A', 'Q', 'g', 'w'], this.int(4));
  }

  /** From 0 to `below - 1`. */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** In [min, max). */
  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  chance(ratio: number): boolean {
    return this.next() < ratio;
  }

  pick<T>(items: readonly T[]): T {
    invariant(items.length > 0, 'there is something to choose');
    return at(items, this.int(items.length));
  }

  #uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }
}
