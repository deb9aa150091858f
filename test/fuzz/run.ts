import { largestAllocation, watchAllocations } from '../support/allocations.ts';
import { SeededRandom } from '../support/random.ts';
import { corpusOf, recordedFor } from './corpus.ts';
import { damage } from './damage.ts';
import { batches } from './targets/batches.ts';
import { packedBlocks, rawBlocks } from './targets/codecs.ts';
import { directories } from './targets/directories.ts';
import { encodes } from './targets/encodes.ts';
import { floors } from './targets/floors.ts';
import { lzBlocks } from './targets/lz.ts';
import { requests, responses } from './targets/messages.ts';
import { streams } from './targets/streams.ts';
import { sums } from './targets/sums.ts';
import { type Outcomes, type Target, mustHold } from './target.ts';

export const TARGETS: readonly Target[] = [
  requests,
  responses,
  batches,
  packedBlocks,
  rawBlocks,
  lzBlocks,
  sums,
  encodes,
  floors,
  streams,
  directories,
];

export function targetNamed(name: string): Target {
  const target = TARGETS.find((candidate) => candidate.name === name);
  if (target === undefined)
    throw new Error(`there is no target ${name}: ${TARGETS.map((each) => each.name).join(', ')}`);
  return target;
}

const FROM_CORPUS = 0.1;
/** What is read may be held decoded, joined and encoded, each with room to grow. */
const BUFFER_MAX_RATIO = 8;

watchAllocations();

/** Draws the cases of one target from a seed: the same seed, the same cases. */
export class Cases {
  readonly #target: Target;
  readonly #random: SeededRandom;
  readonly #kept: readonly Uint8Array[];

  constructor(target: Target, seed: number) {
    this.#target = target;
    this.#random = new SeededRandom(seed);
    this.#kept = [...corpusOf(target.name).map(({ input }) => input), ...recordedFor(target.name)];
  }

  next(): Uint8Array {
    const random = this.#random.fork();
    if (this.#kept.length > 0 && random.chance(FROM_CORPUS)) return damage(random.pick(this.#kept), random);
    return this.#target.make(random);
  }
}

/** What became of an input, or what went wrong with it. */
export interface Tried {
  outcomes: Outcomes;
  fault?: Error;
}

export async function tried(target: Target, input: Uint8Array): Promise<Tried> {
  largestAllocation();
  try {
    const outcomes = await target.check(input);
    const largest = largestAllocation();
    const most = target.bufferMaxBytes + BUFFER_MAX_RATIO * input.length;
    mustHold(largest <= most, () => `${input.length} bytes made it take a buffer of ${largest}`);
    return { outcomes };
  } catch (error) {
    return { outcomes: [], fault: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** As if no input had come before. */
export async function triedAlone(target: Target, input: Uint8Array): Promise<Tried> {
  await target.reset?.();
  return tried(target, input);
}

const SHRINK_TRIES_MAX = 400;

/** The smallest input found that ends as this one does. */
export async function shrunk(
  target: Target,
  input: Uint8Array,
  isAlike: (tried: Tried) => boolean,
): Promise<Uint8Array> {
  let best = input;
  let tries = 0;
  for (let size = best.length >> 1; size >= 1 && tries < SHRINK_TRIES_MAX; size >>= 1) {
    for (let at = 0; at < best.length && tries < SHRINK_TRIES_MAX; tries++) {
      const less = new Uint8Array(Buffer.concat([best.subarray(0, at), best.subarray(at + size)]));
      if (isAlike(await triedAlone(target, less))) best = less;
      else at += size;
    }
  }
  return best;
}
