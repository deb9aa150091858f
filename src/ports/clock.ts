import type { Millis } from '../model/ids.ts';

/** Time, given by the host: real, or virtual in the simulator. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  now(): Millis;
  /** Calls back once, at or after `atMs`; the returned function takes it back. */
  at(atMs: Millis, callback: () => void): () => void;
  /** Milliseconds since some moment, with fractions: how long work takes. As `now` where nobody can tell. */
  preciseMs?(): Millis;
  /** Left out where nobody sleeps, or nobody can tell. */
  readonly wakes?: Wakes;
}

/** When a home has slept, as pages do, or its network is back: what was put off may be done at once. */
export interface Wakes {
  /** The last time; undefined before the first. */
  readonly lastAtMs: Millis | undefined;
  /** Calls back each time; the returned function takes it back. */
  on(callback: () => void): () => void;
}
