import type { ProducerRecord } from '../../client/producer/record.ts';

/** How many keys there are: enough for all partitions, few enough to come again. */
const KEYS = 10_000;
/** Values that come again and again: what is measured is not how fast they are made. */
const VALUES = 512;

/** Records of a seed: the same for the same seed. */
export class Load {
  readonly #next: () => number;
  readonly #values: readonly Uint8Array[];

  constructor({ seed, size }: { seed: number; size: number }) {
    this.#next = xorshift(seed);
    this.#values = Array.from({ length: VALUES }, () => this.#text(size));
  }

  record(): ProducerRecord {
    const value = this.#values[this.#below(VALUES)] ?? null;
    return { key: `key-${this.#below(KEYS)}`, value };
  }

  #below(end: number): number {
    return Math.floor(this.#next() * end);
  }

  /** Letters and digits: about three quarters of it is left by a codec. */
  #text(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => LETTERS.charCodeAt(this.#below(LETTERS.length)));
  }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789{}":, ';

/** Marsaglia's xorshift of 32 bits: from 0 to below 1. */
function xorshift(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}
