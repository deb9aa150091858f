import type { HeldBatch } from '../../log/row-replacement.ts';
import { concat, sameBytes } from '../../model/bytes.ts';
import type { ReplacedRange } from '../../ports/log-store.ts';
import type { LogState } from './log-state.ts';
import type { Row } from './row.ts';

export interface Rewritten {
  range: ReplacedRange;
  /** All there is in the range from now on. */
  batches: readonly HeldBatch[];
  /** The bytes of a row as they are stored. */
  fetch: (row: Row) => Promise<Uint8Array>;
}

/** Rows of the range that are not what `batches` say, and what they become. */
export async function changedRows(
  state: LogState,
  { range: { fromOffset, toOffset }, batches, fetch }: Rewritten,
): Promise<[Row, Uint8Array][]> {
  const changed: [Row, Uint8Array][] = [];
  for (const row of state.rows.slice(state.floor(fromOffset), state.floor(toOffset))) {
    const { baseOffset, lastOffset, sizeBytes } = row;
    const own = batches.filter((batch) => batch.baseOffset >= baseOffset && batch.lastOffset <= lastOffset);
    const kept = concat(own.map(({ bytes }) => bytes));
    const isSame = kept.length === sizeBytes && sameBytes(kept, await fetch(row));
    if (!isSame) changed.push([row, kept]);
  }
  return changed;
}
