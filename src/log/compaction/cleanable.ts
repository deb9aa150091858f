import type { Millis, Offset } from '../../model/ids.ts';
import { type Segment, sizeOfAll } from '../../ports/log-store.ts';
import { INT32_MAX } from '../active-segment.ts';
import type { LogConfig } from '../config.ts';

export interface CleanableContext {
  config: Pick<LogConfig, 'minCompactionLagMs' | 'maxCompactionLagMs' | 'minCleanableDirtyRatio'>;
  nowMs: Millis;
  logStartOffset: Offset;
  /** Nothing at or above it is cleaned: what was not decided yet may be taken back. */
  stableEndOffset: Offset;
  /** Up to where the last pass has come; undefined before the first. */
  cleanedOffset: Offset | undefined;
}

/** What of a log a pass could clean. */
export interface Cleanable {
  /** No pass has looked at keys from here on. */
  firstDirtyOffset: Offset;
  /** Exclusive; where a segment ends. */
  endOffset: Offset;
  /** Share of dirty bytes in all that could be cleaned. */
  dirtyRatio: number;
  /** Something in it has waited for max.compaction.lag.ms, so long beyond that; 0 when nothing has. */
  overdueMs: Millis;
  /** Whether it is time. */
  isDue: boolean;
}

/** Closed segments that are written into one. */
export interface Group {
  fromOffset: Offset;
  /** Exclusive. */
  toOffset: Offset;
  segments: number;
}

/** What bounds one: segment.bytes, segment.index.bytes, and what an index entry can say. */
export interface GroupBounds {
  segmentBytes: number;
  indexEntriesMax: number;
  indexIntervalBytes: number;
}

/** What there is to clean: whole closed segments. Undefined when nothing of them is dirty. */
export function cleanableOf(segments: readonly Segment[], context: CleanableContext): Cleanable | undefined {
  const { config, nowMs, logStartOffset, stableEndOffset, cleanedOffset } = context;
  const logEndOffset = segments.at(-1)?.nextOffset ?? 0;
  const isKnown =
    cleanedOffset !== undefined && cleanedOffset >= logStartOffset && cleanedOffset <= logEndOffset;
  const firstDirtyOffset = isKnown ? cleanedOffset : logStartOffset;
  const closed = segments.slice(0, -1);
  const isUncleanable = ({ nextOffset, maxTimestamp }: Segment) =>
    nextOffset > stableEndOffset ||
    (nextOffset > firstDirtyOffset &&
      config.minCompactionLagMs > 0 &&
      maxTimestamp > nowMs - config.minCompactionLagMs);
  const first = closed.findIndex(isUncleanable);
  const cleanable = first < 0 ? closed : closed.slice(0, first);
  const dirty = cleanable.filter(({ nextOffset }) => nextOffset > firstDirtyOffset);
  const last = dirty.at(-1);
  if (last === undefined) return undefined;
  const dirtyBytes = sizeOfAll(dirty);
  if (dirtyBytes === 0) return undefined;
  const dirtyRatio = dirtyBytes / sizeOfAll(cleanable);
  const waitsSinceMs = dirty.reduce(
    (earliest, { firstTimestamp }) => (firstTimestamp > 0 ? Math.min(earliest, firstTimestamp) : earliest),
    Infinity,
  );
  const overdueMs = Math.max(0, nowMs - config.maxCompactionLagMs - waitsSinceMs);
  const isDue = overdueMs > 0 || dirtyRatio > config.minCleanableDirtyRatio;
  return { firstDirtyOffset, endOffset: last.nextOffset, dirtyRatio, overdueMs, isDue };
}

/** The dirtiest of those that are due. */
export function dirtiest<T extends { cleanable: Cleanable }>(logs: readonly T[]): T | undefined {
  let most: T | undefined;
  for (const log of logs) {
    if (!log.cleanable.isDue) continue;
    if (most === undefined || log.cleanable.dirtyRatio > most.cleanable.dirtyRatio) most = log;
  }
  return most;
}

/** Segments up to the one that holds `endOffset - 1`, gathered so that each group makes one of ordinary size. */
export function groupsOf(segments: readonly Segment[], endOffset: Offset, bounds: GroupBounds): Group[] {
  const groups: Group[] = [];
  let sizeBytes = 0;
  for (const { baseOffset, nextOffset, sizeBytes: ownBytes } of segments.slice(0, -1)) {
    if (baseOffset >= endOffset) break;
    const group = groups.at(-1);
    const wholeBytes = sizeBytes + ownBytes;
    const fits =
      group !== undefined &&
      wholeBytes <= bounds.segmentBytes &&
      wholeBytes / bounds.indexIntervalBytes <= bounds.indexEntriesMax &&
      nextOffset - group.fromOffset <= INT32_MAX;
    if (fits) {
      group.toOffset = nextOffset;
      group.segments++;
      sizeBytes = wholeBytes;
    } else {
      groups.push({ fromOffset: baseOffset, toOffset: nextOffset, segments: 1 });
      sizeBytes = ownBytes;
    }
  }
  return groups;
}
