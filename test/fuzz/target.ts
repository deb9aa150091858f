import type { SeededRandom } from '../support/random.ts';

/** Something that takes bytes of anybody, and what must hold whatever they are. */
export interface Target {
  readonly name: string;
  /** Part of all cases it gets, relative to the others. */
  readonly share: number;
  /** Bytes that are nearly right: drawn by structure, then perhaps damaged. */
  make(random: SeededRandom): Uint8Array;
  /** Rejects or throws when something is wrong; what the input deserves (an error in reply, a close) is no fault. */
  check(input: Uint8Array): void | Promise<void>;
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
