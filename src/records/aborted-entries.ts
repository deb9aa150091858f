import { setInt64 } from '../kernels/batch-layout.ts';
import type { AbortedTransaction } from '../model/aborted.ts';

/** Of an entry in Kafka's `.txnindex`: version int16, then producer id, first, last and last stable offset, int64. */
export const ABORTED_ENTRY_SIZE = 34;
const VERSION = 0;
const PRODUCER_ID = 2;
const FIRST_OFFSET = 10;
const LAST_OFFSET = 18;
const LAST_STABLE_OFFSET = 26;

/** Entries of a `.txnindex`, byte for byte as Kafka writes them. */
export function encodeAborted(transactions: readonly AbortedTransaction[]): Uint8Array {
  const bytes = new Uint8Array(transactions.length * ABORTED_ENTRY_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [number, transaction] of transactions.entries()) {
    const at = number * ABORTED_ENTRY_SIZE;
    view.setInt16(at, VERSION);
    setInt64(view, at + PRODUCER_ID, transaction.producerId);
    setInt64(view, at + FIRST_OFFSET, transaction.firstOffset);
    setInt64(view, at + LAST_OFFSET, transaction.lastOffset);
    setInt64(view, at + LAST_STABLE_OFFSET, transaction.lastStableOffset);
  }
  return bytes;
}

/** The entries up to the first that no writer wrote: torn, of another version, or not behind the one before it. */
export function decodeAborted(bytes: Uint8Array): AbortedTransaction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const int64 = (at: number) => Number(view.getBigInt64(at));
  const found: AbortedTransaction[] = [];
  for (let at = 0; at + ABORTED_ENTRY_SIZE <= bytes.length; at += ABORTED_ENTRY_SIZE) {
    const producerId = int64(at + PRODUCER_ID);
    const firstOffset = int64(at + FIRST_OFFSET);
    const lastOffset = int64(at + LAST_OFFSET);
    const lastStableOffset = int64(at + LAST_STABLE_OFFSET);
    const isPlausible =
      view.getInt16(at) === VERSION &&
      producerId >= 0 &&
      firstOffset >= 0 &&
      firstOffset < lastOffset &&
      lastOffset > (found.at(-1)?.lastOffset ?? -1) &&
      Number.isSafeInteger(lastOffset);
    if (!isPlausible) break;
    found.push({ producerId, firstOffset, lastOffset, lastStableOffset });
  }
  return found;
}
