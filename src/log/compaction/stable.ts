import type { AbortedTransaction } from '../../model/aborted.ts';
import type { Offset } from '../../model/ids.ts';
import type { PartitionLog } from '../partition-log.ts';

/** Nothing at or above it may be cleaned: it may yet be lost, or taken back. */
export function stableEndOf(log: PartitionLog): Offset {
  return log.lastStableOffset;
}

/** Transactions that were aborted, with something in the range. */
export function abortedOf(
  log: PartitionLog,
  fromOffset: Offset,
  endOffset: Offset,
): readonly AbortedTransaction[] {
  return log.aborted({ fromOffset, endOffset });
}
