import type { Durability } from '../../../src/hosts/browser/database.ts';
import { IndexedDbLogStore } from '../../../src/hosts/browser/store.ts';
import { append, isTrue, logName } from '../../storage/batches.ts';
import { forEachBatch } from '../../../src/records/header.ts';

const { log } = logName(1);
const COMMITS_IN_FLIGHT = 4;

/**
 * The page of a browser that is going to be killed. Says what it finds of its log (`POST /found`), then appends until
 * the end, and says of each commit that it was acknowledged (`POST /acked`).
 */
export async function survive(durability: Durability): Promise<void> {
  const store = await IndexedDbLogStore.open({ name: 'survivor', durability });
  if (store.logs().length === 0) await store.commit([{ type: 'create', ...logName(1) }]);
  const { logEndOffset } = await store.open(log);
  await tell('found', await check(store));
  let next = logEndOffset;
  const appendForever = async () => {
    for (;;) {
      const records = 1 + (next % 3);
      const write = append({ log, baseOffset: next, records, valueBytes: 200 + (next % 5) * 1000 });
      next += records;
      await store.commit([write]);
      await tell('acked', { endOffset: write.lastOffset + 1 });
    }
  };
  await Promise.all(Array.from({ length: COMMITS_IN_FLIGHT }, appendForever));
}

/** Reads all of the log: every batch true, none missing. */
async function check(store: IndexedDbLogStore): Promise<{ endOffset: number; problem?: string }> {
  let endOffset = 0;
  for (;;) {
    const bytes = await store.read(log, { fromOffset: endOffset, endOffset: Infinity, maxBytes: 1_000_000 });
    if (bytes.length === 0) break;
    if (!isTrue(bytes)) return { endOffset, problem: 'a batch is not what was written' };
    let gap: string | undefined;
    forEachBatch(bytes, ({ baseOffset, lastOffset }) => {
      if (baseOffset !== endOffset) gap ??= `${baseOffset} follows ${endOffset}`;
      endOffset = lastOffset + 1;
    });
    if (gap !== undefined) return { endOffset, problem: gap };
  }
  const { logEndOffset } = await store.open(log);
  return logEndOffset === endOffset
    ? { endOffset }
    : { endOffset, problem: `the log ends at ${logEndOffset}` };
}

async function tell(what: 'found' | 'acked', body: object): Promise<void> {
  await fetch(`/${what}`, { method: 'POST', body: JSON.stringify(body) });
}
