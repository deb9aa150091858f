import type { LogKey, Offset } from '../../model/ids.ts';
import type { LogTail } from '../../segments/tail.ts';
import type { Database } from './database.ts';
import { decodeAborted } from '../../records/aborted-entries.ts';
import { LogState } from './log-state.ts';
import { type PageSize, RowIndex } from './row-index.ts';
import { describeRow, type Row, unpackIndex } from './row.ts';

export interface LoadParts {
  database: Database;
  pageSize: PageSize;
  warn: (message: string) => void;
}

const SCAN_ROWS = 64;

/**
 * Reads what is known of a log: from its index, and of the rows that are in no page of it yet from their bytes.
 * @param log must be in the database.
 * @param trustIndex false once a row was not what the index says: all is read from the rows.
 */
export async function loadLog(
  parts: LoadParts,
  log: LogKey,
  { tail, trustIndex }: { tail: LogTail; trustIndex: boolean },
): Promise<{ state: LogState; index: RowIndex }> {
  const { database, pageSize, warn } = parts;
  const [record, pages, firstKeys, aborted] = await database.log(log);
  if (!record) throw new Error(`log ${log} is gone from database ${database.name}`);
  const oldest = record.segmentBases[0] ?? 0;
  const known = trustIndex ? indexedRows(pages, oldest, firstKeys[0]?.[1]) : undefined;
  if (!known) warn(`the index of ${record.topic}-${record.partition} did not fit its rows: made anew`);
  const rows = known ?? [];
  const endOffset = Math.max((rows.at(-1)?.lastOffset ?? -1) + 1, oldest);
  await scanRows(parts, log, { rows, fromOffset: endOffset });
  const state = new LogState(record, rows, tail);
  const transactions = aborted.flatMap(decodeAborted);
  state.aborted.loaded(transactions.filter(({ lastOffset }) => lastOffset < state.logEndOffset));
  const firsts = known ? pages.map((page) => page[1] ?? 0) : [];
  return { state, index: new RowIndex(state, pageSize, { pages: firsts, endOffset, isStale: !known }) };
}

/** @returns undefined when the index cannot be trusted: the rows are the truth. */
function indexedRows(
  pages: readonly Float64Array[],
  oldest: Offset,
  firstStored: Offset | undefined,
): Row[] | undefined {
  const rows = unpackIndex(pages)?.filter(({ baseOffset }) => baseOffset >= oldest);
  return rows?.length === 0 || rows?.[0]?.baseOffset === firstStored ? rows : undefined;
}

/** Reads the rows that begin at or after `fromOffset` and adds what they say to `rows`. */
async function scanRows(
  { database, warn }: LoadParts,
  log: LogKey,
  { rows, fromOffset }: { rows: Row[]; fromOffset: Offset },
): Promise<void> {
  for (let next = fromOffset; ;) {
    const found = await database.scan(log, next, SCAN_ROWS);
    for (const bytes of found) {
      const row = describeRow(bytes);
      if (!row) throw new Error(`log ${log} is damaged: its row at offset ${next} or after it is no batch`);
      next = row.baseOffset + 1;
      // Firefox keeps what follows a failed add: the rest of an owner that another had replaced.
      if (row.baseOffset <= (rows.at(-1)?.lastOffset ?? -1))
        warn(`log ${log}: the row at ${row.baseOffset} begins inside another and is left out`);
      else rows.push({ ...row, isWritten: true });
    }
    if (found.length < SCAN_ROWS) return;
  }
}
