import type { Offset } from '../model/ids.ts';
import type { ReadRange } from '../ports/log-store.ts';
import { forEachBatch } from '../records/header.ts';
import type { BatchPlace, LogSegment } from './log-segment.ts';

const SCAN_BYTES = 64 * 1024;

/**
 * Finds what is left of `segment` once every batch that reaches `toOffset` is gone. @returns what makes it so in
 * memory, indexes included.
 */
export async function cutSegment(
  segment: LogSegment,
  toOffset: Offset,
  read: (range: ReadRange) => Uint8Array | Promise<Uint8Array>,
): Promise<() => void> {
  const { offsets, times, baseOffset, firstTimestamp } = segment;
  const offsetView = await offsets.view();
  const timeView = await times.view();
  const floor = offsetView && timeView ? offsetView.floor(toOffset - 1 - baseOffset) : -1;
  const last = floor < 0 ? undefined : offsetView?.at(floor);
  const kept: BatchPlace[] = [];
  let fromOffset = baseOffset + (last?.key ?? 0);
  for (;;) {
    const bytes = await read({ fromOffset, endOffset: toOffset, maxBytes: SCAN_BYTES });
    if (bytes.length === 0) break;
    forEachBatch(bytes, (batch) => {
      const { baseOffset: base, lastOffset, maxTimestamp, sizeBytes } = batch;
      kept.push({ baseOffset: base, lastOffset, maxTimestamp, sizeBytes });
      fromOffset = lastOffset + 1;
    });
  }
  return () => {
    if (offsetView && timeView) {
      offsets.keep(offsetView, floor + 1);
      times.keep(timeView, timeView.floorByValue(last?.key ?? -1) + 1);
    } else {
      offsets.clear();
      times.clear();
    }
    segment.rewind({ position: last?.value ?? 0, nextOffset: baseOffset, firstTimestamp });
    for (const place of kept) segment.append(place);
  };
}
