import { SeededRandom } from '../support/random.ts';
import { corpusOf } from './corpus.ts';
import { damage } from './damage.ts';
import { batches } from './targets/batches.ts';
import { packedBlocks, rawBlocks } from './targets/codecs.ts';
import { directories } from './targets/directories.ts';
import { floors } from './targets/floors.ts';
import { lzBlocks } from './targets/lz.ts';
import { requests, responses } from './targets/messages.ts';
import { streams } from './targets/streams.ts';
import type { Target } from './target.ts';

export const TARGETS: readonly Target[] = [
  requests,
  responses,
  batches,
  packedBlocks,
  rawBlocks,
  lzBlocks,
  floors,
  streams,
  directories,
];

const FROM_CORPUS = 0.1;

/** Draws the cases of one target from a seed: the same seed, the same cases. */
export class Cases {
  readonly #target: Target;
  readonly #random: SeededRandom;
  readonly #corpus: readonly Uint8Array[];

  constructor(target: Target, seed: number) {
    this.#target = target;
    this.#random = new SeededRandom(seed);
    this.#corpus = corpusOf(target.name);
  }

  next(): Uint8Array {
    const random = this.#random.fork();
    if (this.#corpus.length > 0 && random.chance(FROM_CORPUS))
      return damage(random.pick(this.#corpus), random);
    return this.#target.make(random);
  }
}

/** What went wrong with an input; undefined when nothing did. */
export async function faultOf(target: Target, input: Uint8Array): Promise<Error | undefined> {
  try {
    await target.check(input);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const SHRINK_TRIES_MAX = 400;

/** The smallest input found that fails with an error of the same name. */
export async function shrunk(target: Target, input: Uint8Array, name: string): Promise<Uint8Array> {
  let best = input;
  let tries = 0;
  for (let size = best.length >> 1; size >= 1 && tries < SHRINK_TRIES_MAX; size >>= 1) {
    for (let at = 0; at < best.length && tries < SHRINK_TRIES_MAX; tries++) {
      const less = new Uint8Array(Buffer.concat([best.subarray(0, at), best.subarray(at + size)]));
      if ((await faultOf(target, less))?.name === name) best = less;
      else at += size;
    }
  }
  return best;
}
