import type { AbortedTransaction } from '../model/aborted.ts';
import type { Offset } from '../model/ids.ts';
import { forEachBatch, offsetAfter } from '../records/header.ts';
import type { Acquired, Span } from '../share/index.ts';

/**
 * The batches that were read. Nobody is to have markers, nor what the transactions of `abortedIn` wrote.
 * @param abortedIn asked once, where there is anything of a transaction.
 */
export function spansOf(
  bytes: Uint8Array,
  abortedIn: (range: { fromOffset: Offset; endOffset: Offset }) => readonly AbortedTransaction[],
): Span[] {
  const spans: Span[] = [];
  let aborted: readonly AbortedTransaction[] | undefined;
  forEachBatch(bytes, (header) => {
    const { baseOffset: firstOffset, lastOffset, producerId } = header;
    let isSkipped = header.isControl || header.recordsCount === 0;
    if (header.isTransactional && !isSkipped) {
      aborted ??= abortedIn({ fromOffset: firstOffset, endOffset: offsetAfter(bytes) ?? firstOffset });
      isSkipped = aborted.some(
        (each) =>
          each.producerId === producerId && each.firstOffset <= firstOffset && each.lastOffset >= lastOffset,
      );
    }
    spans.push({ firstOffset, lastOffset, isSkipped });
  });
  return spans;
}

/** From the first batch with anything that was acquired to the last one: no batch is cut. */
export function deliverable(bytes: Uint8Array, acquired: readonly Acquired[]): Uint8Array {
  const first = acquired[0]?.firstOffset ?? Infinity;
  const last = acquired.at(-1)?.lastOffset ?? -1;
  let from = 0;
  let until = 0;
  forEachBatch(bytes, (header) => {
    const end = header.position + header.sizeBytes;
    if (header.lastOffset < first) from = end;
    if (header.baseOffset <= last) until = end;
  });
  return bytes.subarray(from, Math.max(from, until));
}
