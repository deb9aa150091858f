/**
 * What must hold, by the numbers of the project's reliability goals. I1: what was acknowledged stays. I2: one offset,
 * one value. I3: an idempotent producer's records follow its sequence, none missing, none twice. I4: log start <= last
 * stable offset <= high watermark <= end, and none goes back without a declared loss. I5: a fetch skips nothing. I6:
 * who reads what is committed sees nothing at or above the last stable offset, nothing that was aborted, and all the
 * rest. I7: what a transaction wrote, positions of groups too, counts together or not at all. I8: once a producer has
 * begun with a transactional id, no older one of it appends, commits or aborts. I9: a request that is repeated has the
 * same outcome. I10: a partition has one owner in a group, who is fenced commits nothing, and a committed offset never
 * goes back. I11: a group with live members and no faults becomes stable. I12: a record of a share group is one
 * member's at a time, delivered at most as often as is allowed, and done in the end. I13: of each key of a compacted
 * log the newest record is there, a tombstone as long as it has to be. I14: nothing is removed but by rule. I15: a
 * restart equals no restart. I16: every answer decodes. I17: nothing throws or hangs. I18: what the producer sent
 * under the checksum is what the consumer gets.
 */
export type Invariant =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I7'
  | 'I8'
  | 'I9'
  | 'I10'
  | 'I11'
  | 'I12'
  | 'I13'
  | 'I14'
  | 'I15'
  | 'I16'
  | 'I17'
  | 'I18';

/** An invariant does not hold. */
export class Broken extends Error {
  override name = 'Broken';
  readonly invariant: Invariant;

  constructor(invariant: Invariant, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
  }
}

export function holds(condition: unknown, invariant: Invariant, what: () => string): asserts condition {
  if (!condition) throw new Broken(invariant, what());
}
