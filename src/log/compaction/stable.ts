import type { Offset } from '../../model/ids.ts';
import type { PartitionLog } from '../partition-log.ts';
import type { AbortedTransaction } from './cleaned-transactions.ts';

/** Nothing at or above it may be cleaned: it may yet be lost, or taken back. */
export function stableEndOf(log: PartitionLog): Offset {
  return log.highWatermark;
}

/** Transactions that were aborted, with something in the range. */
export function abortedOf(
  _log: PartitionLog,
  _fromOffset: Offset,
  _endOffset: Offset,
): readonly AbortedTransaction[] {
  return [];
}
