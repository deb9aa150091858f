import type { SeededRandom } from '../support/random.ts';

/** What became of an input, in words that are the same for inputs of the same kind: errors, faults, "read". */
export type Outcomes = readonly string[];

/** Something that takes bytes of anybody, and what must hold whatever they are. */
export interface Target {
  readonly name: string;
  /** Part of all cases it gets, relative to the others. */
  readonly share: number;
  /** No buffer may be larger than this and `BUFFER_MAX_RATIO` times the input, whatever sizes the input speaks of. */
  readonly bufferMaxBytes: number;
  /** Bytes that are nearly right: drawn by structure, then perhaps damaged. */
  make(random: SeededRandom): Uint8Array;
  /** Rejects or throws when something is wrong; what the input deserves (an error in reply, a close) is no fault. */
  check(input: Uint8Array): Outcomes | Promise<Outcomes>;
  /** Forgets what earlier inputs have left: what comes next depends on its input alone. */
  reset?(): Promise<void>;
  /** Lets go of what it holds. */
  close?(): Promise<void>;
}

/** A property that does not hold of some input. */
export class FuzzFault extends Error {
  override name = 'FuzzFault';
}

export function mustHold(condition: boolean, otherwise: () => string): asserts condition {
  if (!condition) throw new FuzzFault(otherwise());
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

/** An error's words without what is particular: ids and numbers. */
export function kindOf(message: string): string {
  return message
    .replace(/(?<![\w-])[\w-]{22}(?![\w-])/g, 'ID')
    .replace(/-?\d+(\.\d+)?/g, '#')
    .replace(/\s+/g, ' ');
}
