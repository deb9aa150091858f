import type { Millis } from '../model/ids.ts';

/** Time, given by the host: real, or virtual in the simulator. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  now(): Millis;
  /** Calls back once, at or after `atMs`; the returned function takes it back. */
  at(atMs: Millis, callback: () => void): () => void;
}
