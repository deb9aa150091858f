import type { AbortedTransaction } from '../../model/aborted.ts';
import type { Millis, Offset } from '../../model/ids.ts';
import { forEachBatch } from '../../records/header.ts';
import type { RemotePlace } from '../../ports/remote-storage.ts';

/** Where to begin to read: the first batch at `position` begins at `offset`. */
interface IndexEntry {
  offset: Offset;
  position: number;
  /** The largest time from there to the next entry. */
  maxTimestamp: Millis;
}

/** What stands behind the batches of a segment's object, as JSON: what Kafka has in files beside a segment. */
export interface Footer {
  version: 1;
  index: readonly IndexEntry[];
  /** Aborted transactions that reach into it. */
  aborted: readonly AbortedTransaction[];
}

/** Bytes between two entries: so much more than was asked for is read at most. */
const INDEX_INTERVAL_BYTES = 64 * 1024;

/** @param batches all of a segment, one behind the other. */
export function buildFooter(batches: Uint8Array, aborted: readonly AbortedTransaction[]): Uint8Array {
  const index: IndexEntry[] = [];
  let position = 0;
  forEachBatch(batches, ({ baseOffset, maxTimestamp, sizeBytes }) => {
    const last = index.at(-1);
    if (last === undefined || position - last.position >= INDEX_INTERVAL_BYTES)
      index.push({ offset: baseOffset, position, maxTimestamp });
    else last.maxTimestamp = Math.max(last.maxTimestamp, maxTimestamp);
    position += sizeBytes;
  });
  const footer: Footer = { version: 1, index, aborted };
  return new TextEncoder().encode(JSON.stringify(footer));
}

/** @throws when a newer version of Milena has written it. */
export function parseFooter({ key }: RemotePlace, bytes: Uint8Array): Footer {
  const footer = JSON.parse(new TextDecoder().decode(bytes)) as Footer;
  if (footer.version === 1) return footer;
  throw new Error(`the footer of ${key} has version ${String(footer.version)}, and this knows 1 alone`);
}

/** Where the batch that holds `offset`, or the next one, is looked for. */
export function positionOf({ index }: Footer, offset: Offset): number {
  return index.findLast((entry) => entry.offset <= offset)?.position ?? 0;
}

/** The parts of a segment that may have a time so late, from `fromOffset` on: where each begins and ends. */
export function partsReaching(
  { index }: Footer,
  { timestamp, fromOffset, sizeBytes }: { timestamp: Millis; fromOffset: Offset; sizeBytes: number },
): { position: number; length: number }[] {
  return index.flatMap(({ position, maxTimestamp }, number) => {
    const next = index[number + 1];
    const isBefore = next !== undefined && next.offset <= fromOffset;
    if (isBefore || maxTimestamp < timestamp) return [];
    return [{ position, length: (next?.position ?? sizeBytes) - position }];
  });
}
