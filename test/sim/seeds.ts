/** Seeds that once failed, and why: kept for ever. What they find is not there any more. */
export const SEEDS: readonly (readonly [seed: number, found: string])[] = [
  [1, 'a log whose making failed went on without its partition.metadata, and was lost at the next start'],
  [3, 'a fetch was answered for a shard that had not spoken yet'],
  [4, 'a lookup by time whose log was given up meanwhile found nothing'],
  [20, 'a log that took the name of a stray took its log start'],
  [31, 'epochs that a power cut took from the checkpoint stayed lost'],
];
