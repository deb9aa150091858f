/** Sequence numbers count from 0 to 2147483647 and then from 0 again. */
const SEQUENCE_MAX = 0x7fff_ffff;
/** A batch of a coordinator carries a producer id but no sequence. */
const NO_SEQUENCE = -1;

/** Sequence `steps` after `sequence`. */
export function sequenceAfter(sequence: number, steps: number): number {
  if (sequence === NO_SEQUENCE) return NO_SEQUENCE;
  return sequence > SEQUENCE_MAX - steps ? steps - (SEQUENCE_MAX - sequence) - 1 : sequence + steps;
}

/** Sequence `steps` before `sequence`. */
export function sequenceBefore(sequence: number, steps: number): number {
  if (sequence === NO_SEQUENCE) return NO_SEQUENCE;
  return sequence < steps ? SEQUENCE_MAX - (steps - sequence) + 1 : sequence - steps;
}

/** Whether `next` may follow `last` directly; after no sequence only 0 may. */
export function follows(last: number, next: number): boolean {
  return next === (last === SEQUENCE_MAX ? 0 : last + 1);
}
